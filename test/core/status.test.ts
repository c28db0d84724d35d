import { describe, expect, test } from "vitest";
import type { AlarmState } from "../../src/core/quarantine.ts";
import {
  type AlarmStatus,
  judgeState,
  judgeTicks,
  needsAttention,
  type RunFacts,
  type Status,
} from "../../src/core/status.ts";
import type { JsonObject } from "../../src/text/json.ts";

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
    ["all finished", [run(1), run(6)], false, { last: run(1), crashed: undefined }],
    [
      "one is running",
      [run(0, unfinished), run(5)],
      true,
      { last: run(5), runningSince: at(0), crashed: undefined },
    ],
    [
      "the newest did not finish, and none is running",
      [run(3, unfinished), run(8)],
      false,
      { last: run(8), runningSince: undefined, crashed: at(3) },
    ],
    [
      "one is running, and one before it did not finish",
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
      "one from the future is never the last, nor running, nor crashed",
      [run(-5.1), run(-9, unfinished), run(5), run(8, unfinished)],
      true,
      { last: run(5), runningSince: undefined, crashed: at(8), ahead: at(-5.1) },
    ],
    [
      "only one from the future",
      [run(-1_000_000)],
      false,
      { last: undefined, ahead: at(-1_000_000) },
    ],
    [
      "another host's clock may be five minutes ahead",
      [run(-5), run(5)],
      false,
      { last: run(-5), ahead: undefined },
    ],
    [
      "one by name does not count as a tick over all",
      [run(1, { partial: true }), run(9)],
      false,
      { last: run(9) },
    ],
  ];
  test.each(rows)("%s", (_, runs, atWork, expected) => {
    expect(judgeTicks(runs, atWork, NOW)).toMatchObject(expected);
  });
});

describe("the state of an alarm", () => {
  const quarantine = {
    since: NOW - 3600,
    pause: 4,
    wait: 2,
    triedAt: NOW - 900,
    lookedAt: NOW,
  };
  const memory: AlarmState = {
    failures: 5,
    cause: "it broke",
    fingerprint: "",
    quarantine,
  };
  const rows: readonly [
    string,
    { readonly recorded?: JsonObject[string]; readonly state?: AlarmState },
    Pick<AlarmStatus, "state" | "reason">,
  ][] = [
    ["it ran", { recorded: { errors: 0, error_message: "" } }, { state: "ready", reason: "" }],
    [
      "it ran, but has no recipients",
      { recorded: { errors: 0, error_message: "no recipients; mail not sent" } },
      { state: "ready", reason: "" },
    ],
    [
      "it failed",
      { recorded: { errors: 1, error_message: "status 502" } },
      { state: "failing", reason: "status 502" },
    ],
    [
      "it waits to be set up",
      { recorded: { errors: 0, not_configured: "parameter a has no value" } },
      { state: "not configured", reason: "parameter a has no value" },
    ],
    [
      "it is quarantined",
      { recorded: { errors: 1, error_message: "quarantined since …" }, state: memory },
      {
        state: "quarantined",
        reason:
          "since 2027-01-15 07:00 UTC; next try in 2 ticks (by 2027-01-15 13:45 UTC at the latest); it broke",
      },
    ],
    [
      "it failed, but is not quarantined yet",
      {
        recorded: { errors: 1, error_message: "it broke" },
        state: { ...memory, quarantine: undefined },
      },
      { state: "failing", reason: "it broke" },
    ],
    ["no tick has seen it", { recorded: undefined }, { state: "not run yet", reason: "" }],
    ["what was noted makes no sense", { recorded: "x" }, { state: "not run yet", reason: "" }],
  ];
  test.each(rows)("%s", (_, facts, expected) => {
    expect(judgeState(facts.recorded, facts.state)).toEqual(expected);
  });
});

describe("what needs attention", () => {
  const alarm: AlarmStatus = {
    alarm: "x",
    state: "ready",
    reason: "",
    mail: true,
    channels: ["email"],
    active: 2,
    not_mailed: 0,
  };
  const mail = {
    id: "i",
    alarm: "x",
    channel: "email",
    state: "failed",
    attemptedAt: NOW,
    notBefore: undefined,
    subject: "s",
    outcome: "failed",
    error: "e",
    resolved: false,
  };
  const ticks = judgeTicks([run(4)], false, NOW);
  const rows: readonly [string, Partial<Status>, readonly string[]][] = [
    ["a healthy engine: nothing", {}, []],
    [
      "no tick ever",
      { ticks: judgeTicks([], false, NOW) },
      ["no tick has finished yet; check that cron runs bin/swf-alarms run"],
    ],
    [
      "a tick fifteen minutes ago is not yet too long",
      { ticks: judgeTicks([run(15)], false, NOW) },
      [],
    ],
    [
      "a longer silence is",
      { ticks: judgeTicks([run(17)], false, NOW) },
      ["no tick has finished for 17 min; check that cron runs it"],
    ],
    [
      "a tick that has been running for long",
      { ticks: judgeTicks([run(16, unfinished), run(21)], true, NOW) },
      ["no tick has finished for 21 min; one is running"],
    ],
    [
      "a tick from the future",
      { ticks: judgeTicks([run(-3 * 1440), run(4)], false, NOW) },
      [
        "the clock and the records disagree: it is 2027-01-15 08:00 UTC, but a tick started at 2027-01-18 08:00 UTC, 3 days ahead; if this host's clock is wrong, correct it; if it was wrong only then, that record is ignored, and this line ends within two days",
      ],
    ],
    [
      "a tick from the future, and no other for a while",
      { ticks: judgeTicks([run(-10), run(60)], false, NOW) },
      [
        expect.stringMatching(/a tick started at 2027-01-15 08:10 UTC, 10 min ahead;/),
        "no tick has finished for 60 min; check that cron runs it",
      ],
    ],
    [
      "a tick from the future, and no other ever",
      { ticks: judgeTicks([run(-90)], false, NOW) },
      [
        expect.stringMatching(/a tick started at 2027-01-15 09:30 UTC, 90 min ahead;/),
        "no tick has finished yet; check that cron runs bin/swf-alarms run",
      ],
    ],
    [
      "the last tick never finished",
      { ticks: judgeTicks([run(4, unfinished), run(9)], false, NOW) },
      ["the tick of 2027-01-15 07:56 UTC did not finish"],
    ],
    [
      "one before the last never finished, which is over",
      { ticks: judgeTicks([run(4), run(9, unfinished)], false, NOW) },
      [],
    ],
    [
      "the last tick had errors",
      { ticks: judgeTicks([run(4, { errors: 2 })], false, NOW) },
      ["the last tick had 2 error(s)"],
    ],
    [
      "alarms that fail or are quarantined",
      {
        alarms: [
          { ...alarm, state: "failing" },
          { ...alarm, alarm: "y", state: "quarantined" },
        ],
      },
      ["x is failing", "y is quarantined"],
    ],
    [
      "alarms that are not configured: nothing",
      { alarms: [{ ...alarm, state: "not configured", active: 0 }] },
      [],
    ],
    [
      "unless they have active events",
      { alarms: [{ ...alarm, state: "not configured", active: 3, mail: false }] },
      ["x is not configured but has 3 active event(s)"],
    ],
    [
      "events that are not yet mailed",
      { alarms: [{ ...alarm, not_mailed: 2 }] },
      ["x has 2 event(s) not yet mailed"],
    ],
    ["unless mail is off", { alarms: [{ ...alarm, not_mailed: 2, mail: false }] }, []],
    [
      "a source that does not respond",
      {
        unreachable: [{ source: "main", unreachable_since: NOW, cause: "c" }],
      },
      ["source main has been unreachable since 2027-01-15 08:00 UTC"],
    ],
    [
      "mails that failed, each alarm once",
      { notifications: [mail, { ...mail, attemptedAt: NOW - 300 }] },
      ["the last mail of x was not delivered"],
    ],
    [
      "a mail that reached only some, and one with an unknown result",
      {
        alarms: [alarm, { ...alarm, alarm: "y" }],
        notifications: [
          { ...mail, outcome: "partial" },
          { ...mail, alarm: "y", outcome: "unknown" },
        ],
      },
      [
        "the last mail of x did not reach all recipients",
        "the last mail of y may not have been delivered",
      ],
    ],
    [
      "one that waits, with its time, and one on another channel",
      {
        alarms: [{ ...alarm, channels: ["email", "chat"] }],
        notifications: [
          { ...mail, state: "queued", notBefore: NOW + 600 },
          { ...mail, channel: "chat", notBefore: NOW - 1 },
        ],
      },
      [
        "the last mail of x was not delivered; the next attempt is after 2027-01-15 08:10 UTC",
        "the last notification of x on chat was not delivered",
      ],
    ],
    [
      "one that was given up",
      { notifications: [{ ...mail, state: "given_up", outcome: "partial" }] },
      ["the last mail of x was given up"],
    ],
    [
      "one on a channel that the alarm no longer uses: nothing",
      { notifications: [{ ...mail, channel: "chat" }] },
      [],
    ],
    ["a mail of an alarm that is archived: nothing", { alarms: [], notifications: [mail] }, []],
    ["or whose mail is off", { alarms: [{ ...alarm, mail: false }], notifications: [mail] }, []],
    ["mails that a later one made up for", { notifications: [{ ...mail, resolved: true }] }, []],
    ["skipped ticks: nothing", { skipped: 12 }, []],
  ];
  test.each(rows)("%s", (_, changes, expected) => {
    const status = {
      now: NOW,
      ticks,
      skipped: 0,
      alarms: [alarm],
      unreachable: [],
      notifications: [],
    };
    expect(needsAttention({ ...status, ...changes })).toEqual(expected);
  });
});
