import { describe, expect, test } from "vitest";
import {
  allSweeps,
  DAY,
  dayToFold,
  dueSweeps,
  foldBefore,
  type Progress,
  type Retention,
  type RetentionMemory,
  rememberSweep,
} from "../../src/core/retention.ts";

const FOR_EVER: Retention = {
  engineRunsDays: undefined,
  clearedEventsDays: undefined,
  notificationsDays: undefined,
};
/** 2026-11-21 00:00 UTC */
const MIDNIGHT = 1_795_219_200;
const NOON = MIDNIGHT + DAY / 2;

describe("what is due", () => {
  test.each<[string, Partial<Retention>, number, readonly (readonly [string, number])[]]>([
    ["nothing where all is kept for ever", {}, NOON, []],
    [
      "each kind by its own days, from a midnight on",
      { engineRunsDays: 14, clearedEventsDays: 30, notificationsDays: 365 },
      NOON,
      [
        ["engine_runs", MIDNIGHT - 14 * DAY],
        ["cleared_events", MIDNIGHT - 30 * DAY],
        ["notifications", MIDNIGHT - 365 * DAY],
      ],
    ],
    [
      "at the midnight itself the day that ends is as old as the limit",
      { engineRunsDays: 14 },
      MIDNIGHT,
      [["engine_runs", MIDNIGHT - 14 * DAY]],
    ],
    [
      "a moment earlier it is not",
      { engineRunsDays: 14 },
      MIDNIGHT - 0.001,
      [["engine_runs", MIDNIGHT - 15 * DAY]],
    ],
    [
      "one day is at least a day, whatever the hour",
      { notificationsDays: 1 },
      MIDNIGHT + DAY - 0.001,
      [["notifications", MIDNIGHT - DAY]],
    ],
  ])("%s", (_, retention, now, expected) => {
    const sweeps = allSweeps({ ...FOR_EVER, ...retention }, now);
    expect(sweeps).toEqual(expected.map(([kind, before]) => ({ kind, from: 0, before })));
  });
});

describe("what a tick has to do", () => {
  const before = MIDNIGHT - 14 * DAY;
  const reached = (last: Partial<Progress>): RetentionMemory => ({
    engine_runs: { before, reached: 0, failedAt: undefined, ...last },
  });
  const whole = { kind: "engine_runs", from: 0, before };
  test.each<[string, RetentionMemory, readonly object[]]>([
    ["all of it the first time", {}, [whole]],
    ["nothing once the day's sweep is done", reached({ before, reached: before }), []],
    [
      "the rest of a sweep that has begun",
      reached({ before, reached: before - 5 }),
      [{ ...whole, from: before - 5 }],
    ],
    [
      "a new sweep on a new day, from the beginning: what was owed may be so no more",
      reached({ before: before - DAY, reached: before - DAY }),
      [whole],
    ],
    [
      "a new sweep too where yesterday's was not done",
      reached({ before: before - DAY, reached: before - 9 * DAY }),
      [whole],
    ],
    [
      "nothing that a shorter setting has done before",
      reached({ before: before + DAY, reached: before + DAY }),
      [],
    ],
    [
      "all of it where a sweep with a shorter setting came only so far",
      reached({ before: before + DAY, reached: before - DAY }),
      [whole],
    ],
    ["nothing on the day it failed", reached({ failedAt: MIDNIGHT }), []],
    [
      "what is left of it on the day after",
      reached({ reached: 5, failedAt: MIDNIGHT - 0.001 }),
      [{ ...whole, from: 5 }],
    ],
    ["all of it where the clock went backwards", reached({ failedAt: NOON + DAY }), [whole]],
  ])("%s", (_, memory, expected) => {
    expect(dueSweeps({ ...FOR_EVER, engineRunsDays: 14 }, memory, NOON)).toEqual(expected);
  });

  test("a kind that failed holds up no other", () => {
    const retention = { engineRunsDays: 14, clearedEventsDays: 30, notificationsDays: 365 };
    const due = dueSweeps(retention, reached({ failedAt: MIDNIGHT }), NOON);
    expect(due.map(({ kind }) => kind)).toEqual(["cleared_events", "notifications"]);
  });

  test("a step is remembered beside the others, and ends its kind's failure alone", () => {
    const sweep = { kind: "notifications", from: 0, before: 9 } as const;
    const failed = rememberSweep(reached({ failedAt: 7 }), sweep, 3, 7);
    expect(failed).toEqual({
      ...reached({ failedAt: 7 }),
      notifications: { before: 9, reached: 3, failedAt: 7 },
    });
    expect(rememberSweep(failed, sweep, 4)).toEqual({
      ...failed,
      notifications: { before: 9, reached: 4, failedAt: undefined },
    });
  });
});

describe("the day that becomes one row", () => {
  const before = 10 * DAY;
  test.each<[string, number | undefined, number | undefined, number | undefined]>([
    ["is that of the oldest run", 3 * DAY + 5, 40 * DAY, 3 * DAY],
    ["the last one ends at the limit", 10 * DAY - 0.001, 40 * DAY, 9 * DAY],
    ["none begins there", 10 * DAY, 40 * DAY, undefined],
    ["none where there is no run", undefined, 40 * DAY, undefined],
    ["none while there are fewer runs than dashboards show", 3 * DAY, undefined, undefined],
    ["not the day of a run that dashboards show", 8 * DAY, 8 * DAY + 500, undefined],
    ["but the day before it", 7 * DAY, 8 * DAY + 500, 7 * DAY],
  ])("%s", (_, oldest, shownFrom, expected) => {
    expect(dayToFold({ oldest, before, shownFrom })).toBe(expected);
    if (expected !== undefined) expect(expected).toBeLessThan(foldBefore(before, shownFrom));
  });
});
