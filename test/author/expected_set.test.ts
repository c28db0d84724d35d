import { array, assert, property, string } from "fast-check";
import { describe, expect, test } from "vitest";
import { expectedSet } from "../../src/author/expected_set.ts";

const host = (name: string): string => name.toLowerCase().split(".")[0] ?? name;

describe("what is expected is compared with what is seen", () => {
  test.each([
    [
      "all are there",
      ["a", "b"],
      ["b", "a"],
      undefined,
      { missing: [], unexpected: [], present: ["a", "b"] },
    ],
    [
      "one is missing and one is new",
      ["a", "b"],
      ["b", "c"],
      undefined,
      { missing: ["a"], unexpected: ["c"], present: ["b"] },
    ],
    [
      "nothing is there",
      ["b", "a"],
      [],
      undefined,
      { missing: ["b", "a"], unexpected: [], present: [] },
    ],
    ["nothing is expected", [], ["a"], undefined, { missing: [], unexpected: ["a"], present: [] }],
    [
      "a repeated name counts once",
      ["a", "a"],
      ["b", "b"],
      undefined,
      { missing: ["a"], unexpected: ["b"], present: [] },
    ],
    ["case counts", ["A"], ["a"], undefined, { missing: ["A"], unexpected: ["a"], present: [] }],
    [
      "unless the names are made the same; each keeps its spelling",
      ["NODE1", "node2"],
      ["node1.bnl.gov", "Node3.bnl.gov"],
      host,
      { missing: ["node2"], unexpected: ["Node3.bnl.gov"], present: ["NODE1"] },
    ],
    [
      "a name of an object's own",
      ["__proto__"],
      ["constructor"],
      undefined,
      { missing: ["__proto__"], unexpected: ["constructor"], present: [] },
    ],
  ])("%s", (_, expected, seen, sameAs, result) => {
    expect(expectedSet(expected, seen, sameAs)).toEqual(result);
    expect(expectedSet(new Set(expected), new Set(seen), sameAs)).toEqual(result);
  });

  test("a field that the service left out is an error, not a name that is missing", () => {
    const rows = JSON.parse('[{"host": "a"}, {}, {"host": null}]');
    const seen = rows.map((row: { host: string }) => row.host);
    expect(() => expectedSet(["a"], seen)).toThrow(
      new TypeError("expectedSet: seen has undefined, which is not a string"),
    );
    expect(() => expectedSet(seen.slice(2), [])).toThrow("expectedSet: expected has null");
  });

  test("each name is in exactly one of the three", () => {
    const names = array(string({ maxLength: 2 }), { maxLength: 20 });
    assert(
      property(names, names, (expected, seen) => {
        const { missing, unexpected, present } = expectedSet(expected, seen);
        const all = [...missing, ...unexpected, ...present];
        expect(new Set(all).size).toBe(all.length);
        expect(new Set(all)).toEqual(new Set([...expected, ...seen]));
        expect(new Set([...missing, ...present])).toEqual(new Set(expected));
      }),
    );
  });
});
