import { expect, test } from "vitest";
import { count, type PoolCount, takeLost } from "../../../../src/source/client/spool/pool_count.ts";

const NOW = 1000;
/** Long enough ago. */
const OLD = NOW - 61;

/** The serial is the number itself unless there is another. */
type Seen = readonly [n: number, at: number, serial?: number];

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
      [1, OLD],
      [0, OLD, 7],
      [2, OLD, 9],
    ],
    1,
    [],
  ],
  [
    "the first ones of a pool that was made anew may be missing",
    [
      [0, OLD],
      [1, OLD],
      [2, OLD],
      [2, OLD, 7],
      [3, OLD, 8],
    ],
    2,
    [],
  ],
  [
    "what was still missing when the pool was made anew is lost",
    [
      [0, NOW],
      [3, NOW],
      [0, NOW, 7],
      [1, NOW, 8],
    ],
    2,
    [],
  ],
  [
    "what another listener refused comes late, with an earlier serial and the next number",
    [
      [0, OLD, 20],
      [1, OLD, 5],
      [2, OLD, 21],
    ],
    0,
    [],
  ],
  [
    "so it may in another order, from the two processes of a pool",
    [
      [0, OLD, 20],
      [2, OLD, 5],
      [1, OLD, 21],
    ],
    0,
    [],
  ],
])("%s", (_, seen, lost, left) => {
  const pool: PoolCount = { pool: "swf", serial: -1, next: 0, gaps: [], lost: 0 };
  for (const [poolserial, at, serial = poolserial] of seen) count(pool, { serial, poolserial, at });
  expect(takeLost(pool, NOW)).toBe(lost);
  expect(pool.gaps).toEqual(left);
  expect(takeLost(pool, NOW)).toBe(0);
});
