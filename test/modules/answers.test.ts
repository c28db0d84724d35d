import { afterEach, expect, test } from "vitest";
import { answerer } from "../../src/modules/answers.ts";
import type { ToRunner } from "../../src/modules/wire.ts";
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
    answer: (id: number, body: Buffer | undefined): void => {
      reader.answered.add(id);
      reader.unread += body?.length ?? 0;
    },
    send: (_message: ToRunner): void => {},
    caughtUp: (): Promise<void> =>
      new Promise((resolve) => {
        const before = hasRead;
        hasRead = () => {
          before();
          resolve();
        };
      }),
    read: (): void => {
      reader.unread = 0;
      hasRead();
    },
  };
  return reader;
}

test("a module that asks and does not read is fetched no more than the little that may wait for it", async () => {
  const page = "x".repeat(2 ** 20);
  const server = await startServer((_request, response) => json(response, page));
  const source = makeSource({ baseUrl: server.url });
  const run = new AbortController();
  const reader = slowReader();
  const ask = answerer({
    runner: reader,
    sources: new Map([["main", source]]),
    soFar: newOutcome(),
    signal: run.signal,
    stop: () => {},
  });
  for (let id = 1; id <= 100; id++)
    ask({ id, source: "main", path: `/${id}`, query: {}, absentIsAnswer: false });
  await expect.poll(() => reader.answered.size).toBeGreaterThanOrEqual(5);
  // Another alarm is still served; by then all that is to come for this one has come.
  for (const path of ["/a", "/b"]) await source.ask(path, {}, false);
  // Four MiB may wait, and four more were under way when they did.
  expect(server.requests.length).toBeLessThanOrEqual(2 + 4 + 1 + 4);
  const before = reader.answered.size;
  reader.read();
  await expect.poll(() => reader.answered.size).toBeGreaterThan(before);
  run.abort(new Error("the run is over"));
  await server.close();
});

test.each([
  ["questions", 20_001, "x", /^detect asked more than 20000 questions$/],
  ["answers", 2_200, "x".repeat(2 ** 20), /^detect read more than 2048 MiB of answers$/],
])("a module that goes on and on is stopped at too many %s", async (_what, times, body, cause) => {
  const causes: string[] = [];
  const run = new AbortController();
  const answer = Buffer.from(body);
  const ask = answerer({
    runner: { unread: 0, answer: () => {}, send: () => {}, caughtUp: async () => {} },
    sources: new Map([["main", { maxConnections: 30, ask: async () => answer }]]),
    soFar: newOutcome(),
    signal: run.signal,
    stop: (said) => causes.push(said),
  });
  for (let id = 1; id <= times && causes.length === 0; id++) {
    ask({ id, source: "main", path: "/", query: {}, absentIsAnswer: false });
    if (id % 30 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(causes).toHaveLength(1);
  expect(causes[0]).toMatch(cause);
  run.abort();
});
