import { expect, test } from "vitest";
import { inTime } from "../../src/core/in_time.ts";

const LATE = new Error("the alarm's time is up");

test("returns the promise's result", async () => {
  expect(await inTime(Promise.resolve(5), new AbortController().signal)).toBe(5);
});

test("throws the promise's error", async () => {
  const error = new Error("no answer");
  await expect(inTime(Promise.reject(error), new AbortController().signal)).rejects.toBe(error);
});

test("throws the signal's reason where that comes first", async () => {
  const abort = new AbortController();
  const result = inTime(new Promise(() => {}), abort.signal);
  abort.abort(LATE);
  await expect(result).rejects.toBe(LATE);
});

test("after the signal it does not even wait for a resolved promise", async () => {
  await expect(inTime(Promise.resolve(5), AbortSignal.abort(LATE))).rejects.toBe(LATE);
});

test("an error after the signal is not an unhandled rejection", async () => {
  const unhandled: unknown[] = [];
  const listen = (error: unknown): void => void unhandled.push(error);
  process.on("unhandledRejection", listen);
  const abort = new AbortController();
  let fail = (_error: Error): void => {};
  const promise = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  const result = inTime(promise, abort.signal);
  abort.abort(LATE);
  await expect(result).rejects.toBe(LATE);
  fail(new Error("too late"));
  const early = inTime(Promise.reject(new Error("also too late")), abort.signal);
  await expect(early).rejects.toBe(LATE);
  // Node reports unhandled rejections when the microtasks are done, which is before the next turn.
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", listen);
  expect(unhandled).toEqual([]);
});

test("no listener stays on a signal that outlives many promises", async () => {
  const { signal } = new AbortController();
  let listening = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listening++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listening--;
    remove(...args);
  };
  for (let count = 0; count < 100; count++) await inTime(Promise.resolve(count), signal);
  await inTime(Promise.reject(new Error("x")), signal).catch(() => {});
  await new Promise((resolve) => setImmediate(resolve));
  expect(listening).toBe(0);
});
