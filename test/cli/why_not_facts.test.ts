import { expect, test } from "vitest";
import { whyNotFacts } from "../../src/cli/why_not_facts.ts";
import { type Level, NO_LEVEL } from "../../src/core/level.ts";
import type { ActiveEvent } from "../../src/core/model.ts";
import { NO_NOTICES } from "../../src/core/news.ts";
import { NO_CHANGES, type Plan } from "../../src/core/reconcile.ts";

const EVENT: ActiveEvent = { id: "1", dedupeKey: "a", fireTime: 0, notices: NO_NOTICES };
const ERROR: Level = { severity: "error", stage: undefined };
const WARNING: Level = { severity: "warning", stage: undefined };

/** The first of two items; the other one is of another entity. */
function both<T extends object>(item: T, other: Partial<T>): readonly T[] {
  return [{ ...item, ...other }, item];
}

const OPEN: Plan["open"][number] = {
  dedupeKey: "a",
  reason: "settled",
  level: ERROR,
  firstSeen: 1,
};
const WAIT: Plan["wait"][number] = {
  dedupeKey: "a",
  reason: "not settled: detected in 1 of 2 outcomes",
};
const TOUCH: Plan["touch"][number] = {
  event: { ...EVENT, level: ERROR },
  reason: "severity rose: warning → error",
};
const CLEAR: Plan["clear"][number] = { event: EVENT, reason: "late by 120 s", isUnseen: false };
const KEEP: Plan["keep"][number] = { event: EVENT, reason: "outcome is partial" };
const OTHER = { event: { ...EVENT, dedupeKey: "b" } };

test.for<readonly [string, Partial<Plan>, found: "detected" | "ended" | "absent", string, Level?]>([
  ["it would fire", { open: both(OPEN, { dedupeKey: "b" }) }, "detected", "open: settled", ERROR],
  [
    "it has not settled",
    { wait: both(WAIT, { dedupeKey: "b" }) },
    "detected",
    "wait: not settled: detected in 1 of 2 outcomes",
    WARNING,
  ],
  [
    "it goes on firing",
    { touch: both(TOUCH, OTHER) },
    "detected",
    "touch: severity rose: warning → error",
    ERROR,
  ],
  ["the module ends it", { clear: both(CLEAR, OTHER) }, "ended", "clear: late by 120 s"],
  ["it is kept", { keep: both(KEEP, OTHER) }, "absent", "keep: outcome is partial"],
  ["it is nowhere", {}, "absent", "none: it is not detected, and it is not firing"],
  [
    "the module ends what is not firing",
    {},
    "ended",
    "none: the module ends it: late by 120 s, and it is not firing",
  ],
])("%s", ([, plan, found, expected, level = NO_LEVEL]) => {
  const isDetected = found === "detected";
  const facts = whyNotFacts({
    key: "a",
    outcome: {
      keys: new Set(isDetected ? ["a", "b"] : ["b"]),
      clears: new Map(found === "ended" ? [["a", "late by 120 s"]] : []),
      levels: new Map(isDetected ? [["a", WARNING]] : []),
      detections: new Map(),
    },
    plan: { ...NO_CHANGES, ...plan },
  });
  expect(`${facts.action}: ${facts.reason}`).toBe(expected);
  expect(facts).toMatchObject({ detected: isDetected, level });
});
