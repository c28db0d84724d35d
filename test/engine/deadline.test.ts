import { expect, test, vi } from "vitest";
import { startDeadline } from "../../src/engine/deadline.ts";

test("a tick is out of time after its limit, and the reason says so", () => {
  vi.useFakeTimers();
  try {
    const { signal } = startDeadline(240);
    vi.advanceTimersByTime(239_999);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(String(signal.reason)).toContain("out of time: the tick's limit of 240 s has passed");
  } finally {
    vi.useRealTimers();
  }
});

test("it can end early, and what waits some seconds later is given up; the first reason stays", () => {
  vi.useFakeTimers();
  try {
    const { signal, closed, notified, end } = startDeadline(240);
    const reason = new Error("stopped");
    end(reason);
    end(new Error("again"));
    expect(signal.reason).toBe(reason);
    vi.advanceTimersByTime(4_999);
    expect(notified.aborted).toBe(true);
    expect(closed.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(String(closed.reason)).toContain("no response from the database within 5 s");
    vi.advanceTimersByTime(300_000);
    expect(signal.reason).toBe(reason);
  } finally {
    vi.useRealTimers();
  }
});

test("out of time, a long tick has an eighth of its limit to record its end", () => {
  vi.useFakeTimers();
  try {
    const { closed, notified } = startDeadline(240);
    vi.advanceTimersByTime(254_999);
    expect(notified.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(notified.aborted).toBe(true);
    vi.advanceTimersByTime(14_999);
    expect(closed.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(String(closed.reason)).toContain("no response from the database within 30 s");
  } finally {
    vi.useRealTimers();
  }
});
