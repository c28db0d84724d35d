import { expect, test, vi } from "vitest";
import { startDeadline } from "../../src/engine/deadline.ts";

test("a tick is out of time after its limit, and the reason says so", () => {
  vi.useFakeTimers();
  try {
    const { signal } = startDeadline(240);
    vi.advanceTimersByTime(239_999);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.reason).toEqual(new Error("out of time: the tick's limit of 240 s has passed"));
  } finally {
    vi.useRealTimers();
  }
});

test("a tick that has ended is never out of time", () => {
  vi.useFakeTimers();
  try {
    const { signal, stop } = startDeadline(1);
    stop();
    vi.advanceTimersByTime(10_000);
    expect(signal.aborted).toBe(false);
  } finally {
    vi.useRealTimers();
  }
});
