import { expect, test } from "vitest";
import { excerpt } from "../../src/text/excerpt.ts";

test.each([
  ["nothing", "", ""],
  ["a short text stays", '{"error": "days must be >= 1"}', '{"error": "days must be >= 1"}'],
  ["line breaks and blanks become one blank", " a\r\n\tb   c\n", "a b c"],
  ["control characters, bells and escapes go", "a\0b\x07\x1b[31mc\x7f", "a b [31mc"],
  ["characters that reverse or hide text go", "a\u202eb\u200bc\u2028d\ufeff", "a b c d"],
  ["160 characters stay", "x".repeat(160), "x".repeat(160)],
  ["more are cut, and that shows", "x".repeat(161), `${"x".repeat(160)}…`],
  [
    "a word that would be cut goes whole, because half of a secret is not recognised as one",
    `${"x".repeat(150)} token-1234567890`,
    `${"x".repeat(150)}…`,
  ],
  [
    "so does one in JSON without blanks",
    `{"a":"${"x".repeat(140)}","t":"token-1234567890"}`,
    `{"a":"${"x".repeat(140)}","t":…`,
  ],
  ["other scripts stay", "é漢😀", "é漢😀"],
  [
    "of an HTML page the title is shown",
    "<!DOCTYPE HTML ...><html><head><title>503 Service Unavailable</title></head><body>lots</body>",
    'HTML page "503 Service Unavailable"',
  ],
  [
    "its title may have attributes, lines and capitals",
    '<TITLE lang="en">\n Log in\n | site </TITLE>',
    'HTML page "Log in | site"',
  ],
  ["a page without a title is quoted", "<html><body>Bad gateway", "<html><body>Bad gateway"],
  ["a page with an empty title is quoted", "<title></title><p>x", "<title></title><p>x"],
  [
    "only the beginning of a response is searched",
    `${"x ".repeat(500_000)}<title>late</title>`,
    `${"x ".repeat(80).trimEnd()}…`,
  ],
])("%s", (_sentence, body, text) => {
  expect(excerpt(body)).toBe(text);
});

test("a character is not cut in half, because Postgres would refuse the half", () => {
  for (let length = 150; length < 165; length++)
    expect(excerpt(`${"x".repeat(length)}😀😀😀😀😀`).isWellFormed()).toBe(true);
});
