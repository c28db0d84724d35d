import { describe, expect, test } from "vitest";
import { alarmEntryId, alarmName, eventEntryId, isAlarmName } from "../../src/core/event_key.ts";

test("an alarm's row and its events are named after it", () => {
  expect(alarmEntryId("x")).toBe("alarm_x");
  expect(eventEntryId("x")).toBe("event_x");
});

test.each([
  ["the prefix is taken off", "alarm_x", "x"],
  ["once only", "alarm_alarm_x", "alarm_x"],
  ["a row without it names the alarm as it stands", "x", "x"],
  ["it is a prefix, not a part", "my_alarm_x", "my_alarm_x"],
  ["nothing behind it is an empty name", "alarm_", ""],
])("%s", (_, entryId, name) => {
  expect(alarmName(entryId)).toBe(name);
});

describe("a name that may be a file", () => {
  test.each(["a", "panda_failure_rate", "x9", "a__b", "a".repeat(200)])("%s is one", (name) => {
    expect(isAlarmName(name)).toBe(true);
  });

  test.each([
    ["an empty one", ""],
    ["a digit first", "9x"],
    ["an underscore first", "_x"],
    ["a capital", "Alarm"],
    ["a hyphen", "my-alarm"],
    ["a dot", "a.b"],
    ["a way out of the folder", "../a"],
    ["a folder", "lib/a"],
    ["a folder of Windows", "lib\\a"],
    ["a NUL", "a\0"],
    ["a line break at the end", "a\n"],
    ["a letter outside ASCII", "größe"],
    ["201 letters", "a".repeat(201)],
  ])("%s is none", (_, name) => {
    expect(isAlarmName(name)).toBe(false);
  });
});
