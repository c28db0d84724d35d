import { describe, expect, test } from "vitest";
import { strictJson } from "../../src/text/strict_json.ts";

const cycle: { a: unknown } = { a: 1 };
cycle.a = [cycle];

describe("what is JSON", () => {
  test.each<[string, unknown, string]>([
    ["null", null, "null"],
    ["a text with quotes and half a character", 'a"\ud800', '"a\\"\\ud800"'],
    ["a list in a list", [1, [true, null]], "[1,[true,null]]"],
    ["an object without prototype", Object.assign(Object.create(null), { a: -0.5 }), '{"a":-0.5}'],
    ["a key that is undefined is left out", { a: undefined, b: 1 }, '{"b":1}'],
    ["an empty key", { "": [] }, '{"":[]}'],
  ])("%s", (_sentence, value, text) => {
    expect(strictJson(value)).toEqual({ ok: true, text });
  });
});

describe("what JSON would change or leave out, with its place", () => {
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
    expect(strictJson(value)).toEqual({ ok: false, error: fault });
  });
});
