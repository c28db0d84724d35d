import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { json, startServer, type TestServer } from "../../support/http_server.ts";
import { closeSources, getJson, makeSource } from "../../support/sources.ts";

/** In seconds. Only the waits of a source move it on, at once; while it is stopped, they last until the tick ends. */
const clock = vi.hoisted(() => ({ now: 0, isStopped: false, waits: [] as number[] }));

vi.mock("node:timers/promises", async (original) => ({
  ...(await original<typeof import("node:timers/promises")>()),
  setTimeout: async (milliseconds: number, _: unknown, { signal }: { signal: AbortSignal }) => {
    clock.waits.push(milliseconds / 1000);
    if (clock.isStopped)
      await new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    clock.now += milliseconds / 1000;
  },
}));

let server: TestServer;
let sentAt: number[];
beforeEach(async () => {
  Object.assign(clock, { now: 0, isStopped: false, waits: [] });
  sentAt = [];
  vi.spyOn(performance, "now").mockImplementation(() => clock.now * 1000);
  server = await startServer((_, response) => {
    sentAt.push(clock.now);
    json(response, {});
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await closeSources();
  await server.close();
});

const PATHS = ["/a", "/b", "/c", "/d", "/e"];

test("what would be more in 60 seconds waits", async () => {
  const source = makeSource({ baseUrl: server.url, maxConnections: 1, maxPerMinute: 2 });
  await Promise.all(PATHS.map((path) => getJson(source, path)));
  expect(sentAt).toEqual([0, 0, 60, 60, 120]);
});

test("without a limit nothing waits", async () => {
  const source = makeSource({ baseUrl: server.url, maxConnections: 1 });
  await Promise.all(PATHS.map((path) => getJson(source, path)));
  expect(sentAt).toEqual([0, 0, 0, 0, 0]);
});

test("repeated attempts count, and a response that was kept does not", async () => {
  server.answer = (_, response) => {
    sentAt.push(clock.now);
    json(response, {}, sentAt.length < 3 ? 503 : 200);
  };
  const source = makeSource({ baseUrl: server.url, maxConnections: 1, maxPerMinute: 2 });
  await getJson(source, "/a");
  await getJson(source, "/a");
  await getJson(source, "/b");
  const [first, second = 0, ...rest] = sentAt;
  expect(first).toBe(0);
  expect(second).toBeGreaterThan(0);
  expect(rest).toEqual([60, 60 + second]);
});

test("what was not sent when the tick ended says what it waited for", async () => {
  clock.isStopped = true;
  const tick = new AbortController();
  const limits = { maxConnections: 1, maxPerMinute: 1 };
  const source = makeSource({ baseUrl: server.url, ...limits }, tick.signal);
  await getJson(source, "/a");
  expect(source.heldUpBy()).toBeUndefined();
  const second = getJson(source, "/b");
  await vi.waitUntil(() => clock.waits.length > 0);
  expect(source.heldUpBy()).toBe("max_per_minute = 1");
  tick.abort(new Error("the tick has ended"));
  await expect(second).rejects.toThrow(
    "GET /b from main: not sent: the tick ended while it waited for max_per_minute = 1",
  );
  expect(sentAt).toEqual([0]);
  expect(source.heldUpBy()).toBeUndefined();
  // It says nothing about the service.
  expect(source.counts).toEqual({ requests: 1, succeeded: 1, lastError: undefined });
});

test("a request that may never be needed does not wait, and takes the turn of no other", async () => {
  const source = makeSource({ baseUrl: server.url, maxConnections: 1, maxPerMinute: 1 });
  await getJson(source, "/a");
  const ahead = source.request({ path: "/b", query: {}, ahead: true });
  await expect(ahead).rejects.toThrow("not sent ahead");
  expect(clock.waits).toEqual([]);
  await getJson(source, "/b");
  expect(sentAt).toEqual([0, 60]);
});
