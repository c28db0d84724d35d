import { expect, test } from "vitest";
import { parseFor, parseTime, parseUntil } from "../../src/cli/until_option.ts";

/** 2026-11-27 10:30:15 UTC */
const NOW = Date.UTC(2026, 10, 27, 10, 30, 15) / 1000;
const HOW_LONG = "write a time such as 90m, 2h, 3d or 1h30m, at most 90d";

test.each([
  ["minutes", "90m", 90 * 60],
  ["hours", "2h", 2 * 3600],
  ["days", "3d", 3 * 86_400],
  ["hours and minutes", "1h30m", 90 * 60],
  ["days, hours and minutes", "1d2h3m", 86_400 + 2 * 3600 + 180],
  ["the longest one", "90d", 90 * 86_400],
  ["the longest one in hours", "2160h", 90 * 86_400],
])("--for: %s", (_, text, seconds) => {
  expect(parseFor(text, NOW)).toBe(NOW + seconds);
});

test.each([
  ["longer than 90 days", "90d1m"],
  ["no time at all", "0h"],
  ["a number without a unit", "2"],
  ["an unknown unit", "2w"],
  ["units in another order", "30m1h"],
  ["a fraction", "1.5h"],
  ["a sign", "-2h"],
  ["space between", "1h 30m"],
  ["another text", "tomorrow"],
  ["nothing", ""],
])("--for refuses %s", (_, text) => {
  expect(parseFor(text, NOW)).toBe(HOW_LONG);
});

test.each([
  ["a time with its zone", "2026-11-27T12:00:00+01:00", "2026-11-27T11:00:00Z"],
  ["a time in UTC", "2026-11-27T12:00:00Z", "2026-11-27T12:00:00Z"],
  ["lower-case letters", "2026-11-27t12:00:00z", "2026-11-27T12:00:00Z"],
  ["a zone west of Greenwich", "2026-11-27T06:00:00-05:00", "2026-11-27T11:00:00Z"],
  ["no zone", "2026-11-27 12:00", "2026-11-27T12:00:00Z"],
  ["no zone, with T", "2026-11-27T12:00", "2026-11-27T12:00:00Z"],
  ["no zone, with seconds", "2026-11-27T12:00:30", "2026-11-27T12:00:30Z"],
  ["as this program prints it", "2026-11-27 12:00 UTC", "2026-11-27T12:00:00Z"],
  ["a later time of today", "23:59", "2026-11-27T23:59:00Z"],
  ["a time of day that is over", "09:00", "2026-11-28T09:00:00Z"],
  ["the minute that runs", "10:30", "2026-11-28T10:30:00Z"],
  ["one digit of hours", "9:05", "2026-11-28T09:05:00Z"],
])("--until: %s", (_, text, expected) => {
  expect(parseUntil(text, NOW)).toBe(Date.parse(expected) / 1000);
});

test.each([
  ["a day alone", "2026-11-28"],
  ["a day that does not exist", "2026-11-31 12:00"],
  ["an hour that does not exist", "24:00"],
  ["a minute that does not exist", "12:60"],
  ["a name of a zone", "2026-11-28 12:00 CET"],
  ["a duration", "2h"],
  ["another text", "tomorrow"],
  ["nothing", ""],
])("--until refuses %s", (_, text) => {
  expect(parseUntil(text, NOW)).toBe(
    'write a time such as 12:00, "2026-11-27 12:00" (both UTC) or 2026-11-27T12:00:00+01:00',
  );
});

test("--until is as long as --for at most", () => {
  expect(parseUntil("2027-02-25 10:30", NOW)).toBe(Date.UTC(2027, 1, 25, 10, 30) / 1000);
  for (const text of ["2027-02-25 10:31", "9999-01-01 00:00"])
    expect(parseUntil(text, NOW)).toContain("it is more than 90 days ahead: now it is 2026-11-27");
});

test.each([
  ["yesterday", "2026-11-26 12:00"],
  ["this very second", "2026-11-27T10:30:15Z"],
  ["past in its zone", "2026-11-27T11:00:00+01:00"],
])("--until refuses a time that is over: %s", (_, text) => {
  expect(parseUntil(text, NOW)).toBe(
    "it is in the past: now it is 2026-11-27 10:30 UTC; write a later time",
  );
});

test.each([
  ["a time of this day that is over", "09:00", "2026-11-27T09:00:00Z"],
  ["a time of this day to come", "23:59", "2026-11-27T23:59:00Z"],
  ["a time long ago", "2019-02-03 04:05", "2019-02-03T04:05:00Z"],
  ["a time far ahead, with its zone", "2036-01-01T00:30:00+01:00", "2035-12-31T23:30:00Z"],
])("--at: %s", (_, text, expected) => {
  expect(parseTime(text, NOW)).toBe(Date.parse(expected) / 1000);
});

test("--at refuses what is not a time", () => {
  expect(parseTime("2026-11-28", NOW)).toMatch(/^write a time such as 12:00, /);
});
