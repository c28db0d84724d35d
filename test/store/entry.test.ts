import { describe, expect, test } from "vitest";
import { entryTitle, jsonText } from "../../src/store/entry.ts";

describe("entryTitle", () => {
  test.each([
    ["a short text stays", "40.0% of 10 failed", "40.0% of 10 failed"],
    ["255 characters stay", "x".repeat(255), "x".repeat(255)],
    ["the 256th character goes", `${"x".repeat(255)}y`, "x".repeat(255)],
    ["emoji count as one character, as in Postgres", "😀".repeat(255), "😀".repeat(255)],
    ["an emoji is not cut in half", `${"x".repeat(254)}😀😀`, `${"x".repeat(254)}😀`],
    ["line breaks and tabs become spaces", " a\r\nb\tc\n", "a b c"],
    ["what Postgres refuses is replaced", "a\0b\ud800c", "a\uFFFDb\uFFFDc"],
    ["an empty text stays empty", "", ""],
  ])("%s", (_sentence, text, title) => {
    expect(entryTitle(text)).toBe(title);
  });
});

describe("jsonText", () => {
  test.each([
    ["plain values go as they are", { a: [1, "x", null, true] }, '{"a":[1,"x",null,true]}'],
    ["NUL and lone surrogates are replaced", { "k\0": "v\ud800" }, '{"k\uFFFD":"v\uFFFD"}'],
    ["keys without a value are left out", { a: undefined, b: 1 }, '{"b":1}'],
    ["NaN becomes a text", { a: Number.NaN }, '{"a":"NaN"}'],
  ])("%s", (_sentence, value, json) => {
    expect(jsonText(value)).toBe(json);
  });
});
