import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Pending, type PendingEntry, type SettleRule, settle } from "../../src/core/settle.ts";

const NOW = 1_800_000_000;
const TICKS: SettleRule = { ticks: 3 };
const SECONDS: SettleRule = { seconds: 900 };

/** One tick that may observe the key "k". */
function one(facts: {
  readonly rule?: SettleRule;
  readonly is: "observed" | "absent" | "unknown";
  readonly before?: PendingEntry;
  readonly active?: boolean;
}) {
  const { rule = TICKS, is, before, active = false } = facts;
  const { detections, pending } = settle({
    observed: new Map(is === "observed" ? [["k", { settle: rule }]] : []),
    isUnknown: () => is === "unknown",
    pending: new Map(before && [["k", before]]),
    active: new Set(active ? ["k"] : []),
    now: NOW,
  });
  return { detected: detections.has("k"), pending: pending.get("k") };
}

describe("what is observed becomes a detection", () => {
  const entry = (secondsAgo: number, hits: number): PendingEntry => {
    return { firstSeen: NOW - secondsAgo, hits };
  };
  const rows: readonly [string, Parameters<typeof one>[0], ReturnType<typeof one>][] = [
    ["the first of three ticks", { is: "observed" }, { detected: false, pending: entry(0, 1) }],
    [
      "the third in a row",
      { is: "observed", before: entry(600, 2) },
      { detected: true, pending: entry(600, 3) },
    ],
    [
      "one tick is enough, where the rule says so",
      { is: "observed", rule: { ticks: 1 } },
      { detected: true, pending: entry(0, 1) },
    ],
    [
      "an absence begins anew",
      { is: "absent", before: entry(600, 2) },
      { detected: false, pending: undefined },
    ],
    [
      "a tick that did not look changes nothing",
      { is: "unknown", before: entry(600, 2) },
      { detected: false, pending: entry(600, 2) },
    ],
    [
      "nor does it make anything pending",
      { is: "unknown" },
      { detected: false, pending: undefined },
    ],
    [
      "a second too early",
      { is: "observed", rule: SECONDS, before: entry(899, 9) },
      { detected: false, pending: entry(899, 10) },
    ],
    [
      "long enough",
      { is: "observed", rule: SECONDS, before: entry(900, 1) },
      { detected: true, pending: entry(900, 2) },
    ],
    [
      "long enough, as is known otherwise",
      { is: "observed", rule: { ...SECONDS, since: NOW - 900 } },
      { detected: true, pending: entry(0, 1) },
    ],
    [
      "without a time to wait, at once",
      { is: "observed", rule: { seconds: 0 } },
      { detected: true, pending: entry(0, 1) },
    ],
    [
      "a clock that was set back: the time counts from now",
      { is: "observed", rule: SECONDS, before: entry(-9999, 1) },
      { detected: false, pending: entry(0, 2) },
    ],
    [
      "what is active stays a detection and is not pending",
      { is: "observed", rule: SECONDS, active: true },
      { detected: true, pending: undefined },
    ],
    [
      "what is active and absent is none",
      { is: "absent", active: true },
      { detected: false, pending: undefined },
    ],
    [
      "an active one that this tick did not look at is none either; its outcome keeps it",
      { is: "unknown", active: true },
      { detected: false, pending: undefined },
    ],
  ];
  test.each(rows)("%s", (_, facts, expected) => {
    expect(one(facts)).toEqual(expected);
  });
});

test("over any course of ticks a key is detected exactly when its rule is fulfilled or it is active", () => {
  const KEYS = ["a", "b", "c"];
  const seen = fc.constantFrom("observed", "observed", "observed", "absent", "unknown");
  const step = fc.record({
    is: fc.tuple(seen, seen, seen),
    passed: fc.oneof(fc.constant(300), fc.integer({ min: 0, max: 2000 })),
    recorded: fc.constantFrom(true, true, true, false),
  });
  const rule = fc.oneof(
    fc.record({ ticks: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ seconds: fc.integer({ min: 0, max: 2000 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), rule, (steps, settleRule) => {
      let pending: Pending = new Map();
      let active: ReadonlySet<string> = new Set();
      let now = NOW;
      // Times of the observations since the last absence.
      const runs = new Map<string, number[]>(KEYS.map((key) => [key, []]));
      for (const { is, passed, recorded } of steps) {
        now += passed;
        const state = new Map(KEYS.map((key, index) => [key, is[index]]));
        const isUnknown = (key: string): boolean => state.get(key) === "unknown";
        const seenNow = KEYS.filter((key) => state.get(key) === "observed");
        const observed = new Map(seenNow.map((key) => [key, { settle: settleRule }]));
        const after = settle({ observed, isUnknown, pending, active, now });
        for (const key of KEYS) {
          const run = runs.get(key) ?? [];
          if (state.get(key) === "absent") run.length = 0;
          if (state.get(key) === "observed") run.push(now);
          const isDue =
            "ticks" in settleRule
              ? run.length >= settleRule.ticks
              : now - (run[0] ?? now) >= settleRule.seconds;
          expect(after.detections.has(key)).toBe(
            state.get(key) === "observed" && (active.has(key) || isDue),
          );
          if (isUnknown(key)) expect(after.pending.get(key)).toEqual(pending.get(key));
        }
        pending = after.pending;
        const kept = [...active].filter(isUnknown);
        if (recorded) active = new Set([...after.detections.keys(), ...kept]);
        else active = new Set([...active].filter((key) => state.get(key) !== "absent"));
      }
    }),
  );
});
