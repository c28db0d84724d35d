import { expect, test } from "vitest";
import { count, type PoolCount, takeLost } from "../../../../src/source/client/spool/pool_count.ts";

const NOW = 1000;
/** Long enough ago. */
const OLD = NOW - 61;

type Seen = readonly [n: number, at: number, isNewest?: boolean];

test.each<[string, readonly Seen[], number, PoolCount["gaps"]]>([
  [
    "nothing is lost of numbers in order",
    [
      [0, OLD],
      [1, OLD],
      [2, OLD],
    ],
    0,
    [],
  ],
  [
    "what is missing for over a minute is lost",
    [
      [0, OLD],
      [3, OLD],
    ],
    2,
    [],
  ],
  [
    "what is missing for less may still come",
    [
      [0, OLD],
      [3, NOW - 60],
    ],
    0,
    [[1, 2, NOW - 60]],
  ],
  ["the first ones may be missing too", [[2, OLD]], 2, []],
  [
    "what came late is not lost",
    [
      [0, OLD],
      [2, OLD],
      [1, OLD],
    ],
    0,
    [],
  ],
  [
    "one in the middle of a gap leaves both sides",
    [
      [0, OLD],
      [6, OLD],
      [3, OLD],
    ],
    4,
    [],
  ],
  [
    "a number that comes twice is not missed twice",
    [
      [0, OLD],
      [0, OLD],
      [2, OLD],
      [2, OLD],
    ],
    1,
    [],
  ],
  [
    "each gap has its own time",
    [
      [1, OLD],
      [3, NOW],
    ],
    1,
    [[2, 2, NOW]],
  ],
  [
    "a pool that was made anew counts from 0",
    [
      [0, OLD],
      [5, OLD],
      [0, OLD, true],
      [2, OLD],
    ],
    1,
    [],
  ],
])("%s", (_, seen, lost, left) => {
  const pool: PoolCount = { pool: "swf", next: 0, gaps: [] };
  for (const [n, at, isNewest = false] of seen) count(pool, n, at, isNewest);
  expect(takeLost(pool, NOW)).toBe(lost);
  expect(pool.gaps).toEqual(left);
  expect(takeLost(pool, NOW)).toBe(0);
});
