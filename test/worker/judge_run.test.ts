import { expect, test } from "vitest";
import type { Outcome } from "../../src/core/model.ts";
import { judgeRun, type RunEnd, type RunVerdict } from "../../src/worker/judge_run.ts";
import { makeOutcome } from "../support/outcomes.ts";

const FINE: RunVerdict = { clean: true, matters: false };
const MATTERS: RunVerdict = { clean: true, matters: true };
const FAILS: RunVerdict = { clean: false, matters: true };

const A_FIRES = { firing: ["a:1"] };
const SCOPED = {
  scopes: new Map([["a:", { reason: "no answer", isReported: true }]]),
};
const PARTIAL = { status: "partial", reasons: ["x"] } as const;
const FAILED = { status: "failed", cause: "module", reasons: ["x"] } as const;
const OF_SOURCE = { isOfSource: true };

test.each<[string, Partial<Outcome>, Partial<RunEnd>, RunVerdict]>([
  ["a complete outcome that clears nothing", {}, {}, FINE],
  ["an event that is detected again", { keys: new Set(["a:1"]) }, A_FIRES, FINE],
  ["an event that is not detected clears", { keys: new Set(["a:2"]) }, A_FIRES, MATTERS],
  ["an event that the module clears", { clears: new Map([["a:1", "over"]]) }, A_FIRES, MATTERS],
  ["a clear without an event", { clears: new Map([["a:1", "over"]]) }, {}, FINE],
  [
    "a clear by the module counts in a partial outcome too",
    { ...PARTIAL, clears: new Map([["a:1", "over"]]) },
    { ...A_FIRES, ...OF_SOURCE },
    MATTERS,
  ],
  [
    "a partial outcome clears nothing that it did not see",
    PARTIAL,
    { ...A_FIRES, ...OF_SOURCE },
    FINE,
  ],
  ["what is below a scope does not clear", SCOPED, { ...A_FIRES, ...OF_SOURCE }, FINE],
  ["what is beside a scope clears", SCOPED, { firing: ["b:1"], ...OF_SOURCE }, MATTERS],
  ["a scope that no request caused", SCOPED, {}, MATTERS],
  [
    "a scope that another report than a request may have caused",
    SCOPED,
    { ...OF_SOURCE, hasOwnReasons: true },
    MATTERS,
  ],
  ["a partial outcome that no request caused", PARTIAL, {}, MATTERS],
  ["a partial outcome of failed requests alone", PARTIAL, OF_SOURCE, FINE],
  [
    "a partial outcome of failed requests and more",
    PARTIAL,
    { ...OF_SOURCE, hasOwnReasons: true },
    MATTERS,
  ],
  ["a failure that no request caused ends the process", FAILED, {}, FAILS],
  [
    "a failure after a failed request, whatever else was reported",
    FAILED,
    { ...OF_SOURCE, hasOwnReasons: true },
    FINE,
  ],
  [
    "a process that is not as it was takes no other job",
    {},
    { isAsBefore: false },
    { clean: false, matters: false },
  ],
])("%s", (_, outcome, end, expected) => {
  const given = { firing: [], isOfSource: false, hasOwnReasons: false, isAsBefore: true, ...end };
  expect(judgeRun({ ...given, outcome: makeOutcome(outcome) })).toEqual(expected);
});
