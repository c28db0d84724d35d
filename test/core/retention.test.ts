import { describe, expect, test } from "vitest";
import { pruneLimits, type Retention, renderRemoved } from "../../src/core/retention.ts";

const FOREVER: Retention = {
  engineRunsDays: undefined,
  clearedEventsDays: undefined,
  notificationsDays: undefined,
};
const DAY = 86_400;
/** 2026-11-21 00:00 UTC */
const MIDNIGHT = 1_795_219_200;
const NOON = MIDNIGHT + DAY / 2;

describe("what is removed", () => {
  test.each<[string, Partial<Retention>, number, readonly (readonly [string, number])[]]>([
    ["nothing if all rows are kept forever", {}, NOON, []],
    [
      "each kind after its own days, counted from midnight; skipped ticks with the runs",
      { engineRunsDays: 14, clearedEventsDays: 30, notificationsDays: 365 },
      NOON,
      [
        ["engine runs", MIDNIGHT - 14 * DAY],
        ["skipped ticks", MIDNIGHT - 14 * DAY],
        ["cleared events", MIDNIGHT - 30 * DAY],
        ["notifications", MIDNIGHT - 365 * DAY],
      ],
    ],
    [
      "the limit moves at midnight",
      { clearedEventsDays: 14 },
      MIDNIGHT,
      [["cleared events", MIDNIGHT - 14 * DAY]],
    ],
    [
      "and not a moment earlier",
      { clearedEventsDays: 14 },
      MIDNIGHT - 0.001,
      [["cleared events", MIDNIGHT - 15 * DAY]],
    ],
  ])("%s", (_, retention, now, expected) => {
    expect(pruneLimits({ ...FOREVER, ...retention }, now)).toEqual(expected);
  });
});

test("numbers of removed rows are rendered in the singular and the plural, without zeros", () => {
  expect(renderRemoved(new Map())).toBe("");
  expect(
    renderRemoved(
      new Map([
        ["engine runs", 288],
        ["skipped ticks", 0],
        ["notifications", 1],
      ]),
    ),
  ).toBe("288 engine runs, 1 notification");
});
