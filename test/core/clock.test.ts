import { describe, expect, test } from "vitest";
import { checkClock, isAhead } from "../../src/core/clock.ts";

const NOW = 1_800_000_000;
const DAY = 86_400;
const YEAR = 365 * DAY;

test.each([
  ["now", 0, false],
  ["five minutes ahead, as another host's clock may be", 300, false],
  ["more than that", 300.5, true],
  ["five years ahead", 5 * YEAR, true],
  ["the past", -5 * YEAR, false],
])("is it ahead: %s", (_, offset, expected) => {
  expect(isAhead(NOW + offset, NOW)).toBe(expected);
});

describe("whether the clock is certain", () => {
  const rows: readonly [string, number, readonly (number | undefined)[], boolean][] = [
    ["five minutes after the last tick", NOW - 300, [], true],
    ["set back by an hour", NOW + 3600, [], true],
    ["two days after it", NOW - 2 * DAY, [], true],
    ["more than two days after it", NOW - 2 * DAY - 1, [], false],
    ["two days before it", NOW + 2 * DAY, [], true],
    ["more than two days before it", NOW + 2 * DAY + 1, [], false],
    ["five years after it", NOW - 5 * YEAR, [], false],
    ["five years before it", NOW + 5 * YEAR, [], false],
    ["nothing is certain any more", 0, [], false],
    ["five years after it, and another clock agrees", NOW - 5 * YEAR, [NOW - 10], true],
    ["another clock agrees within a day", NOW - 5 * YEAR, [NOW - DAY], true],
    ["another clock differs by more", NOW - 5 * YEAR, [NOW - DAY - 1], false],
    ["all other clocks agree", NOW - 5 * YEAR, [NOW, NOW + 60, undefined], true],
    ["one of them does not", NOW - 5 * YEAR, [NOW, NOW - 5 * YEAR], false],
    ["a clock that was not seen agrees with nothing", NOW - 5 * YEAR, [undefined], false],
    ["nothing was certain, and another clock agrees", 0, [NOW], true],
    ["other clocks are wrong, but this one made no step", NOW - 300, [NOW - YEAR], true],
  ];
  test.each(rows)("%s", (_, certainAt, times, expected) => {
    const others = new Map(times.map((time, n) => [`clock ${n}`, time]));
    const { doubt, ...check } = checkClock(certainAt, others, NOW);
    expect(doubt === undefined).toBe(expected);
    expect(check.certainAt).toBe(expected ? NOW : certainAt);
  });
});

test.each([
  [
    "the clock is ahead, and services differ",
    NOW - 5 * YEAR,
    new Map([["the service main", NOW - 5 * YEAR]]),
    "this host's clock shows 2027-01-15 08:00 UTC, 1825 days after the last certain time, 2022-01-16 08:00 UTC; the service main shows 2022-01-16 08:00 UTC",
  ],
  [
    "the clock is behind, and no other was seen",
    NOW + 3 * DAY,
    new Map([["the database server", undefined]]),
    "this host's clock shows 2027-01-15 08:00 UTC, 3 days before the last certain time, 2027-01-18 08:00 UTC; no other clock was seen",
  ],
  [
    "it had been behind",
    0,
    new Map(),
    "this host's clock shows 2027-01-15 08:00 UTC, and had been set back; no other clock was seen",
  ],
])("the doubt says what was found and what to do: %s", (_, certainAt, others, found) => {
  expect(checkClock(certainAt, others, NOW).doubt).toBe(
    `${found}. Until another clock agrees, no old row is removed and no mail is given up. If the clock is wrong, correct it; if it is right, run: bin/swf-alarms prune --yes --confirm-clock`,
  );
});
