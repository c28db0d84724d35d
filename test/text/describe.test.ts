import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cut, errorText, quote } from "../../src/text/describe.ts";

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** Objects that throw at whoever looks at them. */
const DEFENSIVE: readonly [string, unknown][] = [
  ["a revoked proxy", revoked()],
  ["an object without a text", Object.create(null)],
  [
    "an error whose message throws",
    Object.defineProperty(new Error(), "message", {
      get: () => {
        throw new Error("no");
      },
    }),
  ],
  [
    "a function whose text throws",
    Object.assign(() => 1, {
      toString: () => {
        throw new Error("no");
      },
    }),
  ],
];

describe("a value is quoted", () => {
  const rows: readonly [string, unknown, string][] = [
    ["a text in quotes", 'a"b', '"a\\"b"'],
    ["a line break is visible", "a\nb", '"a\\nb"'],
    ["a number as it is", 1.5, "1.5"],
    ["NaN as it is, and not as null", Number.NaN, "NaN"],
    ["infinity too", -1 / 0, "-Infinity"],
    ["undefined as it is", undefined, "undefined"],
    ["null as it is", null, "null"],
    ["true as it is", true, "true"],
    ["a BigInt with its n", 7n, "7n"],
    ["a symbol by its name", Symbol("s"), '"Symbol(s)"'],
    ["a function without its text", () => "secret", "a function"],
    ["an object as JSON", { a: [1] }, '{"a":[1]}'],
    ["80 letters with their quotes are kept", "x".repeat(78), `"${"x".repeat(78)}"`],
    ["of more the beginning", "x".repeat(79), `"${"x".repeat(78)}…`],
  ];
  test.each(rows)("%s", (_, value, text) => {
    expect(quote(value)).toBe(text);
  });
});

describe("the message of what was thrown", () => {
  const rows: readonly [string, unknown, string][] = [
    ["an error by its message", new Error("why"), "why"],
    ["an error without a message by its name", new TypeError(), "TypeError"],
    ["a text as it is", "why", "why"],
    ["undefined", undefined, "undefined"],
    ["an object as JSON", { code: 5 }, '{"code":5}'],
    ["a message that is not a string", Object.assign(new Error(), { message: 5 }), "5"],
    ["a thousand letters are kept", "x".repeat(1000), "x".repeat(1000)],
    ["of more the beginning", "x".repeat(1001), `${"x".repeat(999)}…`],
  ];
  test.each(rows)("%s", (_, error, text) => {
    expect(errorText(error)).toBe(text);
  });
});

test.each(DEFENSIVE)("nothing throws: %s", (_, value) => {
  expect(quote(value)).not.toBe("");
  expect(errorText(value)).not.toBe("");
});

describe("a text is cut", () => {
  test.each([
    ["not where it fits", "abcd", 4, "abcd"],
    ["where it does not, with a mark within the length", "abcde", 4, "abc…"],
    ["before a pair of which only half would fit", "ab😀de", 4, "ab…"],
    ["behind a pair that fits", "a😀de", 4, "a😀…"],
  ])("%s", (_, text, length, expected) => {
    expect(cut(text, length)).toBe(expected);
  });
});

test("for any value the text is bounded and well-formed", () => {
  const value = fc.oneof(
    fc.anything({ withBigInt: true, withMap: true, withSet: true, withDate: true }),
    fc.string({ unit: "binary", minLength: 60, maxLength: 2000 }),
    fc.bigInt({ min: 10n ** 200n, max: 10n ** 300n }),
  );
  fc.assert(
    fc.property(value, (given) => {
      for (const [text, most] of [
        [quote(given), 80],
        [errorText(given), 1000],
      ] as const) {
        expect(text.length).toBeLessThanOrEqual(most);
        expect(text.length).toBeGreaterThan(given === "" ? -1 : 0);
      }
      expect(quote(given).isWellFormed()).toBe(true);
    }),
  );
});
