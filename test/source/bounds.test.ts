import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { FetchError } from "../../src/source/fetch_error.ts";
import { Room } from "../../src/source/room.ts";
import type { Source } from "../../src/source/source.ts";
import { answer, startFaultyServer } from "../support/faulty_server.ts";
import { json, startServer, type TestServer } from "../support/http_server.ts";
import { closeSources, getJson, makeSource } from "../support/sources.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer(() => {});
});
beforeEach(() => {
  server.requests.length = 0;
  server.answer = (_request, response) => json(response, { ok: true });
});
afterEach(closeSources);
afterAll(() => server.close());

async function failure(source: Source, path: string): Promise<string> {
  const error: unknown = await source.request(path, {}, false).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(FetchError);
  return error instanceof Error ? error.message : "";
}

describe("a service that is down", () => {
  const REASON = "status 503 down, which asks to wait 3600 s";
  const down: TestServer["answer"] = (_request, response) => {
    response.writeHead(503, { "retry-after": "3600" });
    response.end("down");
  };

  test("is asked no more after eight failures in a row", async () => {
    server.answer = down;
    const source = makeSource({ baseUrl: server.url });
    for (let count = 0; count < 8; count++)
      expect(await failure(source, `/${count}`)).toContain(REASON);
    expect(await failure(source, "/more")).toBe(
      `GET /more from main: not asked: main has failed 8 times in a row in this tick, last: ${REASON}`,
    );
    expect(server.requests).toHaveLength(8);
    expect(source.counts).toEqual({ requests: 8, succeeded: 0, lastError: REASON });
  });

  test("is not asked by the hundreds that are waiting already", async () => {
    server.answer = down;
    const source = makeSource({ baseUrl: server.url });
    const asking = Array.from({ length: 500 }, (_, index) => failure(source, `/${index}`));
    const reasons = await Promise.all(asking);
    // Four are asked at the same time, so that up to three more are under way at the eighth failure.
    expect(server.requests.length).toBeGreaterThanOrEqual(8);
    expect(server.requests.length).toBeLessThanOrEqual(11);
    expect(reasons.filter((reason) => reason.includes("not asked:"))).toHaveLength(
      500 - server.requests.length,
    );
  });

  test("does not keep another one from being asked", async () => {
    server.answer = down;
    const source = makeSource({ baseUrl: server.url });
    for (let count = 0; count < 9; count++) await failure(source, `/${count}`);
    const other = await startServer((_request, response) => json(response, { ok: true }));
    expect(await getJson(makeSource({ baseUrl: other.url }), "/x")).toEqual({ ok: true });
    await other.close();
  });

  test.each([400, 404])("is not one that answers %d", async (status) => {
    server.answer = (_request, response) => json(response, {}, status);
    const source = makeSource({ baseUrl: server.url });
    for (let count = 0; count < 20; count++) await failure(source, `/${count}`);
    expect(server.requests).toHaveLength(20);
  });

  test("is one whose name DNS does not know, and one that is silent", async () => {
    const unknown = makeSource({ baseUrl: "http://no-such-host.invalid" });
    server.answer = () => {};
    const silent = makeSource({ baseUrl: server.url, timeout: 0.05 });
    for (const source of [unknown, silent]) {
      await Promise.all(Array.from({ length: 8 }, (_, index) => failure(source, `/${index}`)));
      expect(await failure(source, "/more")).toContain("not asked: main has failed");
    }
  });
});

describe("the request counts", () => {
  test("counts each question once, whoever asks it", async () => {
    server.answer = (_request, response, url) =>
      json(response, {}, url.pathname === "/bad" ? 403 : 200);
    const source = makeSource({ baseUrl: server.url });
    await Promise.all([getJson(source, "/a"), getJson(source, "/a"), getJson(source, "/b")]);
    await failure(source, "/bad");
    await failure(source, "/bad");
    expect(source.counts).toEqual({ requests: 3, succeeded: 2, lastError: "status 403 {}" });
  });

  test("counts a 404 as an answer where it is one to anybody", async () => {
    server.answer = (_request, response) => json(response, {}, 404);
    const source = makeSource({ baseUrl: server.url });
    await failure(source, "/a");
    expect(source.counts).toMatchObject({ requests: 1, succeeded: 0 });
    for (let count = 0; count < 3; count++) await getJson(source, "/a", {}, true);
    expect(source.counts).toMatchObject({ requests: 1, succeeded: 1 });
  });

  test("leaves out what the end of the tick cut off", async () => {
    const tick = new AbortController();
    server.answer = () => tick.abort();
    const source = makeSource({ baseUrl: server.url }, tick.signal);
    await failure(source, "/a");
    expect(source.counts).toEqual({ requests: 0, succeeded: 0, lastError: undefined });
  });

  test("holds no secret", async () => {
    const token = "t0p-s3cret-t0ken";
    server.answer = (request, response) =>
      json(response, { you: request.headers.authorization }, 403);
    const source = makeSource({ baseUrl: server.url, token });
    await failure(source, "/a");
    expect(source.counts.lastError).toBe('status 403 {"you":"Bearer [redacted]"}');
  });
});

describe("what is kept of a tick", () => {
  const rooms: Room[] = [];
  afterEach(() => {
    for (const room of rooms.splice(0)) room.close();
    vi.unstubAllEnvs();
  });

  /** Two sources that share a room of so many bytes, each asked for two lists by two alarms, twice. */
  async function askTwice(memory: number, file: number, size = 4_000): Promise<readonly string[]> {
    const room = new Room({ memory, file });
    rooms.push(room);
    server.answer = (_request, response, url) => json(response, url.pathname.padEnd(size, "x"));
    const sources = ["one", "two"].map((name) =>
      makeSource({ name, baseUrl: server.url }, undefined, room),
    );
    for (let round = 0; round < 2; round++)
      for (const source of sources)
        for (const list of ["a", "b"]) {
          const path = `/${source.name}/${list}`;
          const answers = await Promise.all([getJson(source, path), getJson(source, path)]);
          expect(answers).toEqual(Array.from({ length: 2 }, () => path.padEnd(size, "x")));
        }
    return server.requests;
  }

  const ALL = ["/one/a", "/one/b", "/two/a", "/two/b"];
  test.each([
    ["all is kept in memory", 100_000, 0, ALL],
    ["what does not fit goes into a file", 6_000, 100_000, ALL],
    ["all goes into the file", 0, 100_000, ALL],
    [
      "when the file is full, those who ask together share, those who ask later ask again",
      6_000,
      5_000,
      [...ALL, "/two/a", "/two/b"],
    ],
  ])("%s", async (_sentence, memory, file, requests) => {
    expect(await askTwice(memory, file)).toEqual(requests);
  });

  test.each([
    ["found out when it is read back", 4_000],
    ["found out when it is written", 300_000],
  ])("a file that cannot be written costs a second fetch and nothing else: %s", async (_, size) => {
    vi.stubEnv("TMPDIR", "/no/such/folder");
    expect(await askTwice(0, 2 ** 30, size)).toEqual([...ALL, ...ALL]);
  });
});

describe("a module that asks too much", () => {
  test("in one question: it is not asked", async () => {
    const source = makeSource({ baseUrl: server.url });
    const reason = await failure(source, `/${"x".repeat(10_000_000)}`);
    expect(reason).toMatch(/the question has 100000\d\d characters; ask with at most 8000$/);
    expect(reason.length).toBeLessThan(400);
    expect(server.requests).toEqual([]);
  });

  test("without waiting for answers: what is over 10,000 is not asked", async () => {
    const tick = new AbortController();
    server.answer = () => {};
    const source = makeSource({ baseUrl: server.url }, tick.signal);
    const asked = Array.from({ length: 10_004 }, (_, index) => failure(source, `/${index}`));
    expect(await failure(source, "/more")).toContain("10000 questions are waiting already");
    tick.abort();
    await Promise.all(asked);
    expect(server.requests.length).toBeLessThanOrEqual(4);
  });
});

test("a second answer that nobody asked for is never taken for that to the next question", async () => {
  const splitting = await startFaultyServer((socket, path) => {
    socket.write(Buffer.concat([answer(JSON.stringify(path)), answer('"stolen"')]));
  });
  const source = makeSource({ baseUrl: splitting.url });
  for (const path of ["/a", "/b", "/c"]) expect(await getJson(source, path)).toBe(path);
  await splitting.close();
});
