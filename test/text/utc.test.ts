import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseUtc, rfc3339, timeBetween, utcMinute, utcSecond } from "../../src/text/utc.ts";

const NOON = Date.UTC(2026, 7, 7, 12, 30, 15) / 1000;

test.each([
  [NOON, "2026-08-07 12:30 UTC", "2026-08-07 12:30:15 UTC", "2026-08-07T12:30:15Z"],
  [NOON + 0.999, "2026-08-07 12:30 UTC", "2026-08-07 12:30:15 UTC", "2026-08-07T12:30:15Z"],
  [0, "an unknown time", "an unknown time", null],
  [Number.NaN, "an unknown time", "an unknown time", null],
  [1e300, "an unknown time", "an unknown time", null],
])("%d is shown with its zone", (seconds, minute, second, machine) => {
  expect(utcMinute(seconds)).toBe(minute);
  expect(utcSecond(seconds)).toBe(second);
  expect(rfc3339(seconds)).toBe(machine);
});

test.each([
  ["no time at all", NOON, NOON, "0 s"],
  ["seconds", NOON, NOON + 119, "119 s"],
  ["minutes", NOON, NOON + 3599, "59 min"],
  ["an hour", NOON, NOON + 3600, "1 h"],
  ["hours and minutes", NOON, NOON + 7800, "2 h 10 min"],
  ["seconds do not count beside hours", NOON, NOON + 7259, "2 h"],
  ["nearly two days", NOON, NOON + 48 * 3600 - 1, "47 h 59 min"],
  ["two days", NOON, NOON + 48 * 3600, "2 days"],
  ["days and hours", NOON, NOON + 76.5 * 3600, "3 days 4 h"],
  ["a beginning that is not known", 0, NOON, undefined],
  ["an end in milliseconds", NOON, NOON * 1000, undefined],
  ["an end that is no number", NOON, Number.NaN, undefined],
  ["an end before the beginning", NOON, NOON - 1, undefined],
])("the time between: %s", (_, from, to, expected) => {
  expect(timeBetween(from, to)).toBe(expected);
});

describe("a service's time text", () => {
  const rows: readonly [string, unknown, number | undefined][] = [
    ["without a zone it is UTC", "2026-08-07T12:30:15", NOON],
    ["with Z it is UTC", "2026-08-07T12:30:15Z", NOON],
    ["as GraceDB writes it", "2026-08-07 12:30:15 UTC", NOON],
    ["with a blank for the T", "2026-08-07 12:30:15", NOON],
    ["with an offset east", "2026-08-07T14:30:15+02:00", NOON],
    ["with an offset without a colon, west", "2026-08-07T08:00:15-0430", NOON],
    ["with a blank before the offset", "2026-08-07 14:30:15 +02:00", NOON],
    ["without seconds", "2026-08-07T12:30", NOON - 15],
    ["without seconds, with a zone", "2026-08-07T12:30Z", NOON - 15],
    ["with parts of a second", "2026-08-07T12:30:15.250", NOON + 0.25],
    ["with microseconds, as Python writes them", "2026-08-07T12:30:15.250000+00:00", NOON + 0.25],
    ["with blanks around it", " 2026-08-07T12:30:15 \n", NOON],
    ["a leap day", "2024-02-29T00:00:00", Date.UTC(2024, 1, 29) / 1000],
    ["before 1970", "1969-12-31T23:59:59", -1],
    ["a date without a time is rejected", "2026-08-07", undefined],
    ["month 13", "2026-13-07T12:30:15", undefined],
    ["hour 25", "2026-08-07T25:30:15", undefined],
    ["minute 60", "2026-08-07T12:60:15", undefined],
    ["a 30th of February", "2026-02-30T12:30:15", undefined],
    ["a 29th of February outside a leap year", "2026-02-29T12:30:15", undefined],
    ["a 31st of April", "2026-04-31T12:30:15", undefined],
    ["an offset of 99 hours", "2026-08-07T12:30:15+99:00", undefined],
    ["another zone's name", "2026-08-07T12:30:15 CEST", undefined],
    ["another order", "07.08.2026 12:30", undefined],
    ["text behind it", "2026-08-07T12:30:15Z or so", undefined],
    ["an empty text", "", undefined],
    ["a number is rejected", NOON, undefined],
    ["null", null, undefined],
    ["undefined", undefined, undefined],
  ];
  test.each(rows)("%s", (_, text, seconds) => {
    expect(parseUtc(text)).toBe(seconds);
  });
});

test("the zone of the machine does not matter, and every moment is read back", () => {
  const moment = fc.date({ min: new Date(0), max: new Date("2099-12-31"), noInvalidDate: true });
  const before = process.env.TZ;
  try {
    for (const zone of ["UTC", "America/New_York", "Asia/Kolkata"]) {
      process.env.TZ = zone;
      fc.assert(
        fc.property(moment, (date) => {
          const text = date.toISOString();
          expect(parseUtc(text)).toBe(date.getTime() / 1000);
          expect(parseUtc(text.slice(0, -1))).toBe(date.getTime() / 1000);
        }),
      );
    }
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
});

test("any text gives a finite number or undefined", () => {
  const part = fc.constantFrom(
    "2026-",
    "08-",
    "07",
    "T",
    " ",
    "12",
    ":30",
    ".5",
    "Z",
    "UTC",
    "+02",
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(part).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, (value) => {
      const seconds = parseUtc(value);
      expect(seconds === undefined || Number.isFinite(seconds)).toBe(true);
    }),
  );
});
