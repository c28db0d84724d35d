import { describe, expect, test } from "vitest";
import { alarmChannels } from "../../src/core/alarm_channels.ts";

/** `*` marks the default ones. */
function configured(names: readonly string[]) {
  return new Map(
    names.map((name) => [name.replace("*", ""), { isDefault: name.endsWith("*") }] as const),
  );
}

describe("the channels of an alarm", () => {
  test.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ["without a configuration: email", [], [], ["email"]],
    ["email, unless another is a default", [], ["email", "chat"], ["email"]],
    ["all the default ones, in their order", [], ["email", "chat*", "hook*"], ["chat", "hook"]],
    ["email beside them, if it is a default too", [], ["email*", "chat*"], ["email", "chat"]],
    [
      "those that its row names, in its order",
      ["hook", "email"],
      ["email", "chat*", "hook"],
      ["hook", "email"],
    ],
    ["email needs no configuration", ["email"], [], ["email"]],
  ])("%s", (_, named, names, expected) => {
    expect(alarmChannels(named, configured(names))).toEqual({ names: expected, faults: [] });
  });

  test("a name that the configuration lacks is a fault, with what to write; the others stay", () => {
    const { names, faults } = alarmChannels(["chta", "hook"], configured(["chat*", "hook"]));
    expect(names).toEqual(["hook"]);
    expect(faults).toEqual([
      'the row names the channel "chta", which is not in the configuration (did you mean chat?); add [channels.NAME], or run: bin/swf-alarms alarm set NAME --channel email chat hook',
    ]);
  });

  test("a row whose names are all wrong has no channels: it does not fall back to others", () => {
    const { names, faults } = alarmChannels(["constructor"], configured(["chat*"]));
    expect(names).toEqual([]);
    expect(faults).toHaveLength(1);
  });
});
