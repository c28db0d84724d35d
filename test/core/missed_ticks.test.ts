import { describe, expect, test } from "vitest";
import { missedTicks } from "../../src/core/missed_ticks.ts";

const NOW = 1_800_000_000;

/** Starts of ticks, the last so many seconds ago, and before that at these intervals. */
function starts(ago: number, intervals: readonly number[]): number[] {
  let at = NOW - ago;
  return [at, ...intervals.map((seconds) => (at -= seconds))];
}

const EVERY_5_MIN = new Array<number>(12).fill(300);

describe("ticks that the schedule lacks", () => {
  const rows: readonly [string, readonly number[], number | undefined][] = [
    ["no tick before", [], undefined],
    ["on time", starts(300, EVERY_5_MIN), undefined],
    ["one tick left out may be a slow one", starts(600, EVERY_5_MIN), undefined],
    ["a gap of two and a half intervals is not yet one", starts(750, EVERY_5_MIN), undefined],
    ["a longer one is", starts(751, EVERY_5_MIN), 2],
    ["a weekend", starts(2 * 86_400, EVERY_5_MIN), 575],
    ["six intervals show a schedule", starts(3000, EVERY_5_MIN.slice(0, 6)), 9],
    ["five do not", starts(3000, EVERY_5_MIN.slice(0, 5)), undefined],
    [
      "a quarter of the intervals may differ",
      starts(3000, [...EVERY_5_MIN.slice(3), 60, 240, 900]),
      9,
    ],
    ["not more", starts(3000, [...EVERY_5_MIN.slice(4), 60, 30, 30, 900]), undefined],
    ["20 % is regular", starts(3000, [300, 360, 240, 300, 360, 240, 300]), 9],
    ["a tick a minute is a schedule", starts(600, new Array<number>(12).fill(60)), 9],
    ["a loop without a pause is none", starts(600, new Array<number>(12).fill(20)), undefined],
    ["by hand, now and then", starts(86_400, [60, 4000, 9000, 100, 70, 80_000, 300]), undefined],
    [
      "only the last twelve intervals show it: the schedule has changed",
      starts(3000, [...EVERY_5_MIN, ...new Array<number>(30).fill(3600)]),
      9,
    ],
    [
      "a start from the future, by a clock that was ahead, is ignored",
      [NOW + 9000, ...starts(3000, EVERY_5_MIN)],
      9,
    ],
    ["in any order", starts(3000, EVERY_5_MIN).toReversed(), 9],
  ];
  test.each(rows)("%s", (_, given, ticks) => {
    const since = given
      .filter((start) => start <= NOW)
      .toSorted()
      .at(-1);
    expect(missedTicks(given, NOW)).toEqual(ticks === undefined ? undefined : { since, ticks });
  });
});
