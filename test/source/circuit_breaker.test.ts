import { describe, expect, test } from "vitest";
import {
  type Blame,
  type ConsecutiveErrors,
  countErrors,
  NO_ERRORS,
  OPEN_AFTER,
  openCircuit,
} from "../../src/source/circuit_breaker.ts";

/** The streak after questions that ended so; `ok` is an answer. */
function streakOf(ends: readonly (Blame | "ok")[]): ConsecutiveErrors {
  return ends.reduce(
    (streak, end, index) => countErrors(streak, end === "ok" ? undefined : end, `reason ${index}`),
    NO_ERRORS,
  );
}

function times(count: number, end: Blame | "ok"): (Blame | "ok")[] {
  return Array.from({ length: count }, () => end);
}

describe("whether a question is asked", () => {
  const asked: readonly (readonly [string, readonly (Blame | "ok")[]])[] = [
    ["the first one is", []],
    ["after seven failures it is", times(OPEN_AFTER - 1, "service")],
    ["an answer ends the streak", [...times(7, "service"), "ok", ...times(7, "service")]],
    ["a refusal shows that the service is there", [...times(7, "service"), "answer", "service"]],
    ["refusals are no outage, however many", times(100, "answer")],
    ["what the end of the tick cut off proves nothing", times(100, "tick")],
    ["an answer to what was still under way closes it again", [...times(9, "service"), "ok"]],
  ];
  test.each(asked)("%s", (_sentence, ends) => {
    expect(openCircuit("main", streakOf(ends))).toBeUndefined();
  });

  const refused: readonly (readonly [string, readonly (Blame | "ok")[], string])[] = [
    [
      "after eight failures in a row it is not",
      times(OPEN_AFTER, "service"),
      "not asked: main has failed 8 times in a row in this tick, last: reason 7",
    ],
    [
      "those that were under way count as well",
      times(OPEN_AFTER + 3, "service"),
      "not asked: main has failed 11 times in a row in this tick, last: reason 10",
    ],
    [
      "what the end of the tick cut off does not end the streak",
      [...times(4, "service"), "tick", ...times(4, "service")],
      "not asked: main has failed 8 times in a row in this tick, last: reason 8",
    ],
  ];
  test.each(refused)("%s", (_sentence, ends, reason) => {
    expect(openCircuit("main", streakOf(ends))).toBe(reason);
  });
});
