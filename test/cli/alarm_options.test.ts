import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { addSettingOptions, settingKeys } from "../../src/cli/alarm_options.ts";

/** What the row gets. */
function keysOf(line: string) {
  const command = addSettingOptions(new Command()).exitOverride();
  command.configureOutput({ writeErr: () => {} });
  command.parse(line.split(" "), { from: "user" });
  return settingKeys(command.opts());
}

describe("options of alarm set as the row has them", () => {
  test.each<readonly [string, string, object]>([
    ["mail", "--mail off", { enabled: false }],
    ["a severity", "--severity critical", { severity: "critical" }],
    ["no severity", "--severity none", { severity: null }],
    ["outcomes in a row", "--settle 3", { settle: "3" }],
    ["some of the last outcomes", "--settle 2/3", { settle: "2/3" }],
    ["all of the last outcomes", "--settle 3/3", { settle: "3" }],
    ["settle off", "--settle off", { settle: null }],
    ["one outcome, which is off", "--settle 1", { settle: null }],
    ["seconds", "--clear-after 45s", { clear_after: "45s" }],
    ["minutes", "--clear-after 90m", { clear_after: "90m" }],
    ["minutes that are hours", "--clear-after 120m", { clear_after: "2h" }],
    ["days", "--clear-after 30d", { clear_after: "30d" }],
    ["clear after off", "--clear-after off", { clear_after: null }],
    ["clears", "--notify-clear on", { notify_clear: true }],
    ["no clears, also for the alarm engine", "--notify-clear off", { notify_clear: false }],
    [
      "a course of reminders",
      "--renotify 1 --renotify-growth 1.5 --renotify-max-hours 24 --renotify-count 5",
      {
        renotification_window_hours: 1,
        renotification_growth: 1.5,
        renotification_max_hours: 24,
        renotification_count: 5,
      },
    ],
    [
      "reminders as at first",
      "--renotify 0 --renotify-growth 1 --renotify-max-hours off --renotify-count off",
      {
        renotification_window_hours: 0,
        renotification_growth: 1,
        renotification_max_hours: null,
        renotification_count: null,
      },
    ],
  ])("%s", (_sentence, line, keys) => {
    expect(keysOf(line)).toEqual(keys);
  });
});

describe("a value that an option does not take is a usage error that says what to write", () => {
  test.each<readonly [string, string, string]>([
    ["a severity in capitals", "--severity Warning", "(did you mean warning?)"],
    ["a mistyped severity", "--severity critcal", "(did you mean critical?)"],
    [
      "another severity",
      "--severity high",
      "there is no such severity; write info, warning, error, critical or none",
    ],
    ["more than it looks at", "--settle 4/3", "some of the last ones such as 2/3"],
    ["of no outcomes", "--settle 0/3", "write a number of outcomes"],
    ["of too many outcomes", "--settle 101", "at most 100"],
    ["too long", "--clear-after 31d", "a time such as 15m"],
    ["a time without a unit of time", "--clear-after 15x", "a time such as 15m"],
    ["neither on nor off", "--notify-clear yes", "write on or off"],
    ["growth below 1", "--renotify-growth 0.9", "write a factor from 1 to 10, such as 2"],
    ["growth above 10", "--renotify-growth 10.5", "write a factor from 1 to 10"],
    ["growth off", "--renotify-growth off", "1 keeps every wait the same"],
    ["no longest wait", "--renotify-max-hours 0", "a number of hours above 0, such as 24, or off"],
    ["hours with a unit", "--renotify-max-hours 24h", "a number of hours above 0"],
    ["no reminders", "--renotify-count 0", "write a whole number, at least 1, or off"],
    ["half a reminder", "--renotify-count 2.5", "write a whole number, at least 1, or off"],
  ])("%s", (_sentence, line, says) => {
    expect(() => keysOf(line)).toThrow(says);
  });
});
