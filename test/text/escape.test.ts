import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { escapeHtml, headerText, plainText } from "../../src/text/escape.ts";

describe("a text for HTML", () => {
  test.each([
    ["plain text stays", "task 7: größer", "task 7: größer"],
    ["a tag is shown, not made", "<b>a</b>", "&lt;b&gt;a&lt;/b&gt;"],
    ["an attribute cannot be left by either quote", `"'`, "&quot;&#39;"],
    ["what is escaped already is shown as it is", "&lt;", "&amp;lt;"],
    ["every one is escaped, not the first alone", "<<&&", "&lt;&lt;&amp;&amp;"],
  ])("%s", (_, text, html) => {
    expect(escapeHtml(text)).toBe(html);
  });

  test("no mark-up is left of any text, and it reads back as it was", () => {
    const entities: { readonly [entity: string]: string } = {
      "&amp;": "&",
      "&lt;": "<",
      "&gt;": ">",
      "&quot;": '"',
      "&#39;": "'",
    };
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."<>&\"';#ltamp") }));
    fc.assert(
      fc.property(text, (given) => {
        const html = escapeHtml(given);
        expect(html).not.toMatch(/[<>"']/);
        expect(html.replace(/&[a-z0-9#]+;/g, (entity) => entities[entity] ?? "?")).toBe(given);
      }),
    );
  });
});

describe("a text for one header line", () => {
  test.each([
    ["plain text stays", "[alarm_x] 1 detection(s)", "[alarm_x] 1 detection(s)"],
    ["a line break starts no header", "a\r\nBcc: b@h", "a Bcc: b@h"],
    ["nor does a lone one of either kind", "a\nb\rc", "a b c"],
    ["nor the breaks of Unicode", "a\u2028b\u2029c\u0085d", "a b c d"],
    ["a NUL and other control characters are blanks", "a\0b\u001bc\u007fd", "a b c d"],
    ["a tab is a blank", "a\tb", "a b"],
    ["many are one", "a\r\n\r\n\r\nb", "a b"],
    ["blanks around it go", "\r\n a \n", "a"],
    [
      "a mark that turns the writing is dropped",
      "a\u202Egnp.exe\u202C \u2067b\u2069\u200F",
      "agnp.exe b",
    ],
    ["half a pair is replaced", "a\ud800", "a\uFFFD"],
    ["of control characters alone nothing is left", "\r\n\0", ""],
  ])("%s", (_, text, line) => {
    expect(headerText(text)).toBe(line);
  });

  test("any text is one line", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(headerText(text)).not.toMatch(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u);
      }),
    );
  });
});

describe("a text for a body or a terminal", () => {
  test.each([
    ["line breaks and tabs stay", "a\n\tb", "a\n\tb"],
    ["every kind of line break is the same", "a\r\nb\rc", "a\nb\nc"],
    ["a sequence that would steer a terminal is broken", "\u001b[2Ja", "\uFFFD[2Ja"],
    ["so is one of the upper range", "\u009b2Ja", "\uFFFD2Ja"],
    ["a NUL, a bell and a delete are replaced", "\0\u0007\u007f", "\uFFFD\uFFFD\uFFFD"],
    ["half a pair is replaced", "a\ud800", "a\uFFFD"],
    ["a whole pair stays", "😀", "😀"],
    ["a mark that turns the writing is replaced", "a\u202Eb\u2066", "a\uFFFDb\uFFFD"],
    ["writing from right to left stays", "שלום", "שלום"],
  ])("%s", (_, text, plain) => {
    expect(plainText(text)).toBe(plain);
  });

  test("no other control character is left of any text, and it is not changed again", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const plain = plainText(text);
        expect(plain.replaceAll(/[\n\t]/g, "")).not.toMatch(/\p{Cc}/u);
        expect(plain.isWellFormed()).toBe(true);
        expect(plainText(plain)).toBe(plain);
      }),
    );
  });
});
