import { describe, expect, test } from "vitest";
import { describeReminders, reminderNotes } from "../../src/cli/reminders.ts";
import type { RenotifyRule } from "../../src/core/renotify.ts";
import { NO_REMINDERS } from "../support/reminders.ts";

describe("reminders in words", () => {
  test.each<readonly [string, Partial<RenotifyRule>, string]>([
    ["none", {}, "never: one mail per event"],
    ["none, whatever else is set", { growth: 2, count: 5 }, "never: one mail per event"],
    ["every wait the same", { hours: 24 }, "every 24 h while it fires"],
    [
      "waits that grow, and end",
      { hours: 1, growth: 2, maxHours: 24, count: 5 },
      "after 1 h, then each wait 2 times as long, at most 24 h; 5 times, the last marked FINAL",
    ],
    [
      "waits that grow without a limit",
      { hours: 0.5, growth: 1.5 },
      "after 0.5 h, then each wait 1.5 times as long",
    ],
    ["equal waits that end", { hours: 1, count: 2 }, "every 1 h while it fires; 2 times, the last"],
    ["a single one", { hours: 12, growth: 2, count: 1 }, "once, after 12 h, marked FINAL"],
    ["a first wait above the longest", { hours: 48, maxHours: 24 }, "every 24 h while it fires"],
    [
      "a first wait that is the longest, so that it cannot grow",
      { hours: 24, growth: 2, maxHours: 24 },
      "every 24 h while it fires",
    ],
  ])("%s", (_sentence, rule, words) => {
    expect(describeReminders({ ...NO_REMINDERS, ...rule })).toContain(words);
  });
});

describe("settings of reminders without an effect", () => {
  test.each<readonly [string, Partial<RenotifyRule>, readonly string[]]>([
    ["none is set", {}, []],
    ["all have an effect", { hours: 1, growth: 2, maxHours: 24, count: 5 }, []],
    ["a count without growth", { hours: 1, count: 5 }, []],
    [
      "a growth without reminders",
      { growth: 2 },
      ["it sends no reminders, so --renotify-growth has no effect; add --renotify HOURS"],
    ],
    [
      "a limit and a count without reminders",
      { maxHours: 24, count: 5 },
      [
        "it sends no reminders, so --renotify-max-hours, --renotify-count have no effect; add --renotify HOURS",
      ],
    ],
    [
      "a longest wait below the first",
      { hours: 48, growth: 2, maxHours: 24 },
      ["its --renotify-max-hours 24 is below --renotify 48: every wait is 24 h"],
    ],
    [
      "a longest wait of waits that do not grow",
      { hours: 1, maxHours: 24 },
      ["its waits do not grow, so --renotify-max-hours 24 has no effect; add --renotify-growth"],
    ],
  ])("%s", (_sentence, rule, notes) => {
    expect(reminderNotes({ ...NO_REMINDERS, ...rule })).toEqual(notes);
  });
});
