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
  test.each<[string, Partial<Retention>, number, readonly (number | null)[]]>([
    ["nothing if all rows are kept forever", {}, NOON, [null, null, null, null, null]],
    [
      "each kind after its own days, counted from midnight; skipped ticks with the runs, memory with the events",
      { engineRunsDays: 14, clearedEventsDays: 30, notificationsDays: 365 },
      NOON,
      [14, 14, 30, 365, 30].map((days) => MIDNIGHT - days * DAY),
    ],
    [
      "the limit moves at midnight",
      { clearedEventsDays: 14 },
      MIDNIGHT,
      [null, null, MIDNIGHT - 14 * DAY, null, MIDNIGHT - 14 * DAY],
    ],
    [
      "and not a moment earlier",
      { clearedEventsDays: 14 },
      MIDNIGHT - 0.001,
      [null, null, MIDNIGHT - 15 * DAY, null, MIDNIGHT - 15 * DAY],
    ],
  ])("%s", (_, retention, now, expected) => {
    const kinds = [
      "engine runs",
      "skipped ticks",
      "cleared events",
      "notifications",
      "memory rows",
    ];
    const limits = kinds.map((kind, index) => [kind, expected[index]]);
    expect(pruneLimits({ ...FOREVER, ...retention }, now)).toEqual(limits);
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
