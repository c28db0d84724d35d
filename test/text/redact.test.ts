import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { escapeHtml } from "../../src/text/escape.ts";
import { makeRedactor, redactedJson } from "../../src/text/redact.ts";

const SECRET = 'hunter2&"x/y+z';

describe("a secret is replaced in every form in which it is sent", () => {
  const redact = makeRedactor([SECRET, "plain-token-1"]);
  test.each([
    ["as it is", `before ${SECRET} after`],
    ["percent-encoded", `?p=${encodeURIComponent(SECRET)}`],
    ["as JSON", JSON.stringify({ p: SECRET })],
    ["as JSON within JSON", JSON.stringify({ row: JSON.stringify({ p: SECRET }) })],
    ["in base64", Buffer.from(SECRET).toString("base64")],
    ["in base64 after one byte", Buffer.from(`u${SECRET}`).toString("base64")],
    ["in base64 after two bytes", Buffer.from(`u:${SECRET}`).toString("base64")],
    ["in base64 in the middle", Buffer.from(`user:${SECRET}@host`).toString("base64")],
    ["in HTML", escapeHtml(SECRET)],
  ])("%s", (_, text) => {
    const shown = redact(text);
    expect(shown).toContain("[redacted]");
    for (const spelling of [
      SECRET,
      "hunter2",
      Buffer.from("hunter2").toString("base64").slice(0, 8),
    ])
      expect(shown).not.toContain(spelling);
  });

  test("the text around it stays", () => {
    expect(redact("a plain-token-1 b plain-token-1.")).toBe("a [redacted] b [redacted].");
  });
});

test.each([
  ["where an excerpt ends within it", "said pass wo…", "said [redacted]…"],
  [
    "in every excerpt of a text",
    "pass wor… and pass wo… and no",
    "[redacted]… and [redacted]… and no",
  ],
  ["the longest beginning that is there", "my pass word 12 h…", "my [redacted]…"],
  [
    "in base64",
    `${Buffer.from("pass word 12 here").toString("base64").slice(0, 15)}…`,
    "[redacted]…",
  ],
  ["but not its first five characters", "said pass …", "said pass …"],
  ["and not where the text goes on", "pass wo and more", "pass wo and more"],
])("the beginning of a secret is replaced: %s", (_, text, shown) => {
  expect(makeRedactor(["pass word 12 here", "pass word"])(text)).toBe(shown);
});

test("the longer of two secrets is replaced as a whole", () => {
  expect(makeRedactor(["abcdef", "abcdefghi"])("abcdefghi")).toBe("[redacted]");
});

test("a value of fewer than six characters is not a secret", () => {
  expect(makeRedactor(["", "a", "test"])("a test of latest")).toBe("a test of latest");
});

test("a password that is a word of the server's messages stays", () => {
  const text = "postgres: password authentication failed";
  expect(makeRedactor(["password", "postgres"])(text)).toBe(text);
});

test("no secret of any characters survives in any text", () => {
  const secret = fc.string({ unit: "binary", minLength: 6, maxLength: 30 });
  fc.assert(
    fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
      // The mark itself may hold the value's letters.
      fc.pre(!"[redacted]".includes(value));
      const shown = makeRedactor([value])(before + value + after);
      expect(shown.replaceAll("[redacted]", "")).not.toContain(value);
      expect(shown).toContain("[redacted]");
    }),
  );
});

test("JSON is redacted in its strings and keys, and keeps its shape", () => {
  const redact = makeRedactor(["secret-1"]);
  const text = '{"k secret-1": ["secret-1", 1, null, {"a": true}], "__proto__": "secret-1"}';
  expect(JSON.stringify(redactedJson(text, redact))).toBe(
    '{"k [redacted]":["[redacted]",1,null,{"a":true}],"__proto__":"[redacted]"}',
  );
});
