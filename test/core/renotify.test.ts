import { describe, expect, test } from "vitest";
import { isReminderDue, nextReminder, type RenotifyRule } from "../../src/core/renotify.ts";
import { NO_REMINDERS } from "../support/reminders.ts";

const SINCE = 1_800_000_000;

/** Hours between the reminders of an event that fires for ever, and the mark of the last one. */
function course(rule: Partial<RenotifyRule>, most = 6): readonly (number | "final")[] {
  const waits: (number | "final")[] = [];
  for (let [since, sent] = [SINCE, 0]; sent < most; sent++) {
    const next = nextReminder({ ...NO_REMINDERS, ...rule }, { since, sent });
    if (next === undefined) return waits;
    expect(next.number).toBe(sent + 1);
    waits.push((next.due - since) / 3600);
    if (next.isFinal) waits.push("final");
    since = next.due;
  }
  return waits;
}

describe("a course of reminders", () => {
  test.each([
    ["no hours: none", {}, []],
    ["the same wait for ever", { hours: 24 }, [24, 24, 24, 24, 24, 24]],
    ["each wait twice as long", { hours: 1, growth: 2 }, [1, 2, 4, 8, 16, 32]],
    ["up to a limit", { hours: 1, growth: 2, maxHours: 6 }, [1, 2, 4, 6, 6, 6]],
    ["so many, the last one marked", { hours: 1, count: 3 }, [1, 1, 1, "final"]],
    ["all of it", { hours: 1, growth: 3, maxHours: 5, count: 4 }, [1, 3, 5, 5, "final"]],
    ["one only", { hours: 2, count: 1 }, [2, "final"]],
  ] as const)("%s", (_, rule, waits) => {
    expect(course(rule)).toEqual(waits);
  });

  test("a wait without end is a time that never comes, not a number that no row can hold", () => {
    const next = nextReminder(
      { ...NO_REMINDERS, hours: 1, growth: 10 },
      { since: SINCE, sent: 400 },
    );
    expect(next?.due).toBe(SINCE + 1e10);
  });
});

test.each([
  ["in the same minute", 3600, 3600, true],
  ["a tick that started some seconds earlier than the last one", 3605, 3600, true],
  ["a minute before", 3660, 3600, false],
  ["a minute later", 3600, 3660, true],
])("it is due: %s", (_, due, now, expected) => {
  expect(isReminderDue({ due, number: 1, isFinal: false }, now)).toBe(expected);
});
