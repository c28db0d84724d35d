import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  describeSettle,
  MAX_OUTCOMES,
  type Pending,
  type PendingEntry,
  parseSettle,
  type SettleRule,
  settle,
  settleProgress,
} from "../../src/core/settle.ts";

const NOW = 1_800_000_000;
const THREE: SettleRule = { hits: 3, of: 3 };
const TWO_OF_THREE: SettleRule = { hits: 2, of: 3 };
const MINUTES: SettleRule = { seconds: 900 };

/** One outcome about the key "k". */
function one(rule: SettleRule, is: "there" | "gone" | "unknown", before?: PendingEntry) {
  const { settled, pending } = settle({
    before: new Map(before && [["k", before]]),
    there: is === "there" ? ["k"] : [],
    isGone: () => is === "gone",
    ruleOf: () => rule,
    now: NOW,
  });
  return { counts: settled.has("k"), entry: pending.get("k") };
}

describe("one outcome about one key", () => {
  const entry = (hits: string, secondsAgo = 300): PendingEntry => {
    return { firstSeen: NOW - secondsAgo, hits };
  };
  const rows: readonly [
    string,
    Parameters<typeof one>,
    { counts: boolean; entry: PendingEntry | undefined },
  ][] = [
    ["the first time", [THREE, "there"], { counts: false, entry: entry("1", 0) }],
    ["the second time", [THREE, "there", entry("1")], { counts: false, entry: entry("11") }],
    [
      "the third time in a row",
      [THREE, "there", entry("11")],
      { counts: true, entry: entry("111") },
    ],
    ["it goes on counting", [THREE, "there", entry("111")], { counts: true, entry: entry("111") }],
    ["gone after two", [THREE, "gone", entry("11")], { counts: false, entry: undefined }],
    ["unknown after two", [THREE, "unknown", entry("11")], { counts: false, entry: entry("11") }],
    ["at once", [{ hits: 1, of: 1 }, "there"], { counts: true, entry: entry("1", 0) }],
    [
      "two of three: gone once",
      [TWO_OF_THREE, "gone", entry("1")],
      { counts: false, entry: entry("10") },
    ],
    [
      "two of three: there again",
      [TWO_OF_THREE, "there", entry("10")],
      { counts: true, entry: entry("101") },
    ],
    [
      "two of three: gone twice",
      [TWO_OF_THREE, "gone", entry("10")],
      { counts: false, entry: entry("100") },
    ],
    [
      "two of three: gone three times",
      [TWO_OF_THREE, "gone", entry("100")],
      { counts: false, entry: undefined },
    ],
    [
      "two of three: too late",
      [TWO_OF_THREE, "there", entry("100")],
      { counts: false, entry: entry("001") },
    ],
    [
      "a time: not over",
      [MINUTES, "there", entry("1", 840)],
      { counts: false, entry: entry("1", 840) },
    ],
    ["a time: over", [MINUTES, "there", entry("1", 900)], { counts: true, entry: entry("1", 900) }],
    [
      "a time: over within the minute",
      [MINUTES, "there", { firstSeen: NOW - 841, hits: "1" }],
      { counts: true, entry: { firstSeen: NOW - 841, hits: "1" } },
    ],
    [
      "a time: gone begins anew",
      [MINUTES, "gone", entry("1", 840)],
      { counts: false, entry: undefined },
    ],
    [
      "a time: unknown keeps the time",
      [MINUTES, "unknown", entry("1", 840)],
      { counts: false, entry: entry("1", 840) },
    ],
    [
      "a time, and away under the rule before: begins anew",
      [MINUTES, "there", entry("100", 900)],
      { counts: false, entry: entry("1", 0) },
    ],
    ["no time at all: at once", [{ seconds: 0 }, "there"], { counts: true, entry: entry("1", 0) }],
    [
      "the time is known otherwise",
      [{ ...MINUTES, since: NOW - 900 }, "there"],
      { counts: true, entry: entry("1", 0) },
    ],
    [
      "a clock that was set back: counted from now",
      [MINUTES, "there", entry("1", -9999)],
      { counts: false, entry: entry("1", 0) },
    ],
    [
      "another rule than before: what is known counts",
      [TWO_OF_THREE, "there", entry("1")],
      { counts: true, entry: entry("11") },
    ],
    ["never seen", [THREE, "gone"], { counts: false, entry: undefined }],
  ];
  test.each(rows)("%s", (_, facts, expected) => {
    expect(one(...facts)).toEqual(expected);
  });
});

test("over any course a key counts exactly when its rule is fulfilled", () => {
  const KEYS = ["a", "b", "c"];
  const state = fc.constantFrom("there", "there", "there", "gone", "unknown");
  const step = fc.record({
    is: fc.tuple(state, state, state),
    passed: fc.oneof(fc.constant(300), fc.integer({ min: 0, max: 2000 })),
  });
  const rule: fc.Arbitrary<SettleRule> = fc.oneof(
    fc
      .record({ hits: fc.integer({ min: 1, max: 4 }), more: fc.integer({ min: 0, max: 3 }) })
      .map(({ hits, more }) => ({ hits, of: hits + more })),
    fc.record({ seconds: fc.integer({ min: 0, max: 2000 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), rule, (steps, given) => {
      let before: Pending = new Map();
      let now = NOW;
      // What was seen of each, without the outcomes that did not look.
      const looks = new Map<string, { at: number; is: string }[]>(KEYS.map((key) => [key, []]));
      for (const { is, passed } of steps) {
        now += passed;
        const states = new Map(KEYS.map((key, index) => [key, is[index]]));
        const after = settle({
          before,
          there: KEYS.filter((key) => states.get(key) === "there"),
          isGone: (key) => states.get(key) === "gone",
          ruleOf: () => given,
          now,
        });
        for (const key of KEYS) {
          const mine = looks.get(key) ?? [];
          const found = states.get(key) ?? "";
          if (found !== "unknown") mine.push({ at: now, is: found });
          else expect(after.pending.get(key)).toEqual(before.get(key));
          const run = mine.slice(mine.findLastIndex((look) => look.is === "gone") + 1);
          const isDue =
            "hits" in given
              ? mine.slice(-given.of).filter((look) => look.is === "there").length >= given.hits
              : Math.floor(now / 60) * 60 - Math.floor((run[0]?.at ?? now) / 60) * 60 >=
                given.seconds;
          expect(after.settled.has(key)).toBe(found === "there" && isDue);
          expect(after.pending.get(key)?.hits.length ?? 0).toBeLessThanOrEqual(MAX_OUTCOMES);
        }
        before = after.pending;
      }
    }),
  );
});

describe("a rule as it is written", () => {
  test.each([
    ["3", { hits: 3, of: 3 }, "after 3 outcomes in a row"],
    ["2/3", { hits: 2, of: 3 }, "after 2 of the last 3 outcomes"],
    ["100", { hits: 100, of: 100 }, "after 100 outcomes in a row"],
    ["90s", { seconds: 90 }, "after 90 s"],
    ["15m", { seconds: 900 }, "after 15 min"],
    ["2h", { seconds: 7200 }, "after 2 h"],
    ["3d", { seconds: 259_200 }, "after 3 days"],
    ["off", undefined, "off"],
  ] as const)("%s", (text, rule, words) => {
    expect(parseSettle(text)).toEqual(rule);
    expect(describeSettle(rule)).toBe(words);
  });

  test.each([
    "4/3",
    "0",
    "0/3",
    "101",
    "2/101",
    "-1",
    "1.5",
    "31d",
    "0m",
    "15 m",
    "15min",
    "2/",
    "/3",
    "",
    "on",
    "3x",
  ])("%s is none", (text) => {
    expect(parseSettle(text)).toEqual({
      error:
        "write a number of outcomes in a row such as 3, some of the last ones such as 2/3 (at most 100), a time such as 15m (at most 30d), or off",
    });
  });
});

test.each([
  [
    "outcomes in a row",
    { hits: 3, of: 3 },
    { firstSeen: NOW - 600, hits: "11" },
    { seen: 2, needed: 3, unit: "outcomes" },
  ],
  [
    "some of the last ones",
    TWO_OF_THREE,
    { firstSeen: NOW - 600, hits: "1001" },
    { seen: 1, needed: 2, unit: "outcomes" },
  ],
  [
    "a time",
    MINUTES,
    { firstSeen: NOW - 600, hits: "1" },
    { seen: 600, needed: 900, unit: "seconds" },
  ],
] as const)("how far it has come: %s", (_, rule, entry, progress) => {
  expect(settleProgress(entry, rule, NOW)).toEqual(progress);
});
