import { describe, expect, test } from "vitest";
import { LISTED } from "../../src/core/bundle.ts";
import { decideDetails } from "../../src/core/kept_details.ts";
import type { ActiveEvents } from "../../src/core/model.ts";
import { notified } from "../support/configured.ts";

const NOW = 1_000_000;
/** Hours. */
const RENOTIFIED = 24;

/** Active events `key 0` … whose last mail was so many seconds ago. */
function active(count: number, mailedAgo: (at: number) => number | undefined): ActiveEvents {
  return new Map(
    Array.from({ length: count }, (_, at) => {
      const ago = mailedAgo(at);
      const notices = notified(ago === undefined ? undefined : NOW - ago);
      return [`key ${at}`, { id: `${at}`, dedupeKey: `key ${at}`, fireTime: 0, notices }];
    }),
  );
}

/** Numbers of the keys whose details are kept, when all are detected in their order. */
function kept(events: ActiveEvents, channels = ["email"]): readonly number[] {
  const needsDetails = decideDetails(events, channels, RENOTIFIED, NOW);
  return [...events.keys()].flatMap((key, at) => (needsDetails(key) ? [at] : []));
}

describe("of the detections", () => {
  test("all details of new ones are kept, however many", () => {
    const needsDetails = decideDetails(new Map(), ["email"], RENOTIFIED, NOW);
    const keys = Array.from({ length: 10_000 }, (_, at) => `key ${at}`);
    expect(keys.every(needsDetails)).toBe(true);
  });

  test("nothing of what is firing already and was mailed", () => {
    expect(kept(active(10_000, () => 10))).toEqual([]);
  });

  test("those that the mail will list, however late they come", () => {
    const due = [5_000, 7_000, 9_999];
    const events = active(10_000, (at) => (due.includes(at) ? 25 * 3600 : 10));
    expect(kept(events)).toEqual(due);
  });

  test("and of ten thousand that are due no more than a mail lists", () => {
    expect(kept(active(10_000, () => undefined))).toHaveLength(LISTED);
  });

  test("those that any one of the alarm's channels will list", () => {
    const events = active(3, () => 10);
    expect(kept(events, ["email", "chat"])).toEqual([0, 1, 2]);
    expect(kept(events, [])).toEqual([]);
  });
});
