import { describe, expect, test } from "vitest";
import {
  allSweeps,
  DAY,
  dayToFold,
  dueSweeps,
  foldBefore,
  NO_MEMORY,
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
  const reached = (last: { before: number; reached: number }): RetentionMemory => ({
    sweeps: { engine_runs: last },
    failedAt: undefined,
  });
  const whole = { kind: "engine_runs", from: 0, before };
  test.each<[string, RetentionMemory, readonly object[]]>([
    ["all of it the first time", NO_MEMORY, [whole]],
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
    ["nothing on the day it failed", { sweeps: {}, failedAt: MIDNIGHT }, []],
    ["all of it on the day after", { sweeps: {}, failedAt: MIDNIGHT - 0.001 }, [whole]],
    ["all of it where the clock went backwards", { sweeps: {}, failedAt: NOON + DAY }, [whole]],
  ])("%s", (_, memory, expected) => {
    expect(dueSweeps({ ...FOR_EVER, engineRunsDays: 14 }, memory, NOON)).toEqual(expected);
  });

  test("a step is remembered beside the others, and ends a failure", () => {
    const memory = { ...reached({ before: 5, reached: 5 }), failedAt: 7 };
    expect(rememberSweep(memory, { kind: "notifications", from: 0, before: 9 }, 3)).toEqual({
      sweeps: { engine_runs: { before: 5, reached: 5 }, notifications: { before: 9, reached: 3 } },
      failedAt: undefined,
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
