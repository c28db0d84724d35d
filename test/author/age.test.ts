import { describe, expect, test } from "vitest";
import { age } from "../../src/author/age.ts";

/** 2026-11-27 18:00:00 UTC. */
const NOW = 1_795_802_400;

describe("the age of a time", () => {
  test.each([
    ["a text without a zone is UTC", "2026-11-27T17:00:00", NOW, 3600],
    ["a text in another zone", "2026-11-27 19:00:00+01:00", NOW, 0],
    ["epoch seconds", NOW - 90.5, NOW, 90.5],
    ["epoch milliseconds", (NOW - 90) * 1000, NOW, 90],
    ["a clock in milliseconds", NOW - 90, NOW * 1000, 90],
    ["a clock as a text", NOW - 90, "2026-11-27T18:00:00Z", 90],
    ["a time in the future is negative", NOW + 30, NOW, -30],
    ["a text that is not a time", "yesterday", NOW, undefined],
    ["a day that does not exist", "2026-02-30T00:00:00", NOW, undefined],
    ["0, which means never", 0, NOW, undefined],
    ["a negative number", -1, NOW, undefined],
    ["NaN", Number.NaN, NOW, undefined],
    ["null", null, NOW, undefined],
    ["a missing field", undefined, NOW, undefined],
    ["a service without a clock", NOW, undefined, undefined],
  ])("%s", (_, time, clock, expected) => {
    expect(age(time, clock)).toBe(expected);
  });
});
