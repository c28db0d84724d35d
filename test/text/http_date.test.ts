import { expect, test } from "vitest";
import { parseRetryAfter } from "../../src/text/http_date.ts";

const NOW = Date.parse("2026-11-21T03:45:00Z") / 1000;
test.each([
  ["no header", undefined, undefined],
  ["seconds", "120", 120],
  ["no seconds", "0", 0],
  ["seconds with blanks", " 7 ", 7],
  ["a date to come", "Sat, 21 Nov 2026 03:45:30 GMT", 30],
  ["a date that has passed is no wait", "Sat, 21 Nov 2026 03:40:00 GMT", 0],
  ["an empty text is neither", "", undefined],
  ["words are neither", "soon", undefined],
  ["seconds with a unit are neither", "60 seconds", undefined],
  ["a negative number is neither", "-5", undefined],
  ["a fraction is neither", "1.5", undefined],
])("%s", (_sentence, header, seconds) => {
  expect(parseRetryAfter(header, NOW)).toBe(seconds);
});
