import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findJsonFault, type JsonFault } from "../../src/source/json_fault.ts";

function faultIn(text: string): JsonFault | undefined {
  return findJsonFault(Buffer.from(text));
}

describe("what is fine", () => {
  test.each([
    "0",
    "-0",
    '""',
    " [ ] ",
    "{}",
    '{"a":1,"b":[true,false,null,"x\\u0041\\n"]}',
    '[{"a":1},{"a":2}]',
    '{"a":{"a":{"a":1}}}',
    '{"__proto__":1,"constructor":2}',
    "9007199254740991",
    // Clocks give whole numbers that no longer are exact.
    "9007199254740993",
    "102348217063669460",
    "100000000000000000000",
    "0.1234567890123456789",
    "1e308",
    `${"[".repeat(200)}${"]".repeat(200)}`,
  ])("%s", (text) => {
    expect(faultIn(text)).toBeUndefined();
  });
});

describe("what is not taken", () => {
  test.each([
    ["", { kind: "syntax" }],
    ["[1,]", { kind: "syntax" }],
    ['{"a":1,}', { kind: "syntax" }],
    ['{"a" 1}', { kind: "syntax" }],
    ["[1}", { kind: "syntax" }],
    ["[1] [2]", { kind: "syntax" }],
    ["NaN", { kind: "syntax" }],
    ["01", { kind: "syntax" }],
    ['"\n"', { kind: "syntax" }],
    ['"\\x"', { kind: "syntax" }],
    ['"\\u12g4"', { kind: "syntax" }],
    ['{"a":1,"a":1}', { kind: "repeated", name: "a" }],
    ['{"items":[],"x":{"items":1},"\\u0069tems":null}', { kind: "repeated", name: "items" }],
    ["1e999", { kind: "infinite", number: "1e999" }],
    ["9".repeat(400), { kind: "infinite", number: "9".repeat(400) }],
    [`${"[".repeat(201)}${"]".repeat(201)}`, { kind: "depth", limit: 200 }],
    ["[".repeat(1_000_000), { kind: "depth", limit: 200 }],
    ['{"a":'.repeat(1_000_000), { kind: "depth", limit: 200 }],
  ])("%s", (text, fault) => {
    expect(faultIn(text)).toEqual(fault);
  });

  test.each([
    ["a hundred thousand names are taken", 100_000, undefined],
    ["one more is not", 100_001, { kind: "names", limit: 100_000 }],
  ])("an object of many names: %s", (_sentence, count, fault) => {
    const names = Array.from({ length: count }, (_, index) => `"${index}":0`);
    expect(faultIn(`{${names.join()}}`)).toEqual(fault);
  });

  test("a number of millions of digits does not hold up the tick", () => {
    expect(faultIn("9".repeat(4_000_000))).toMatchObject({ kind: "infinite" });
  });
});

/** JSON texts, most of them damaged at one place. */
const damaged = fc
  .tuple(
    fc.json({ maxDepth: 5 }),
    fc.nat(),
    fc.nat({ max: 2 }),
    fc.constantFrom(...'{}[]:,"\\ \n\t0-1.eE+atrufnlsx\u0001\u00a0é'),
  )
  .map(([text, place, remove, insert]) => {
    const at = place % (text.length + 1);
    return text.slice(0, at) + insert + text.slice(at + remove);
  });

test.each([
  ["whole", fc.json({ maxDepth: 5 })],
  ["damaged", damaged],
  ["any", fc.string()],
])("it calls the same texts JSON as the parser does: %s", (_sentence, texts) => {
  fc.assert(
    fc.property(texts, (text) => {
      const fault = faultIn(text);
      // Another fault may come first; both keep the answer out.
      if (fault === undefined || fault.kind === "syntax")
        expect(fault === undefined).toBe(parses(text));
    }),
    { numRuns: 3_000 },
  );
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
