import { expect, test } from "vitest";
import { pendingDetections } from "../../src/cli/pending.ts";
import { ENGINE } from "../../src/core/event_key.ts";
import { describeProgress, type SettleRule } from "../../src/core/settle.ts";

const NOW = 1_790_000_000;
const ENTRY = { first_seen: NOW - 600, hits: "101", subject: "S" };

function states(alarm: string, pending: object) {
  return new Map([[`state:pending:${alarm}`, { pending: { k: ENTRY, ...pending } }]]);
}

const row = (name: string, settle: SettleRule | undefined, archived = false) => {
  return { name, settle, archived };
};

test.each([
  [
    "some of the last outcomes",
    row("x", { hits: 3, of: 4 }),
    "in 2 of 3 outcomes",
    "after 3 of the",
  ],
  ["a time", row("x", { seconds: 900 }), "for 10 min of 15 min", "after 15 min"],
  ["a rule that was taken back", row("x", undefined), "in 1 of 1 outcomes", "when it is detected"],
  ["the alarm of the engine", row(ENGINE, undefined), "in 2 outcomes", "if it lasts"],
])("how far it has come and when it fires: %s", (_, alarm, progress, fires) => {
  const [found, ...others] = pendingDetections(states(alarm.name, {}), [alarm], NOW);
  expect(others).toEqual([]);
  expect(found).toMatchObject({ alarm: alarm.name, key: "k", firstSeen: NOW - 600, subject: "S" });
  expect(found && describeProgress(found)).toBe(progress);
  expect(found?.fires).toContain(fires);
});

test("of two rows of one alarm the older one counts, an archived one does not, and the oldest detection comes first", () => {
  const rows = [
    row("x", { hits: 9, of: 9 }, true),
    row("x", { hits: 5, of: 5 }),
    row("x", { hits: 7, of: 7 }),
    row("y", undefined, true),
  ];
  const older = { first_seen: NOW - 900, hits: "1" };
  const all = new Map([...states("x", { older }), ...states("y", {})]);
  const found = pendingDetections(all, rows, NOW);
  expect(found.map(({ alarm, key, needed }) => [alarm, key, needed])).toEqual([
    ["x", "older", 5],
    ["x", "k", 5],
  ]);
});
