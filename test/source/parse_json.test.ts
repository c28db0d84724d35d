import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BodyError } from "../../src/source/fetch_error.ts";
import { checkBeginning, parseJson } from "../../src/source/parse_json.ts";

describe("parseJson", () => {
  test.each([
    "0",
    "-0",
    '""',
    " [ ] ",
    '{"a":1,"b":[true,false,null,"x\\u0041\\n"]}',
    '{"__proto__":1,"constructor":2}',
    "9007199254740991",
    "-9007199254740991",
    "[1234567890123456,-1234567890123456]",
    // Decimals are rounded, as anywhere in JavaScript.
    "0.1234567890123456789",
    "12345678901234567.0",
    "1234567890123456e2",
    "1e308",
    "1e-400",
    "1234567890123456e-1000",
    // Within strings anything may look like a number.
    '{"a, 9007199254740993":": 1e999","\\\\":"\\", 9007199254740993"}',
    '["\\\\",": 9007199254740993\\\\"," \\\\\\": 1e999 "]',
  ])("parses %s as JavaScript does", (text) => {
    const [parsed, plain] = [parseJson(text), JSON.parse(text)];
    expect(parsed).toEqual(plain);
    expect(Object.is(parsed, -0)).toBe(Object.is(plain, -0));
  });

  test.each([
    ["9007199254740992", '"9007199254740992"'],
    ["-9007199254740993", '"-9007199254740993"'],
    // Not only those that would be rounded: the type does not depend on the digits.
    ["100000000000000000000", '"100000000000000000000"'],
    ["\n9007199254740993 ", '"9007199254740993"'],
    ["[1,9007199254740993,\t2]", '[1,"9007199254740993",2]'],
    ["[[[-1234567890123456789]],{}]", '[[["-1234567890123456789"]],{}]'],
    ['{"\\"":1,"id":9007199254740993}', '{"\\"":1,"id":"9007199254740993"}'],
    [
      '{"\\\\":9007199254740993,"a":": 9007199254740993"}',
      '{"\\\\":"9007199254740993","a":": 9007199254740993"}',
    ],
    ['{"x":[9007199254740993]}', '{"x":["9007199254740993"]}'],
    ["[9007199254740993,9007199254740993.5]", '["9007199254740993",9007199254740994]'],
    [`[${"9".repeat(308)}]`, `["${"9".repeat(308)}"]`],
  ])("keeps the digits of %s", (text, expected) => {
    expect(JSON.stringify(parseJson(text))).toBe(expected);
  });

  test.each([
    ["", "not JSON: the body is empty"],
    ["  ", "not JSON: the body is empty"],
    ['{"a":1,}', 'not JSON: {"a":1,}'],
    ["[1] [2]", "not JSON: [1] [2]"],
    ["NaN", "not JSON: NaN"],
    ["01", "not JSON: 01"],
    // With the quotes around its digits it would be valid.
    ["{9007199254740993:1}", "not JSON: {9007199254740993:1}"],
    ["[09007199254740993]", "not JSON: [09007199254740993]"],
    ["1e999", "the number 1e999 is too large to be represented"],
    ["[0,1e400]", "the number 1e400 is too large to be represented"],
    ['{"a":1E400}', "the number 1E400 is too large to be represented"],
    ["[ 1.5e+400]", "the number 1.5e+400 is too large to be represented"],
    ['["",-1E+0400]', "the number -1E+0400 is too large to be represented"],
    [`[1,${"9".repeat(400)}]`, `the number ${"9".repeat(40)}… is too large to be represented`],
  ])("rejects %s", (text, reason) => {
    expect(() => parseJson(text)).toThrow(new BodyError(reason));
  });

  test("any depth is parsed", () => {
    expect(() => parseJson(`${"[".repeat(100_000)}${"]".repeat(100_000)}`)).not.toThrow();
  });

  test("a number of millions of digits is rejected at once", () => {
    expect(() => parseJson("9".repeat(4_000_000))).toThrow("too large");
  });

  test("a string with millions of escapes is parsed beside a long number", () => {
    const text = "\n".repeat(5_000_000);
    const json = JSON.stringify([text, "id"]).replace('"id"', "9007199254740993");
    expect(parseJson(json)).toEqual([text, "9007199254740993"]);
  });

  test("any value is parsed as JSON.parse does, except that integers beyond 2^53 are strings", () => {
    const blank = fc.constantFrom("", " ", "\n", "\t", "\r");
    const integer = fc.oneof(fc.bigInt(), fc.bigInt({ min: -(2n ** 55n), max: 2n ** 55n }));
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 5 }).filter((json) => !/(?:^|[[:,])-?\d{16}/.test(json)),
        integer,
        fc.double({ noDefaultInfinity: true }),
        blank,
        (json, id, double, gap) => {
          const text = JSON.stringify(`\\", ${id}, "`);
          const rest = `${double.toExponential().replace("NaN", "0")},${text},${json}`;
          const isSafe = Number.isSafeInteger(Number(id));
          const parsed = parseJson(`{"a":[${text},${gap}${id}${gap}],"${id}":${gap}[${rest}]}`);
          const known = JSON.parse(`{"a":[${text},${isSafe ? id : `"${id}"`}],"${id}":[${rest}]}`);
          expect(parsed).toEqual(known);
        },
      ),
    );
  });
});

describe("checkBeginning", () => {
  test.each(["{}", "\n [", '"x"', "-1", "0", "true", "null", "  ", `${" ".repeat(5_000)}<`])(
    "may be JSON: %j",
    (text) => {
      expect(() => checkBeginning(Buffer.from(text))).not.toThrow();
    },
  );

  test.each([
    ["", "the body is empty"],
    ["\n<html><title>Log in</title>", 'HTML page "Log in"'],
    ["Server Error", "Server Error"],
    ["not found", "not found"],
    ["'x'", "'x'"],
  ])("is not JSON: %j", (text, shown) => {
    expect(() => checkBeginning(Buffer.from(text))).toThrow(new BodyError(`not JSON: ${shown}`));
  });
});
