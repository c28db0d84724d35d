import { describe, expect, test } from "vitest";
import { nearest } from "../../src/text/nearest.ts";

describe("the nearest known name", () => {
  const rows: readonly [string, string, readonly string[], string | undefined][] = [
    ["a letter left out", "treshold", ["threshold", "owner"], "threshold"],
    ["a letter too many", "ownerr", ["threshold", "owner"], "owner"],
    ["a wrong letter", "ownur", ["owner"], "owner"],
    ["a letter left out at the front", "bcd", ["abcd"], "abcd"],
    ["a letter left out at the end", "abc", ["abcd"], "abcd"],
    ["a letter too many at the front", "xabc", ["abc"], "abc"],
    ["a letter too many at the end", "abcx", ["abc"], "abc"],
    ["the name itself", "owner", ["owners", "owner"], "owner"],
    ["two letters of six wrong are a third: still near", "abcdXX", ["abcdef"], "abcdef"],
    ["three of eight are more: too far", "abcdeXXX", ["abcdefgh"], undefined],
    ["one of three is a third", "abX", ["abc"], "abc"],
    ["one of two is too far", "aX", ["ab"], undefined],
    ["the nearer of two counts", "base_ur", ["base_url2", "base_url"], "base_url"],
    ["of two as near the first counts", "cat", ["cab", "car"], "cab"],
    ["two letters in each other's place count once", "titel", ["title"], "title"],
    ["at the end", "abdc", ["abcd"], "abcd"],
    ["three in a circle count twice", "bcaX", ["abcd"], undefined],
    ["case does not count", "MyName", ["my_name", "myname"], "myname"],
    ["a wild guess is not made", "colour", ["threshold", "owner"], undefined],
    ["nothing is known", "a", [], undefined],
    ["a name beyond the first plane is near itself", "\u{1f600}", ["\u{1f600}"], "\u{1f600}"],
    ["an empty name is near none", "", ["a"], undefined],
  ];
  test.each(rows)("%s", (_, name, known, expected) => {
    expect(nearest(name, known)).toBe(expected);
  });

  test("a name that is far longer than any is not compared letter by letter", () => {
    expect(nearest("x".repeat(50_000_000), ["threshold"])).toBeUndefined();
  });
});
