import { describe, expect, test } from "vitest";
import { failed } from "../../../src/source/http/request_result.ts";
import { ATTEMPTS, decideRetry, MAX_WAIT } from "../../../src/source/http/retry.ts";

describe("decideRetry", () => {
  const fail = (retry: boolean, wait?: number) => ({
    ...failed("status", "service", "status 503", retry),
    wait,
  });
  type Failure = ReturnType<typeof fail>;

  test.each([
    ["the first failure: half a second", 1, fail(true), 0.5, 0.5],
    ["the second: one second", 2, fail(true), 0.5, 1],
    ["the third: two seconds", 3, fail(true), 0.5, 2],
    ["of ten attempts, the last: three seconds", 9, fail(true), 0.5, 3, 10],
    ["chance makes it a quarter shorter", 2, fail(true), 0, 0.75],
    ["or a quarter longer", 2, fail(true), 1, 1.25],
    ["the service's wait applies where it is longer", 1, fail(true, 7), 0.5, 7],
    ["and not where it is shorter", 3, fail(true, 1), 0.5, 2],
    ["a wait of 0 still backs off", 1, fail(true, 0), 0.5, 0.5],
    ["the longest wait", 1, fail(true, MAX_WAIT), 0.5, MAX_WAIT],
  ] satisfies readonly (readonly [string, number, Failure, number, number, number?])[])(
    "again: %s",
    (_sentence, attempt, failure, random, seconds, attempts?: number) => {
      expect(decideRetry(attempt, failure, random, 0, attempts)).toBe(seconds);
    },
  );

  test.each([
    ["an error that will not pass", 1, fail(false), "status 503"],
    ["even if the service asks to wait", 1, fail(false, 1), "status 503"],
    ["after the last attempt", ATTEMPTS.GET, fail(true), "status 503, 4 attempts"],
    ["a wait that is too long", 1, fail(true, 31), "status 503; retry-after 31 s is too long"],
    ["a wait of an hour", 2, fail(true, 3600), "status 503; retry-after 3600 s is too long"],
    [
      "a wait without end",
      1,
      fail(true, Infinity),
      "status 503; retry-after Infinity s is too long",
    ],
  ] satisfies readonly (readonly [string, number, Failure, string])[])(
    "not again: %s",
    (_sentence, attempt, failure, reason) => {
      expect(decideRetry(attempt, failure, 0.5, 0)).toBe(reason);
    },
  );
});

test.each([
  ["together they are just short enough", 15, 15, true],
  ["together they are too long", 16, 15, false],
])("waits add up: %s", (_sentence, waited, wait, again) => {
  const busy = { ...failed("status", "service", "429", true), wait };
  expect(typeof decideRetry(2, busy, 0.5, waited) === "number").toBe(again);
});
