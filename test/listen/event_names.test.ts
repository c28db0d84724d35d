import { describe, expect, test } from "vitest";
import { DEFAULT_EVENTS, isKept, parseEventNames } from "../../src/listen/event_names.ts";

describe("an event is kept", () => {
  test.each([
    ["if its family is named", "PROCESS_STATE_EXITED", ["PROCESS_STATE"], true],
    ["if it is named itself", "PROCESS_STATE_EXITED", ["PROCESS_STATE_EXITED"], true],
    ["if all are", "PROCESS_LOG_STDERR", ["EVENT"], true],
    ["always, as the sign of life", "TICK_60", ["PROCESS_STATE"], true],
    ["but no sibling", "PROCESS_STATE_FATAL", ["PROCESS_STATE_EXITED"], false],
    ["but no other family", "PROCESS_LOG_STDERR", ["PROCESS_STATE"], false],
    ["but none whose name only begins the same", "TICK_3600", ["TICK_36"], false],
    ["unless it is output of programs", "PROCESS_LOG_STDOUT", DEFAULT_EVENTS, false],
    ["unless it is another tick", "TICK_5", DEFAULT_EVENTS, false],
    ["if programs send it", "REMOTE_COMMUNICATION", DEFAULT_EVENTS, true],
    ["if a group is added", "PROCESS_GROUP_ADDED", DEFAULT_EVENTS, true],
    ["if supervisord stops", "SUPERVISOR_STATE_CHANGE_STOPPING", DEFAULT_EVENTS, true],
  ])("%s: %s", (_, event, names, kept) => {
    expect(isKept(event, names)).toBe(kept);
  });
});

describe("a list", () => {
  test.each([
    ["of one name", "PROCESS_LOG", ["PROCESS_LOG"]],
    ["with spaces and small letters", " process_state , Tick_60,", ["PROCESS_STATE", "TICK_60"]],
  ])("%s is read", (_, text, names) => {
    expect(parseEventNames(text)).toEqual(names);
  });

  test.each([
    ["that is empty", " , ", "no event is named; write names such as PROCESS_STATE,"],
    ["with a typing error", "PROCES_STATE", "no event PROCES_STATE (did you mean PROCESS_STATE?)"],
    ["with a word", "everything", "supervisord has no event EVERYTHING;"],
  ])("%s is refused", (_, text, fault) => {
    expect(parseEventNames(text)).toEqual({ fault: expect.stringContaining(fault) });
  });
});
