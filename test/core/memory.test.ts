import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_MEMORY, memoryFault, memoryText } from "../../src/core/memory.ts";

const cycle: { a: unknown } = { a: 1 };
cycle.a = [cycle];
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
    expect(memoryText(value)).toEqual({ text });
  });

  test("every JSON value, as it is", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const kept = memoryText(value);
        if ("error" in kept) throw new Error(kept.error);
        expect(memoryFault(kept.text)).toBeUndefined();
        expect(JSON.parse(kept.text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe("what cannot, with its place", () => {
  test.each<[string, unknown, string]>([
    ["nothing", undefined, "the value is undefined"],
    ["a function", () => 1, "the value is a function"],
    ["a BigInt", { count: 5n }, "count is 5n"],
    ["a symbol", [Symbol("x")], '[0] is "Symbol(x)"'],
    ["not a number", { rates: { BNL: [1, Number.NaN] } }, "rates.BNL[1] is NaN"],
    ["infinity", { "a b": Number.POSITIVE_INFINITY }, '"a b" is Infinity'],
    ["undefined in a list", [1, undefined], "[1] is undefined"],
    ["a gap in a list", new Array(1), "[0] is undefined"],
    ["a date", { at: new Date(0) }, "at is an instance of Date"],
    ["a map", new Map([["a", 1]]), "the value is an instance of Map"],
    ["a method", { toJSON: () => 1 }, "toJSON is a function"],
    ["a cycle", cycle, "a[0] is a part of itself"],
    [
      "what is far too deep",
      JSON.parse("[".repeat(5_000) + "]".repeat(5_000)),
      `${"[0]".repeat(100)} is more than 100 levels deep`,
    ],
    [
      "what throws when it is read",
      Object.defineProperty({}, "a", {
        enumerable: true,
        get: () => {
          throw new Error("no");
        },
      }),
      "it cannot be read",
    ],
  ])("%s", (_, value, fault) => {
    expect(memoryText(value)).toEqual({
      error: `client.remember keeps one JSON value, and cannot keep this one: ${fault}`,
    });
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
