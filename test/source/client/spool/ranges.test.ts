import fc from "fast-check";
import { expect, test } from "vitest";
import { include, isWithin, type Ranges } from "../../../../src/source/client/spool/ranges.ts";

test.each<[string, Ranges, number, Ranges]>([
  ["the first number is a run", [], 5, [5, 5]],
  ["the next one makes it longer", [5, 5], 6, [5, 6]],
  ["so does the one before", [5, 6], 4, [4, 6]],
  ["one beyond begins a run", [4, 6], 9, [4, 6, 9, 9]],
  ["one below begins a run", [4, 6], 1, [1, 1, 4, 6]],
  ["the missing one joins two runs", [1, 1, 3, 5], 2, [1, 5]],
  ["one that is in it changes nothing", [1, 5], 3, [1, 5]],
])("%s", (_, ranges, n, expected) => {
  const changed = [...ranges];
  include(changed, n, 100);
  expect(changed).toEqual(expected);
});

test("only the highest runs stay", () => {
  const ranges: Ranges = [];
  for (const n of [1, 3, 5, 7]) include(ranges, n, 3);
  expect(ranges).toEqual([3, 3, 5, 5, 7, 7]);
});

test("they hold what a set holds", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 60 })), (numbers) => {
      const ranges: Ranges = [];
      const set = new Set<number>();
      for (const n of numbers) {
        include(ranges, n, 100);
        set.add(n);
      }
      for (let n = -1; n <= 61; n++) expect(isWithin(ranges, n)).toBe(set.has(n));
      expect(ranges).toEqual(ranges.toSorted((a, b) => a - b));
    }),
  );
});
