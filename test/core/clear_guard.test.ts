import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { guardClears, heldClears } from "../../src/core/clear_guard.ts";
import type { ActiveEvent } from "../../src/core/model.ts";
import { NO_NOTICES } from "../../src/core/news.ts";
import { NOTHING_SETTLING, type Plan, reconcile } from "../../src/core/reconcile.ts";
import { makeOutcome } from "../support/outcomes.ts";

function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `e${from + index}`);
}

/** The plan of an outcome that detects these of so many active events, of which the first few are held. */
function planOf(
  active: number,
  detected: readonly string[],
  held = 0,
  status = "complete",
  ended: readonly string[] = [],
): Plan {
  const events = numbered(0, active).map((key, index): ActiveEvent => {
    const event = { id: key, dedupeKey: key, fireTime: 0, notices: NO_NOTICES };
    return index < held ? { ...event, clearHeldAt: 5 } : event;
  });
  const outcome = makeOutcome({
    status: status === "complete" ? "complete" : "partial",
    keys: new Set(detected),
    clears: new Map(ended.map((key) => [key, "done"])),
  });
  return reconcile({
    outcome,
    active: new Map(events.map((event) => [event.dedupeKey, event])),
    settling: NOTHING_SETTLING,
    alarm: { severity: undefined, clearAfter: undefined },
    settleOf: undefined,
    stages: [],
    now: 10,
  });
}

describe("a complete outcome would clear", () => {
  const rows: readonly [string, Plan, number, { clear: number; keep: number }][] = [
    ["nothing: nothing is held", planOf(50, numbered(0, 50)), 0.8, { clear: 0, keep: 0 }],
    ["45 of 50: all are held", planOf(50, numbered(45, 50)), 0.8, { clear: 0, keep: 45 }],
    [
      "40 of 50, just the share: they clear",
      planOf(50, numbered(40, 50)),
      0.8,
      { clear: 40, keep: 0 },
    ],
    [
      "41 of 50, more than the share: held",
      planOf(50, numbered(41, 50)),
      0.8,
      { clear: 0, keep: 41 },
    ],
    ["9 of 9: too few to be held", planOf(9, []), 0.8, { clear: 9, keep: 0 }],
    ["10 of 10: held", planOf(10, []), 0.8, { clear: 0, keep: 10 }],
    ["10 of 12: held", planOf(12, numbered(10, 12)), 0.8, { clear: 0, keep: 10 }],
    ["all that was held before: it clears", planOf(50, [], 50), 0.8, { clear: 50, keep: 0 }],
    ["all, of which 30 were held before", planOf(50, [], 30), 0.8, { clear: 30, keep: 20 }],
    ["all, with the guard off", planOf(50, []), 1, { clear: 50, keep: 0 }],
    [
      "10 of 100, with every clear guarded",
      planOf(100, numbered(10, 100)),
      0,
      { clear: 0, keep: 10 },
    ],
    [
      "all that the module ends: it clears",
      planOf(50, [], 0, "complete", numbered(0, 50)),
      0.8,
      { clear: 50, keep: 0 },
    ],
    [
      "half that the module ends, half that is gone: only the latter counts",
      planOf(50, [], 0, "complete", numbered(0, 25)),
      0.8,
      { clear: 50, keep: 0 },
    ],
    [
      "a few that the module ends beside many that are gone: these clear",
      planOf(50, [], 0, "complete", numbered(0, 5)),
      0.8,
      { clear: 5, keep: 45 },
    ],
    [
      "a few, of which some were held before",
      planOf(50, numbered(5, 50), 3),
      0.8,
      { clear: 5, keep: 0 },
    ],
  ];
  test.each(rows)("%s", (_, plan, share, expected) => {
    const { clear, keep } = guardClears(plan, share);
    expect({ clear: clear.length, keep: keep.length }).toEqual(expected);
  });

  test("the reason counts them and says what comes next", () => {
    const plan = guardClears(planOf(50, numbered(45, 50)), 0.8);
    const held = heldClears(plan);
    expect(new Set(held.map(({ reason }) => reason))).toEqual(
      new Set([
        "held: 45 of 50 events would clear at once; they will clear if the next complete outcome does not detect them either",
      ]),
    );
    expect(held.map(({ event }) => event.id)).toEqual(numbered(0, 45).sort());
    expect(plan.touch).toHaveLength(5);
  });

  test("nothing is held", () => {
    const plan = guardClears(planOf(50, numbered(0, 25)), 0.8);
    expect(heldClears(plan)).toEqual([]);
  });

  test("an outcome that is partial holds nothing and marks nothing", () => {
    const plan = guardClears(planOf(50, [], 20, "partial"), 0.8);
    expect(plan.keep).toHaveLength(50);
    expect(heldClears(plan)).toEqual([]);
  });
});

test("every event is in one list, and what was held before is never held again", () => {
  const counts = fc.integer({ min: 0, max: 60 });
  fc.assert(
    fc.property(
      counts,
      counts,
      counts,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (active, seen, held, share) => {
        const plan = planOf(active, numbered(Math.min(seen, active), active), held);
        const guarded = guardClears(plan, share);
        const fates = [...guarded.touch, ...guarded.clear, ...guarded.keep].map(
          ({ event }) => event.id,
        );
        expect(fates.toSorted()).toEqual(numbered(0, active).toSorted());
        for (const { event } of guarded.keep) expect(event.clearHeldAt).toBeUndefined();
        if (guarded.clear.length > 10) {
          const sudden = guarded.clear.filter(({ event }) => event.clearHeldAt === undefined);
          expect(sudden.length).toBeLessThanOrEqual(share * active + 1e-9);
        }
      },
    ),
  );
});
