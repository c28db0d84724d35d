import { describe, expect, test } from "vitest";
import { type SendFacts, sendReason } from "../../src/core/send_reason.ts";

describe("whether it is sent, and the first reason why not", () => {
  const rows: readonly [string, Partial<SendFacts>, ReturnType<typeof sendReason>][] = [
    ["with something to say", {}, "due"],
    ["nothing to say", { items: 0 }, "nothing to mail"],
    ["mail is off", { enabled: false }, "mail is off"],
    ["a plan", { mode: "plan" }, "plan only"],
    ["a dry run", { mode: "dry-run" }, "dry run"],
    ["a channel with wrong settings", { channel: "unusable" }, "the channel cannot be used"],
    ["no recipients", { recipientCount: 0 }, "no recipients"],
    ["no [email]", { channel: "not configured" }, "mail is not configured"],
  ];
  const USUAL: SendFacts = {
    items: 1,
    enabled: true,
    mode: "tick",
    recipientCount: 1,
    channel: "usable",
  };
  test.each(rows)("%s", (_, changes, reason) => {
    expect(sendReason({ ...USUAL, ...changes })).toBe(reason);
  });

  const WRONG: SendFacts = {
    items: 0,
    enabled: false,
    mode: "dry-run",
    recipientCount: 0,
    channel: "unusable",
  };
  const ALARM_ON = { items: 1, enabled: true };
  test.each([
    ["nothing to say comes first", {}, "nothing to mail"],
    ["then the alarm's own setting", { items: 1 }, "mail is off"],
    ["then the mode", ALARM_ON, "dry run"],
    ["then the channel", { ...ALARM_ON, mode: "tick" }, "the channel cannot be used"],
    [
      "then its recipients, also without [email]",
      { ...ALARM_ON, mode: "tick", channel: "not configured" },
      "no recipients",
    ],
  ] as const)("%s", (_, changes, reason) => {
    expect(sendReason({ ...WRONG, ...changes })).toBe(reason);
  });
});
