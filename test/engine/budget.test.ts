import { expect, test, vi } from "vitest";
import { Budget } from "../../src/engine/budget.ts";

test("a tick's time is over when it is over, and says so", () => {
  vi.useFakeTimers();
  try {
    const budget = new Budget(240);
    vi.advanceTimersByTime(239_999);
    expect(budget.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(budget.signal.reason).toEqual(new Error("out of time: the tick's 240 s were over"));
  } finally {
    vi.useRealTimers();
  }
});

test("a tick that is done is never out of time", () => {
  vi.useFakeTimers();
  try {
    const budget = new Budget(1);
    budget.stop();
    vi.advanceTimersByTime(10_000);
    expect(budget.signal.aborted).toBe(false);
  } finally {
    vi.useRealTimers();
  }
});
