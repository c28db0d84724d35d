import { afterEach, describe, expect, test } from "vitest";
import type { Outcome } from "../../src/core/model.ts";
import type { ToWorker } from "../../src/worker/protocol.ts";
import { handleRequests } from "../../src/worker/requests.ts";
import { json, startServer } from "../support/http_server.ts";
import { newOutcome } from "../support/new_outcome.ts";
import { closeSources, makeSource } from "../support/sources.ts";

afterEach(closeSources);

/** The end of the pipe to a module, which reads when it is told to. */
function slowReader() {
  let hasRead = (): void => {};
  const reader = {
    unread: 0,
    answered: new Set<number>(),
    respond: (id: number, body: Buffer | undefined): void => {
      reader.answered.add(id);
      reader.unread += body?.length ?? 0;
    },
    send: (_message: ToWorker): void => {},
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
  const { request: ask } = handleRequests({
    worker: reader,
    sources: new Map([["main", source]]),
    soFar: newOutcome(),
    signal: run.signal,
    stop: () => {},
  });
  for (let id = 1; id <= 100; id++)
    ask({
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
  for (const path of ["/a", "/b"]) await source.request(path, {}, false);
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
  const { request: ask, needs } = handleRequests({
    worker: { respond: () => {}, send: () => {}, ready: async () => {} },
    sources: new Map([
      ["main", { maxConnections: 30, request: async () => Buffer.from(`${sent++}`) }],
    ]),
    soFar: newOutcome(),
    signal: run.signal,
    stop: (cause) => causes.push(cause),
  });
  const request = {
    type: "request",
    source: "main",
    path: "/",
    query: {},
    allow404: false,
  } as const;
  for (let id = 1; id <= 20_000; id++) {
    ask({ ...request, id, ahead: id % 2 === 1 });
    if (id % 30 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(causes).toEqual([]);
  ask({ ...request, id: 20_001, ahead: true });
  needs(20_001);
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toBe(20_000);
  expect(causes).toEqual(["detect sent more than 20000 requests"]);
  run.abort();
});

describe("a request that was sent ahead", () => {
  type Event = "response" | "failure" | "needs" | "time is up";
  const FAILED = "GET /list from main: status 403";
  const LATE = "out of time: detect did not end within 60 s";

  /** The outcome after these events, and what the module's process is sent. */
  async function after(events: readonly Event[]): Promise<[Outcome, readonly string[]]> {
    const sent: string[] = [];
    const soFar = newOutcome();
    const run = new AbortController();
    let settle = { answer: (_body: Buffer): void => {}, fail: (_error: Error): void => {} };
    const answer = new Promise<Buffer>((resolve, reject) => {
      settle = { answer: resolve, fail: reject };
    });
    const { request: ask, needs } = handleRequests({
      worker: {
        respond: (id) => void sent.push(`response ${id}`),
        send: (message) => void sent.push(message.type),
        ready: async () => {},
      },
      sources: new Map([["main", { maxConnections: 4, request: () => answer }]]),
      soFar,
      signal: run.signal,
      stop: () => {},
    });
    ask({
      type: "request",
      id: 7,
      source: "main",
      path: "/list",
      query: {},
      allow404: false,
      ahead: true,
    });
    for (const event of events) {
      if (event === "response") settle.answer(Buffer.from("{}"));
      if (event === "failure") settle.fail(new Error(FAILED));
      if (event === "needs") needs(7);
      if (event === "time is up") soFar.fail({ text: LATE, isFetch: false });
      await new Promise((resolve) => setImmediate(resolve));
    }
    run.abort(new Error("the run is over"));
    return [soFar.outcome(0), sent];
  }

  type Expected = Pick<Outcome, "status" | "cause" | "reasons">;
  const nothing: Expected = { status: "complete", cause: undefined, reasons: [] };
  const partial: Expected = { status: "partial", cause: undefined, reasons: [FAILED] };
  const itsFault: Expected = { status: "failed", cause: "module", reasons: [LATE] };
  const sources: Expected = { status: "failed", cause: "source", reasons: [LATE] };
  test.each<[string, readonly Event[], Expected, readonly string[]]>([
    ["and has no answer", [], nothing, []],
    ["and is answered", ["response"], nothing, ["response 7"]],
    ["and fails, unneeded", ["failure"], nothing, []],
    ["and is answered before it is needed", ["response", "needs"], nothing, ["response 7"]],
    ["and is answered when it is needed", ["needs", "response"], nothing, ["response 7"]],
    ["and fails before it is needed", ["failure", "needs"], partial, ["fail"]],
    ["and fails when it is needed", ["needs", "failure"], partial, ["fail"]],
    ["and is needed twice", ["failure", "needs", "needs"], partial, ["fail"]],
    ["is under way, unneeded, when time is up", ["time is up"], itsFault, []],
    [
      "is answered, unneeded, when time is up",
      ["response", "time is up"],
      itsFault,
      ["response 7"],
    ],
    ["has failed, unneeded, when time is up", ["failure", "time is up"], itsFault, []],
    ["is waited for when time is up", ["needs", "time is up"], sources, []],
    ["has been waited for", ["needs", "response", "time is up"], itsFault, ["response 7"]],
    ["has been used", ["response", "needs", "time is up"], itsFault, ["response 7"]],
    [
      "has failed the module when time is up",
      ["failure", "needs", "time is up"],
      { ...sources, reasons: [FAILED, LATE] },
      ["fail"],
    ],
  ])("%s", async (_, events, expected, sent) => {
    const [outcome, messages] = await after(events);
    expect(outcome).toMatchObject(expected);
    expect(messages).toEqual(sent);
  });
});
