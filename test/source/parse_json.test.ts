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
    // Exact, although beyond the safe integers.
    "9007199254740994",
    "1152921504606846976",
    "100000000000000000000",
    // Printed again as it was.
    "102348217063669460",
    "0.1234567890123456789",
    "12345678901234567.5",
    "1e308",
    "1e-400",
    "1234567890123456e-1000",
    // Within strings anything may look like a number.
    '{"a, 9007199254740993":": 1e999","\\\\":"\\", 9007199254740993"}',
  ])("parses %s", (text) => {
    expect(JSON.stringify(parseJson(text))).toBe(JSON.stringify(JSON.parse(text)));
  });

  test.each([
    ["", "not JSON: the body is empty"],
    ["  ", "not JSON: the body is empty"],
    ['{"a":1,}', 'not JSON: {"a":1,}'],
    ["[1] [2]", "not JSON: [1] [2]"],
    ["NaN", "not JSON: NaN"],
    ["01", "not JSON: 01"],
    ["1e999", "the number 1e999 is too large to be represented"],
    ['["",-1E+0400]', "the number -1E+0400 is too large to be represented"],
    [`[1,${"9".repeat(400)}]`, `the number ${"9".repeat(40)}… is too large to be represented`],
    ["9007199254740993", "the number 9007199254740993 cannot be represented exactly"],
    [
      '{"\\"":1, "id":\n-9007199254740993}',
      "the number -9007199254740993 cannot be represented exactly",
    ],
    ["[[1234567890123456789]]", "the number 1234567890123456789 cannot be represented exactly"],
  ])("rejects %s", (text, reason) => {
    expect(() => parseJson(text)).toThrow(new BodyError(reason));
  });

  test("any depth is parsed", () => {
    expect(() => parseJson(`${"[".repeat(100_000)}${"]".repeat(100_000)}`)).not.toThrow();
  });

  test("a number of millions of digits is rejected at once", () => {
    expect(() => parseJson("9".repeat(4_000_000))).toThrow("too large");
  });

  test("any value is parsed as JSON.parse does, or one of its numbers is rejected", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.bigInt(), fc.double(), (json, integer, double) => {
        const text = `{"json":${json},"string":${JSON.stringify(`, ${integer}`)},"number":${JSON.stringify(double)}}`;
        expect(parseJson(text)).toEqual(JSON.parse(text));
        const isExact =
          BigInt(Number(integer)) === integer || String(Number(integer)) === `${integer}`;
        const read = (): unknown => parseJson(`[${json}, ${integer}]`);
        if (isExact) expect(read()).toEqual([JSON.parse(json), Number(integer)]);
        else expect(read).toThrow(`the number ${integer}`.slice(0, 40));
      }),
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
