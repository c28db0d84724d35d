import { describe, expect, test } from "vitest";
import type { AlarmState } from "../../src/core/quarantine.ts";
import {
  type AlarmStatus,
  judgeAlarm,
  judgeTicks,
  needsAttention,
  type RunFacts,
  type Status,
} from "../../src/core/status.ts";

const NOW = 1_800_000_000;

function run(minutesAgo: number, changes: Partial<RunFacts> = {}): RunFacts {
  const startedAt = NOW - minutesAgo * 60;
  return {
    startedAt,
    finishedAt: startedAt + 2,
    errors: 0,
    errorDetails: "",
    partial: false,
    ...changes,
  };
}

const unfinished = { finishedAt: undefined };

describe("the ticks of the past", () => {
  const at = (minutesAgo: number): number => NOW - minutesAgo * 60;
  const rows: readonly [string, readonly RunFacts[], boolean, object][] = [
    ["none yet", [], false, { last: undefined, runningSince: undefined, crashed: undefined }],
    ["all went well", [run(1), run(6)], false, { last: run(1), crashed: undefined }],
    [
      "one is at work",
      [run(0, unfinished), run(5)],
      true,
      { last: run(5), runningSince: at(0), crashed: undefined },
    ],
    [
      "the newest never finished, and none is at work",
      [run(3, unfinished), run(8)],
      false,
      { last: run(8), runningSince: undefined, crashed: at(3) },
    ],
    [
      "one is at work, and one before it never finished",
      [run(0, unfinished), run(5, unfinished), run(10)],
      true,
      { last: run(10), runningSince: at(0), crashed: at(5) },
    ],
    [
      "one has just begun and has no record yet",
      [run(5), run(10)],
      true,
      { last: run(5), runningSince: undefined, crashed: undefined },
    ],
    [
      "one by name does not count as a tick over all",
      [run(1, { partial: true }), run(9)],
      false,
      { last: run(9) },
    ],
  ];
  test.each(rows)("%s", (_, runs, atWork, expected) => {
    expect(judgeTicks(runs, atWork)).toMatchObject(expected);
  });
});

describe("how an alarm is", () => {
  const quarantine = {
    since: NOW - 3600,
    pause: 4,
    wait: 2,
    triedAt: NOW - 900,
    lookedAt: NOW,
    notified: true,
  };
  const memory: AlarmState = {
    failures: 5,
    cause: "it broke",
    fingerprint: "",
    quarantine,
    recovery: undefined,
  };
  const rows: readonly [
    string,
    Partial<Parameters<typeof judgeAlarm>[0]>,
    Pick<AlarmStatus, "state" | "reason">,
  ][] = [
    ["it ran well", { noted: { errors: 0, error_message: "" } }, { state: "ready", reason: "" }],
    [
      "it is well, but nobody is mailed",
      { noted: { errors: 0, error_message: "no recipients; mail not sent" } },
      { state: "ready", reason: "" },
    ],
    [
      "it failed",
      { noted: { errors: 1, error_message: "status 502" } },
      { state: "failing", reason: "status 502" },
    ],
    [
      "it waits to be set up",
      { noted: { errors: 0, not_configured: "parameter a has no value" } },
      { state: "not configured", reason: "parameter a has no value" },
    ],
    [
      "it is quarantined",
      { noted: { errors: 1, error_message: "quarantined since …" }, state: memory },
      {
        state: "quarantined",
        reason:
          "since 2027-01-15 07:00 UTC; next try in 2 ticks (by 2027-01-15 13:45 UTC at the latest); it broke",
      },
    ],
    [
      "it failed, but is not quarantined yet",
      {
        noted: { errors: 1, error_message: "it broke" },
        state: { ...memory, quarantine: undefined },
      },
      { state: "failing", reason: "it broke" },
    ],
    ["no tick has seen it", { noted: undefined }, { state: "not run yet", reason: "" }],
    ["what was noted makes no sense", { noted: "x" }, { state: "not run yet", reason: "" }],
  ];
  test.each(rows)("%s", (_, facts, expected) => {
    const row = { entryId: "alarm_x", enabled: true };
    const judged = judgeAlarm({ row, noted: {}, state: undefined, active: 3, unsent: 1, ...facts });
    expect(judged).toEqual({ alarm: "alarm_x", mail: true, active: 3, unsent: 1, ...expected });
  });
});

describe("what somebody should look at", () => {
  const alarm: AlarmStatus = {
    alarm: "alarm_x",
    state: "ready",
    reason: "",
    mail: true,
    active: 2,
    unsent: 0,
  };
  const mail = {
    alarm: "alarm_x",
    attemptedAt: NOW,
    subject: "s",
    outcome: "failed",
    error: "e",
    resolved: false,
  };
  const ticks = judgeTicks([run(4)], false);
  const rows: readonly [string, Partial<Status>, readonly string[]][] = [
    ["all is well: nothing", {}, []],
    [
      "no tick ever",
      { ticks: judgeTicks([], false) },
      ["no tick has finished yet: does cron call bin/swf-alarms run?"],
    ],
    ["a tick fifteen minutes ago is not yet too long", { ticks: judgeTicks([run(15)], false) }, []],
    [
      "a longer silence is",
      { ticks: judgeTicks([run(17)], false) },
      ["no tick has finished for 17 min: does cron call it?"],
    ],
    [
      "a tick that has been at work for long",
      { ticks: judgeTicks([run(16, unfinished), run(21)], true) },
      ["no tick has finished for 21 min: one is at work"],
    ],
    [
      "the last tick never finished",
      { ticks: judgeTicks([run(4, unfinished), run(9)], false) },
      ["the tick of 2027-01-15 07:56 UTC never finished"],
    ],
    [
      "one before the last never finished, which is over",
      { ticks: judgeTicks([run(4), run(9, unfinished)], false) },
      [],
    ],
    [
      "the last tick had errors",
      { ticks: judgeTicks([run(4, { errors: 2 })], false) },
      ["the last tick had 2 error(s)"],
    ],
    [
      "alarms that fail or are quarantined",
      {
        alarms: [
          { ...alarm, state: "failing" },
          { ...alarm, alarm: "alarm_y", state: "quarantined" },
        ],
      },
      ["alarm_x is failing", "alarm_y is quarantined"],
    ],
    [
      "alarms that wait to be set up are no trouble",
      { alarms: [{ ...alarm, state: "not configured", active: 0 }] },
      [],
    ],
    [
      "unless they have events, which nobody watches any more",
      { alarms: [{ ...alarm, state: "not configured", active: 3, mail: false }] },
      ["alarm_x has 3 active event(s) and is not configured"],
    ],
    [
      "a mail that is owed",
      { alarms: [{ ...alarm, unsent: 2 }] },
      ["alarm_x owes a mail about 2 event(s)"],
    ],
    ["events nobody wants mailed", { alarms: [{ ...alarm, unsent: 2, mail: false }] }, []],
    [
      "a source that does not answer",
      {
        sources: [
          {
            source: "main",
            state: { kind: "unreachable", since: NOW, cause: "c", notified: false },
          },
        ],
      },
      ["source main is unreachable since 2027-01-15 08:00 UTC"],
    ],
    [
      "mails that failed, each alarm once",
      { mails: [mail, { ...mail, attemptedAt: NOW - 300 }] },
      ["the last mail of alarm_x is failed"],
    ],
    ["mails that were made up for", { mails: [{ ...mail, resolved: true }] }, []],
    ["ticks that were skipped are no trouble", { skipped: 12 }, []],
  ];
  test.each(rows)("%s", (_, changes, expected) => {
    const status = { now: NOW, ticks, skipped: 0, alarms: [alarm], sources: [], mails: [] };
    expect(needsAttention({ ...status, ...changes })).toEqual(expected);
  });
});
