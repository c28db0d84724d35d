import { describe, expect, test } from "vitest";
import { strictJson } from "../../src/text/strict_json.ts";

const cycle: { self?: unknown } = {};
cycle.self = cycle;

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

describe("what JSON would change or leave out", () => {
  test.each<[string, unknown, string]>([
    ["undefined", undefined, "it is undefined"],
    ["a function", () => {}, "it is a function"],
    ["a symbol", Symbol("x"), "it is "],
    ["a bigint", { id: 1n }, "id is 1n"],
    ["NaN", { rate: Number.NaN }, "rate is NaN"],
    ["Infinity in a list", [1, Number.POSITIVE_INFINITY], "1 is Infinity"],
    ["undefined in a list", ["a", undefined], "1 is undefined"],
    ["a Map", { by: new Map([["a", 1]]) }, 'by is {"a":1}'],
    ["a Date", { at: new Date(0) }, 'at is "1970-01-01T00:00:00.000Z"'],
    ["an object with a toJSON", { a: { toJSON: () => 1 } }, "a is "],
    ["a cycle", cycle, "circular"],
    [
      "a getter that throws",
      Object.defineProperty({}, "a", {
        enumerable: true,
        get: () => {
          throw new Error("no");
        },
      }),
      "no",
    ],
  ])("%s", (_sentence, value, says) => {
    expect(strictJson(value)).toEqual({ ok: false, error: expect.stringContaining(says) });
  });
});
