import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { redactDetection } from "../../src/core/detection.ts";
import { makeRedactor, redactJson } from "../../src/text/redact.ts";

const SECRET = 'hunter2&"x/y+z';

describe("a known secret goes in every spelling", () => {
  const redact = makeRedactor([SECRET, "plain-token-1"]);
  test.each([
    ["as it is", `before ${SECRET} after`],
    ["percent-encoded", `?p=${encodeURIComponent(SECRET)}`],
    ["as a form field", new URLSearchParams([["p", SECRET]]).toString()],
    ["as JSON", JSON.stringify({ p: SECRET })],
    ["in base64", Buffer.from(SECRET).toString("base64")],
    ["in base64 for URLs", Buffer.from(SECRET).toString("base64url")],
    ["in base64 after one byte", Buffer.from(`u${SECRET}`).toString("base64")],
    ["in base64 after two bytes", Buffer.from(`u:${SECRET}`).toString("base64")],
    ["in base64 in the middle", Buffer.from(`user:${SECRET}@host`).toString("base64")],
    ["in HTML", SECRET.replaceAll("&", "&amp;")],
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

test("a secret that is given percent-encoded goes decoded too", () => {
  expect(makeRedactor(["p%40ss%2Fword"])("failed for p@ss/word")).toBe("failed for [redacted]");
});

test("what a cut has left of a secret goes too", () => {
  const redact = makeRedactor(["plain-token-1"]);
  expect(redact('said "plain-tok…", and more…')).toBe('said "[redacted]…", and more…');
  expect(redact("plain…")).toBe("plain…");
});

test("the longer of two secrets goes whole", () => {
  expect(makeRedactor(["abcdef", "abcdefghi"])("abcdefghi")).toBe("[redacted]");
});

test("what is shorter than six characters is no secret", () => {
  expect(makeRedactor(["", "a", "test"])("a test of latest")).toBe("a test of latest");
});

test("a password that is a word of every message is left, but not in a login", () => {
  const redact = makeRedactor(["password", "postgres"]);
  expect(redact("postgres: password authentication failed")).toBe(
    "postgres: password authentication failed",
  );
  expect(redact("postgresql://postgres:password@h/d")).toBe("postgresql://postgres:[redacted]@h/d");
});

describe("a login goes by its form, though nobody knows the secret", () => {
  test.each([
    ["postgresql://ann:pw@host:5432/db", "postgresql://ann:[redacted]@host:5432/db"],
    ["postgres://ann:p@s/s@host/db down", "postgres://ann:[redacted]@host/db down"],
    ["http://proxy:pw1@host:8080/", "http://proxy:[redacted]@host:8080/"],
    ["host=h password=pw1 user=u", "host=h password=[redacted] user=u"],
    ["Authorization: Basic dTpw", "Authorization: Basic [redacted]"],
    ['{"authorization":"Bearer ab.c-1"}', '{"authorization":"Bearer [redacted]"}'],
    ["sent Bearer eyJhbGciOi.x-y_z", "sent Bearer [redacted]"],
    ["key AKIAIOSFODNN7EXAMPLE.", "key [redacted]."],
  ])("%s", (text, expected) => {
    expect(makeRedactor([])(text)).toBe(expected);
  });

  test.each([
    "https://host.example:8443/path?q=a@b",
    "2026-11-21 03:45:00 info tick: 3 alarm(s)",
    "mailto:ops@example.org",
    "the bearer of news",
    'password authentication failed for user "ann"',
    "task:38949",
  ])("%s stays as it is", (text) => {
    expect(makeRedactor([])(text)).toBe(text);
  });
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

test("JSON is redacted in its texts and keys, and keeps its shape", () => {
  const redact = makeRedactor(["secret-1"]);
  expect({ ...redactJson({ "k secret-1": ["secret-1", 1, null, { a: true }] }, redact) }).toEqual({
    "k [redacted]": ["[redacted]", 1, null, { a: true }],
  });
});

test("a detection is redacted in its key, its texts and its data; a clean one is left as it is", () => {
  const redact = makeRedactor(['se"cret-1']);
  const secret = 'se"cret-1';
  const clean = { dedupeKey: "a", subject: "s", body: "b", data: { n: 1 } };
  const result = redactDetection(
    { dedupeKey: `k ${secret}`, subject: secret, body: secret, data: { d: secret } },
    redact,
  );
  expect(JSON.stringify(result)).not.toContain("cret-1");
  expect(redactDetection(clean, redact)).toBe(clean);
});

test.each([
  "log:\nBearer abcdefghijklmnop\nend",
  "Bearer\tabcdefghijklmnop",
  "key:\nAKIAABCDEFGHIJKLMNOP",
  'a "quoted"\npassword=hunter22 b',
])("a login by its form is hidden wherever lines break: %j", (text) => {
  const redact = makeRedactor([]);
  const whole = redactDetection(
    { dedupeKey: "a", subject: "s", body: text, data: { list: [{ [text]: text }] } },
    redact,
  );
  expect(whole.body).toBe(redact(text));
  expect(whole.body).toContain("[redacted]");
  expect(JSON.stringify(whole.data)).toBe(
    JSON.stringify({ list: [{ [redact(text)]: redact(text) }] }),
  );
});
