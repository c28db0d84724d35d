import { afterEach, describe, expect, test } from "vitest";
import type { SourceResponse } from "../../src/source/requester.ts";
import { writeAnswer, writeFault } from "../../src/source/xmlrpc/write_answer.ts";
import { PostAnswers } from "../../src/worker/post_answers.ts";
import type { ToWorker } from "../../src/worker/protocol.ts";
import { RequestHandler } from "../../src/worker/requests.ts";
import { json, startServer } from "../support/http_server.ts";
import { newOutcome } from "../support/new_outcome.ts";
import { textResponse } from "../support/responses.ts";
import { closeSources, makeSource } from "../support/sources.ts";

afterEach(closeSources);

/** The end of the pipe to a module, which reads when it is told to. */
function slowReader() {
  let hasRead = (): void => {};
  const reader = {
    unread: 0,
    answered: new Set<number>(),
    respond: (id: number, { body }: SourceResponse): void => {
      reader.answered.add(id);
      reader.unread += body.length;
    },
    send: (_message: ToWorker): void => {},
    kill: (): void => {},
    ready: async (): Promise<void> => {
      if (reader.unread <= 4 * 2 ** 20) return;
      await new Promise<void>((resolve) => {
        const before = hasRead;
        hasRead = () => {
          before();
          resolve();
        };
      });
    },
    read: (): void => {
      reader.unread = 0;
      hasRead();
    },
  };
  return reader;
}

test("for a module that does not read its responses only a little is fetched", async () => {
  const page = "x".repeat(2 ** 20);
  const server = await startServer((_request, response) => json(response, page));
  const source = makeSource({ baseUrl: server.url });
  const run = new AbortController();
  const reader = slowReader();
  const handler = new RequestHandler({
    worker: reader,
    sources: new Map([["main", source]]),
    soFar: newOutcome(),
    posts: new PostAnswers(),
    signal: run.signal,
    tick: new AbortController().signal,
  });
  for (let id = 1; id <= 100; id++)
    void handler.handle({
      type: "request",
      id,
      source: "main",
      path: `/${id}`,
      query: {},
      allow404: false,
      ahead: false,
    });
  await expect.poll(() => reader.answered.size).toBeGreaterThanOrEqual(5);
  // Another alarm is still served; by then all that is to come for this one has come.
  for (const path of ["/a", "/b"]) await source.request({ path, query: {} });
  // Four MiB may wait, and four more were under way when they did.
  expect(server.requests.length).toBeLessThanOrEqual(2 + 4 + 1 + 4);
  const before = reader.answered.size;
  reader.read();
  await expect.poll(() => reader.answered.size).toBeGreaterThan(before);
  run.abort(new Error("the run is over"));
  await server.close();
});

test("a module that sends too many requests is stopped", async () => {
  const causes: string[] = [];
  const run = new AbortController();
  let sent = 0;
  const handler = new RequestHandler({
    worker: {
      respond: () => {},
      send: () => {},
      ready: async () => {},
      kill: (cause) => void causes.push(cause),
    },
    sources: new Map([
      [
        "main",
        {
          kind: "http" as const,
          maxConnections: 30,
          request: async () => textResponse(`${sent++}`),
        },
      ],
    ]),
    soFar: newOutcome(),
    posts: new PostAnswers(),
    signal: run.signal,
    tick: new AbortController().signal,
  });
  const request = {
    type: "request",
    source: "main",
    path: "/",
    query: {},
    allow404: false,
  } as const;
  for (let id = 1; id <= 20_000; id++) {
    void handler.handle({ ...request, id, ahead: id % 2 === 1 });
    if (id % 30 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(causes).toEqual([]);
  void handler.handle({ ...request, id: 20_001, ahead: true });
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toBe(20_000);
  expect(causes).toEqual(["detect sent more than 20000 requests"]);
  run.abort();
});

describe("a request that fails", () => {
  test.each([
    { ahead: false, tickEnded: false, status: "partial" },
    { ahead: true, tickEnded: false, status: "complete" },
    { ahead: true, tickEnded: true, status: "partial" },
  ])("ahead $ahead, at the end of the tick $tickEnded: $status", async (row) => {
    const messages: ToWorker[] = [];
    const soFar = newOutcome();
    const handler = new RequestHandler({
      worker: {
        respond: () => {},
        send: (message) => void messages.push(message),
        ready: async () => {},
        kill: () => {},
      },
      sources: new Map([
        [
          "main",
          {
            kind: "http" as const,
            maxConnections: 4,
            request: () => Promise.reject(new Error("status 403")),
          },
        ],
      ]),
      soFar,
      posts: new PostAnswers(),
      signal: new AbortController().signal,
      tick: row.tickEnded ? AbortSignal.abort() : new AbortController().signal,
    });
    const request = { type: "request", source: "main", path: "/", query: {} } as const;
    const handled = handler.handle({ ...request, id: 7, allow404: false, ahead: row.ahead });
    expect(handler.isPending).toBe(true);
    await handled;
    expect(handler.isPending).toBe(false);
    expect(messages).toEqual([
      { type: "fail", id: 7, failure: { kind: "connection", reason: "status 403" } },
    ]);
    expect(soFar.outcome(0).status).toBe(row.status);
  });
});

describe("a response that a module's process could not read", () => {
  test.each([
    { kind: "http", body: "<html>", isOfSource: true },
    { kind: "http", body: "{}", isOfSource: false },
    { kind: "xmlrpc", body: "{}", isOfSource: true },
    { kind: "xmlrpc", body: writeAnswer([1]), isOfSource: false },
    { kind: "xmlrpc", body: writeFault(10, "BAD_NAME"), isOfSource: false },
  ] as const)("$kind $body counts against the source: $isOfSource", async (row) => {
    const { kind, body, isOfSource } = row;
    const reported: string[] = [];
    const soFar = newOutcome();
    const handler = new RequestHandler({
      worker: { respond: () => {}, send: () => {}, ready: async () => {}, kill: () => {} },
      sources: new Map([
        [
          "main",
          {
            kind,
            maxConnections: 4,
            request: async () => textResponse(body),
            reportInvalid: (_request, reason) => void reported.push(reason),
          },
        ],
      ]),
      soFar,
      posts: new PostAnswers(),
      signal: new AbortController().signal,
      tick: new AbortController().signal,
    });
    const post = kind === "xmlrpc" ? { text: "<methodCall/>", type: "text/xml" } : undefined;
    const request = { path: "a", query: {}, post };
    await handler.handle({ type: "request", id: 1, source: "main", ...request });
    for (const source of ["main", "other"])
      handler.reportInvalid({ type: "invalid", source, ...request, reason: "not as expected" });
    await handler.checked();
    soFar.fail({ text: "x" });
    expect(handler.hasFailed).toBe(isOfSource);
    expect(reported).toEqual(isOfSource ? ["not as expected"] : []);
    expect(soFar.outcome(0).cause).toBe(isOfSource ? "source" : "module");
  });
});

describe("what a module has requested", () => {
  const page = textResponse("x".repeat(100));
  const fail = () => Promise.reject(new Error("status 403"));
  test.each<
    [sentence: string, respond: () => Promise<SourceResponse>, ahead: boolean, use: object]
  >([
    ["counts with the bytes of the response", async () => page, false, { count: 1, bytes: 100 }],
    ["counts if it was sent ahead", async () => page, true, { count: 1, bytes: 100 }],
    ["counts if it failed", fail, false, { count: 1, bytes: 0 }],
    ["does not count if it failed ahead: it is sent again", fail, true, { count: 0, bytes: 0 }],
    ["does not count before the response", () => new Promise(() => {}), false, { count: 0 }],
  ])("%s", async (_sentence, request, ahead, use) => {
    const handler = new RequestHandler({
      worker: { respond: () => {}, send: () => {}, ready: async () => {}, kill: () => {} },
      sources: new Map([["main", { kind: "http" as const, maxConnections: 4, request }]]),
      soFar: newOutcome(),
      posts: new PostAnswers(),
      signal: new AbortController().signal,
      tick: new AbortController().signal,
    });
    const message = { type: "request", source: "main", path: "/", query: {} } as const;
    const handled = handler.handle({ ...message, id: 1, ahead });
    await Promise.race([handled, new Promise((resolve) => setImmediate(resolve))]);
    expect(handler.use).toMatchObject(use);
    expect(handler.use.seconds).toBeGreaterThanOrEqual(0);
  });

  test("is waited for as long as the responses take, all together", async () => {
    const request = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return page;
    };
    const handler = new RequestHandler({
      worker: { respond: () => {}, send: () => {}, ready: async () => {}, kill: () => {} },
      sources: new Map([["main", { kind: "http" as const, maxConnections: 4, request }]]),
      soFar: newOutcome(),
      posts: new PostAnswers(),
      signal: new AbortController().signal,
      tick: new AbortController().signal,
    });
    const message = { type: "request", source: "main", path: "/", query: {} } as const;
    await Promise.all([1, 2, 3].map((id) => handler.handle({ ...message, id })));
    expect(handler.use).toMatchObject({ count: 3, bytes: 300 });
    // A timer may be a millisecond early.
    expect(handler.use.seconds).toBeGreaterThan(0.05);
  });
});

test("the response to a POST that a module's process could not read is not asked for again", async () => {
  let sent = 0;
  const reported: string[] = [];
  const handler = new RequestHandler({
    worker: { respond: () => {}, send: () => {}, ready: async () => {}, kill: () => {} },
    sources: new Map([
      [
        "main",
        {
          kind: "http" as const,
          maxConnections: 4,
          request: async () => textResponse(sent++ === 0 ? "{}" : "{ broken"),
          reportInvalid: (_request, reason) => void reported.push(reason),
        },
      ],
    ]),
    soFar: newOutcome(),
    posts: new PostAnswers(),
    signal: new AbortController().signal,
    tick: new AbortController().signal,
  });
  const post = { path: "/", query: {}, post: { text: "{}", type: "application/json" } };
  for (const id of [1, 2]) {
    await handler.handle({ type: "request", id, source: "main", ...post });
    handler.reportInvalid({ type: "invalid", source: "main", ...post, reason: "not JSON" });
    await handler.checked();
    expect(reported).toEqual(id === 1 ? [] : ["not JSON"]);
  }
  expect(sent).toBe(2);
});
