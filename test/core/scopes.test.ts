import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDetection } from "../../src/core/detection.ts";
import type { ScopedGap } from "../../src/core/model.ts";
import {
  judgeScopes,
  parsePrefix,
  prefixFinder,
  scopeErrors,
  scopeNotes,
  scopeRecords,
} from "../../src/core/scopes.ts";
import { isCausedBySources } from "../../src/core/source_state.ts";

function storedKey(dedupeKey: string): string {
  const parsed = parseDetection({ dedupeKey });
  if (!parsed.ok || !("detection" in parsed)) throw new Error("no detection");
  return parsed.detection.dedupeKey;
}

describe("a prefix becomes one of the keys as they are stored", () => {
  test.each<[string, unknown, string | undefined]>([
    ["as it is", "host:a:", "host:a:"],
    ["a blank is a prefix like any other", " ", " "],
    ["nothing names all keys", "", undefined],
    ["no prefix", undefined, undefined],
    ["a number", 5, undefined],
    ["a list", ["host"], undefined],
    ["null", null, undefined],
    ["NUL is escaped as in a key", "a\0b", "a\\u0000b"],
    ["what looks like an escape is escaped", "a\\u0000b", "a\\u005cu0000b"],
    ["the beginning of what looks like an escape is left out", "a\\u00", "a"],
    ["a backslash at the end is left out", "a\\", "a"],
    ["nothing but a backslash names no keys", "\\", undefined],
    ["half a character at the end is left out, as a key may continue it", "a\ud83d", "a"],
    ["its other half is escaped as in a key", "a\ude00b", "a\\ude00b"],
    ["it is cut where the digest of a longer key begins", "x".repeat(600), "x".repeat(430)],
    ["not within a character", `${"x".repeat(429)}😀`, "x".repeat(429)],
  ])("%s", (_, given, expected) => {
    expect(parsePrefix(given)).toBe(expected);
  });

  test("every key that begins with it is stored with it at its beginning", () => {
    const units = [
      "\\",
      "u",
      "0",
      "5",
      "c",
      "d",
      "8",
      "\0",
      "\ud83d",
      "\ude00",
      "😀",
      "a",
      "\\u0000",
    ];
    const unit = fc.constantFrom(...units);
    const text = fc.oneof(
      fc.string({ unit, maxLength: 12 }),
      fc
        .tuple(fc.integer({ min: 415, max: 445 }), fc.string({ unit, maxLength: 12 }))
        .map(([length, end]) => "x".repeat(length) + end),
    );
    fc.assert(
      fc.property(text, fc.oneof(text, fc.string({ unit, maxLength: 3 })), (prefix, rest) => {
        const key = prefix + rest;
        const stored = parsePrefix(prefix);
        fc.pre(stored !== undefined && key.trim() !== "");
        expect(storedKey(key).startsWith(stored ?? "?")).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("the prefixes of a key are found", () => {
  test.each<[string, readonly string[], string, readonly string[]]>([
    ["none", [], "a", []],
    ["another one", ["b"], "a", []],
    ["the key itself", ["a"], "a", ["a"]],
    ["a longer one", ["ab"], "a", []],
    [
      "several, the longest first",
      ["h", "host:a", "host:", "host:b"],
      "host:a:disk",
      ["host:a", "host:", "h"],
    ],
    ["a name that every object has", ["__proto__"], "__proto__:x", ["__proto__"]],
  ])("%s", (_, prefixes, key, expected) => {
    expect(prefixFinder(new Map(prefixes.map((each) => [each, 1])))(key)).toEqual(expected);
  });

  test("a thousand of them and 100,000 keys take no thousand times as long", () => {
    const prefixes = new Map(Array.from({ length: 1_000 }, (_, n) => [`host:${n + 1_000}:`, 1]));
    const find = prefixFinder(prefixes);
    let looked = 0;
    const counting: ReadonlyMap<string, number> = new Proxy(prefixes, {
      get: (map, name) => {
        if (name === "has") looked += 1;
        const value: unknown = Reflect.get(map, name, map);
        return typeof value === "function" ? value.bind(map) : value;
      },
    });
    const found = prefixFinder(counting);
    for (let n = 0; n < 100; n++)
      expect(found(`host:${n + 1_050}:disk`)).toEqual(find(`host:${n + 1_050}:disk`));
    expect(looked).toBe(100);
  });
});

describe("a gap is reported by the module if it says something about a key below it", () => {
  test.each<[string, readonly string[], readonly string[], readonly boolean[]]>([
    ["nothing", [], [], [false, false, false]],
    ["a detection", ["host:a:down"], [], [true, false, true]],
    ["a clear", [], ["host:b:down"], [false, true, true]],
    ["of another key", ["x", "hos"], ["host"], [false, false, false]],
    ["of the prefix itself", ["host:"], [], [false, false, true]],
  ])("%s", (_, keys, clears, expected) => {
    const reasons = new Map(["host:a:", "host:b:", "host:"].map((each, n) => [each, `gap ${n}`]));
    const cleared = new Map(clears.map((key) => [key, "over"]));
    const scopes = judgeScopes(reasons, new Set(keys), cleared);
    expect([...scopes]).toEqual(
      [...reasons].map(([prefix, reason], n) => [prefix, { reason, isReported: expected[n] }]),
    );
  });
});

describe("what repeats why a wider scope is not known is left out", () => {
  test.each<[string, ReadonlyMap<string, string>, readonly string[]]>([
    [
      "the same reason",
      new Map([
        ["a:", "504"],
        ["a:disk", "504"],
      ]),
      ["a:"],
    ],
    [
      "the same reason, with more around it",
      new Map([
        ["a:disk", "a:disk: status 504"],
        ["a:", "status 504"],
      ]),
      ["a:"],
    ],
    [
      "another reason stays",
      new Map([
        ["a:", "504"],
        ["a:disk", "no list"],
      ]),
      ["a:", "a:disk"],
    ],
    [
      "the same reason of another host stays",
      new Map([
        ["a:", "504"],
        ["b:disk", "504"],
      ]),
      ["a:", "b:disk"],
    ],
    [
      "a wider one that repeats a narrower one stays",
      new Map([
        ["a:", "a: 504"],
        ["a:disk", "504"],
      ]),
      ["a:", "a:disk"],
    ],
  ])("%s", (_, reasons, expected) => {
    expect([...judgeScopes(reasons, new Set(), new Map()).keys()]).toEqual(expected);
  });
});

const request = "GET /hosts/a from main: status 504";
const many = (count: number, isReported: boolean): ReadonlyMap<string, ScopedGap> =>
  new Map(Array.from({ length: count }, (_, n) => [`h${n}:`, { reason: request, isReported }]));

test("one that is not reported is an error, another one a note", () => {
  const scopes = new Map([
    ["a:", { reason: request, isReported: false }],
    ["b:", { reason: "b is down", isReported: true }],
  ]);
  expect(scopeErrors(scopes)).toEqual([
    `${request}; events whose keys begin with "a:" stay as they are; this is an error because the module detected and cleared nothing there`,
  ]);
  expect(scopeNotes(scopes)).toEqual([
    'b is down; events whose keys begin with "b:" stay as they are',
  ]);
  expect(scopeRecords(scopes)).toEqual([
    { prefix: "a:", reason: request, reported: false },
    { prefix: "b:", reason: "b is down", reported: true },
  ]);
});

test("without any there is nothing to say", () => {
  expect([scopeErrors(new Map()), scopeNotes(new Map())]).toEqual([[], []]);
  expect(scopeRecords(new Map())).toEqual([]);
});

test("of many, five are spelt out, and twenty recorded", () => {
  expect(scopeErrors(many(50, false))).toHaveLength(6);
  expect(scopeErrors(many(50, false)).at(-1)).toBe("and 45 more reasons");
  expect(scopeNotes(many(50, true)).at(-1)).toBe("and 45 more notes");
  expect(scopeRecords(many(50, true))).toHaveLength(20);
});

test.each([1, 50])(
  "failed requests of %d scopes are recognized as those of their source",
  (count) => {
    const errors = scopeErrors(many(count, false));
    expect(isCausedBySources(["main"], errors, undefined)).toBe(true);
    expect(isCausedBySources(["other"], errors, undefined)).toBe(false);
  },
);
