import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FetchError } from "../../../src/source/fetch_error.ts";
import type { HttpSource } from "../../../src/source/http/http_source.ts";
import { answer, startFaultyServer } from "../../support/faulty_server.ts";
import { json, startServer, type TestServer } from "../../support/http_server.ts";
import { closeSources, getJson, makeSource } from "../../support/sources.ts";

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

async function failure(source: HttpSource, path: string): Promise<string> {
  const error: unknown = await source
    .request({ path, query: {} })
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(FetchError);
  return error instanceof Error ? error.message : "";
}

describe("a service that is down", () => {
  const REASON = "status 503 down; retry-after 3600 s is too long";
  const down: TestServer["answer"] = (_request, response) => {
    response.writeHead(503, { "retry-after": "3600" });
    response.end("down");
  };

  test("gets no more requests after eight errors in a row", async () => {
    server.answer = down;
    const source = makeSource({ baseUrl: server.url });
    for (let count = 0; count < 8; count++)
      expect(await failure(source, `/${count}`)).toContain(REASON);
    expect(await failure(source, "/more")).toBe(
      `GET /more from main: not sent: main failed 8 times in a row in this tick, last error: ${REASON}`,
    );
    expect(server.requests).toHaveLength(8);
    expect(source.counts).toEqual({ requests: 8, succeeded: 0, lastError: REASON });
  });

  test("gets none of the hundreds of requests that are waiting already", async () => {
    server.answer = down;
    const source = makeSource({ baseUrl: server.url });
    const asking = Array.from({ length: 500 }, (_, index) => failure(source, `/${index}`));
    const reasons = await Promise.all(asking);
    // Four are sent side by side, so up to three more may be running at the eighth error.
    expect(server.requests.length).toBeGreaterThanOrEqual(8);
    expect(server.requests.length).toBeLessThanOrEqual(11);
    expect(reasons.filter((reason) => reason.includes("not sent:"))).toHaveLength(
      500 - server.requests.length,
    );
  });

  test("does not affect another service", async () => {
    server.answer = down;
    const source = makeSource({ baseUrl: server.url });
    for (let count = 0; count < 9; count++) await failure(source, `/${count}`);
    const other = await startServer((_request, response) => json(response, { ok: true }));
    expect(await getJson(makeSource({ baseUrl: other.url }), "/x")).toEqual({ ok: true });
    await other.close();
  });

  test.each([400, 404])("is not one that responds with %d", async (status) => {
    server.answer = (_request, response) => json(response, {}, status);
    const source = makeSource({ baseUrl: server.url });
    for (let count = 0; count < 20; count++) await failure(source, `/${count}`);
    expect(server.requests).toHaveLength(20);
  });

  test("is one whose host name is not found, and one that never responds", async () => {
    const unknown = makeSource({ baseUrl: "http://no-such-host.invalid" });
    server.answer = () => {};
    const silent = makeSource({ baseUrl: server.url, timeout: 0.05 });
    for (const source of [unknown, silent]) {
      await Promise.all(Array.from({ length: 8 }, (_, index) => failure(source, `/${index}`)));
      expect(await failure(source, "/more")).toContain("not sent: main failed");
    }
  });
});

describe("the request counts", () => {
  test("count each URL once, however many alarms request it", async () => {
    server.answer = (_request, response, url) =>
      json(response, {}, url.pathname === "/bad" ? 403 : 200);
    const source = makeSource({ baseUrl: server.url });
    await Promise.all([getJson(source, "/a"), getJson(source, "/a"), getJson(source, "/b")]);
    await failure(source, "/bad");
    await failure(source, "/bad");
    expect(source.counts).toEqual({
      requests: 3,
      succeeded: 2,
      lastError: expect.stringContaining("status 403 {};"),
    });
  });

  test("count a 404 as a success where at least one alarm accepts it", async () => {
    server.answer = (_request, response) => json(response, {}, 404);
    const source = makeSource({ baseUrl: server.url });
    await failure(source, "/a");
    expect(source.counts).toMatchObject({ requests: 1, succeeded: 0 });
    for (let count = 0; count < 3; count++) await getJson(source, "/a", {}, true);
    expect(source.counts).toMatchObject({ requests: 1, succeeded: 1 });
  });

  test("leave out what was still running when the tick ended", async () => {
    const tick = new AbortController();
    server.answer = () => tick.abort();
    const source = makeSource({ baseUrl: server.url }, tick.signal);
    await failure(source, "/a");
    expect(source.counts).toEqual({ requests: 0, succeeded: 0, lastError: undefined });
  });
});

describe("the cache of a tick", () => {
  /** Two sources that share so many bytes, each with two lists that two alarms read, twice. */
  async function readTwice(memory: number): Promise<readonly string[]> {
    const shared = { left: memory };
    server.answer = (_request, response, url) => json(response, url.pathname.padEnd(4_000, "x"));
    const sources = ["one", "two"].map((name): [string, HttpSource] => [
      name,
      makeSource({ name, baseUrl: server.url }, undefined, shared),
    ]);
    for (let round = 0; round < 2; round++)
      for (const [name, source] of sources)
        for (const list of ["a", "b"]) {
          const path = `/${name}/${list}`;
          const answers = await Promise.all([getJson(source, path), getJson(source, path)]);
          expect(answers).toEqual(Array.from({ length: 2 }, () => path.padEnd(4_000, "x")));
        }
    return server.requests;
  }

  const ALL = ["/one/a", "/one/b", "/two/a", "/two/b"];
  test.each([
    ["what fits is requested once", 100_000, ALL],
    ["what does not fit is requested again", 6_000, [...ALL, "/one/b", "/two/a", "/two/b"]],
    ["without memory only running requests are shared", 0, [...ALL, ...ALL]],
  ])("%s", async (_sentence, memory, requests) => {
    expect(await readTwice(memory)).toEqual(requests);
  });

  test("a response that is requested again still counts once", async () => {
    const source = makeSource({ baseUrl: server.url }, undefined, { left: 0 });
    for (let count = 0; count < 3; count++) await getJson(source, "/a");
    expect(server.requests).toHaveLength(3);
    expect(source.counts).toMatchObject({ requests: 1, succeeded: 1 });
  });
});

test("a long URL is cut in the message", async () => {
  server.answer = (_request, response) => json(response, {}, 414);
  const reason = await failure(makeSource({ baseUrl: server.url }), `/${"x".repeat(5_000)}`);
  expect(reason).toMatch(/^GET \/x{298}… from main: status 414/);
});

test("a second response on one connection is never taken for that to the next request", async () => {
  const splitting = await startFaultyServer((socket, path) => {
    socket.write(Buffer.concat([answer(JSON.stringify(path)), answer('"stolen"')]));
  });
  const source = makeSource({ baseUrl: splitting.url });
  for (const path of ["/a", "/b", "/c"]) expect(await getJson(source, path)).toBe(path);
  await splitting.close();
});
