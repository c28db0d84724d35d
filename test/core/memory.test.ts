import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_MEMORY, memoryFault, memoryText } from "../../src/core/memory.ts";

const shared = { n: 1 };

describe("what can be remembered", () => {
  test.each<[string, unknown, string]>([
    ["null", null, "null"],
    ["a number", -1.5e300, "-1.5e+300"],
    ["a text with what Postgres does not store", "\0\ud800", '"\\u0000\\ud800"'],
    ["an object without what is undefined", { a: 1, b: undefined }, '{"a":1}'],
    ["an object without a prototype", Object.assign(Object.create(null), { a: [] }), '{"a":[]}'],
    ["the same part twice, which is no cycle", [shared, shared], '[{"n":1},{"n":1}]'],
  ])("%s", (_, value, text) => {
    expect(memoryText(value)).toEqual({ ok: true, text });
  });

  test("every JSON value, as it is", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const kept = memoryText(value);
        if (!kept.ok) throw new Error(kept.error);
        expect(memoryFault(kept.text)).toBeUndefined();
        expect(JSON.parse(kept.text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

test("what cannot says whose value it is, and where", () => {
  expect(memoryText({ count: 5n })).toEqual({
    ok: false,
    error: "client.remember keeps one JSON value, and cannot keep this one: count is 5n",
  });
});

describe("its size is that of the JSON in UTF-8", () => {
  test.each<[string, string, string | undefined]>([
    ["at the limit", JSON.stringify("x".repeat(MAX_MEMORY - 2)), undefined],
    [
      "one byte more",
      JSON.stringify("x".repeat(MAX_MEMORY - 1)),
      "client.remember keeps at most 256 KiB of JSON, and the value has 257 KiB; the one before stays",
    ],
    [
      "fewer characters, but more bytes",
      JSON.stringify("漢".repeat(MAX_MEMORY / 2)),
      "client.remember keeps at most 256 KiB of JSON, and the value has 385 KiB; the one before stays",
    ],
    [
      "a text that a module made up",
      "{",
      "what client.remember was to keep is not JSON; the one before stays",
    ],
  ])("%s", (_, text, fault) => {
    expect(memoryFault(text)).toBe(fault);
  });
});
