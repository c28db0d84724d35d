import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { attemptsSince, type BundleItem, NO_NOTICE, type Notice } from "../../src/core/notice.ts";
import {
  isPaused,
  pauseRepeats,
  repeatPause,
  type UnknownAttempts,
} from "../../src/core/repeats.ts";

const NOW = 1_800_000_000;
const MINUTE = 60;
const HOUR = 3600;

describe("the pause after attempts with an unknown result", () => {
  test.each([
    [0, 0],
    [1, 0],
    [2, 5 * MINUTE],
    [3, 10 * MINUTE],
    [4, 20 * MINUTE],
    [5, 40 * MINUTE],
    [8, 320 * MINUTE],
    [9, 6 * HOUR],
    [100, 6 * HOUR],
    [1e9, 6 * HOUR],
  ])("after %d of them it is %d s", (count, seconds) => {
    expect(repeatPause(count)).toBe(seconds);
  });

  const attempts = fc.record({ count: fc.nat(5_000), last: fc.integer({ min: 0, max: 4e9 }) });

  test("never shrinks, and is at most six hours", () => {
    fc.assert(
      fc.property(fc.nat(5_000), (count) => {
        expect(repeatPause(count + 1)).toBeGreaterThanOrEqual(repeatPause(count));
        expect(repeatPause(count)).toBeLessThanOrEqual(6 * HOUR);
      }),
    );
  });

  test("loses nothing: whatever the clocks did, a repeat is due six hours after a moment in the pause", () => {
    fc.assert(
      fc.property(attempts, fc.integer({ min: 0, max: 4e9 }), (given, now) => {
        if (!isPaused(given, now)) return;
        expect(given.count).toBeGreaterThan(1);
        const pause = repeatPause(given.count);
        expect(isPaused(given, now + 2 * pause)).toBe(false);
        if (now >= given.last) expect(isPaused(given, given.last + pause)).toBe(false);
      }),
      { examples: [[{ count: 9, last: NOW + HOUR }, NOW]] },
    );
  });

  test("a service that loses every answer gets few mails in a month of ticks", () => {
    let sent: UnknownAttempts | undefined;
    for (let now = NOW; now < NOW + 30 * 24 * HOUR; now += 5 * MINUTE)
      if (!isPaused(sent, now)) sent = { count: (sent?.count ?? 0) + 1, last: now + 3 };
    expect(sent?.count).toBeLessThan(130);
    expect(sent?.count).toBeGreaterThan(100);
  });

  test("what began while the clock was ahead has attempts that seem older", () => {
    expect(attemptsSince(NOW + HOUR, NOW)).toBeLessThan(NOW);
    expect(attemptsSince(NOW - 48 * HOUR, NOW)).toBe(NOW - 48 * HOUR);
  });
});

describe("the notice without what waits", () => {
  const item = (eventId: string): BundleItem => {
    return { eventId, dedupeKey: eventId, fireTime: 0, since: 0, reason: "unsent" };
  };
  const clear = (eventId: string): BundleItem => ({ ...item(eventId), clearTime: 5 });
  const notice = (more: Partial<Notice>): Notice => {
    return { ...NO_NOTICE, send: true, reason: "due", ...more };
  };
  const WAITS = { count: 2, last: NOW - 1 };
  const DUE = { count: 2, last: NOW - 5 * MINUTE };

  test.each([
    ["nothing waits", notice({ continuing: [item("a")] }), {}, "due: a"],
    ["one is due again", notice({ continuing: [item("a")] }), { a: DUE }, "due: a"],
    [
      "one waits, another does not",
      notice({ continuing: [item("a"), item("b")] }),
      { a: WAITS },
      "due: b; 1",
    ],
    [
      "all wait",
      notice({ continuing: [item("a")], cleared: [clear("b")] }),
      { a: WAITS, b: WAITS },
      "nothing to mail: ; 2",
    ],
    [
      "news do not wait",
      notice({ fresh: [item("n")], cleared: [clear("a")] }),
      { a: WAITS, n: WAITS },
      "due: n; 1",
    ],
    [
      "mail off stays the reason",
      notice({ continuing: [item("a"), item("b")], send: false, reason: "mail is off" }),
      { a: WAITS },
      "mail is off: b; 1",
    ],
  ] as const)("%s", (_, given, attempts, expected) => {
    const result = pauseRepeats(given, new Map(Object.entries(attempts)), NOW);
    const { fresh, continuing, cleared, reason, send, omitted } = result;
    const ids = [...fresh, ...continuing, ...cleared].map(({ eventId }) => eventId).join();
    const waiting = omitted["may have been mailed"];
    expect(`${reason}: ${ids}${waiting > 0 ? `; ${waiting}` : ""}`).toBe(expected);
    expect(send).toBe(reason === "due");
  });
});
