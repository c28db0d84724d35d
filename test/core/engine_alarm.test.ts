import { describe, expect, test } from "vitest";
import { isUnknownToEngine, observeEngine } from "../../src/core/engine_alarm.ts";
import type { AlarmFacts, EngineFacts } from "../../src/core/engine_facts.ts";

const NOW = 1_800_000_000;

const QUIET: EngineFacts = {
  now: NOW,
  isWhole: true,
  sources: [],
  unreachableAfter: 1800,
  alarms: [],
  channels: [],
  recipients: [],
  reached: new Set(),
  current: new Set(),
  crashed: [],
  starts: [],
  clockDoubt: undefined,
};

function alarm(changes: Partial<AlarmFacts> = {}): AlarmFacts {
  return {
    name: "x",
    title: "Title of x",
    recipients: ["ann@h.example", "@shift"],
    errors: [],
    cause: undefined,
    quarantine: undefined,
    looked: true,
    ...changes,
  };
}

type Source = EngineFacts["sources"][number];
type Channel = EngineFacts["channels"][number];

function source(changes: Partial<Source> = {}): Source {
  return { name: "main", requested: true, isUsed: true, state: undefined, ...changes };
}

function channel(changes: Partial<Channel> = {}): Channel {
  return { name: "chat", attempted: true, error: undefined, ...changes };
}

const state = { since: NOW - 600, cause: "status 502" };
const outage = source({ state });
const REQUEST = "GET /a/ from main: status 502";
const quarantine = { since: NOW - 60, failures: 3, cause: "it broke", next: "next try in 3 ticks" };
const refused = { address: "Ann@h.example", reason: "550 no such user", alarm: "x" };
const starts = Array.from({ length: 13 }, (_, index) => NOW - 900 - index * 300);
const ON_TIME = [NOW - 300, NOW - 600, ...starts];

/** `key, rule, → recipients: subject` */
function lines(facts: Partial<EngineFacts>): readonly string[] {
  return [...observeEngine({ ...QUIET, ...facts })].map(
    ([key, { settle, recipients, subject }]) => {
      const rule =
        "hits" in settle
          ? `${settle.hits} of ${settle.of}`
          : `${settle.seconds} s from ${(settle.since ?? NOW) - NOW}`;
      return [key, rule, ...recipients.map((each) => `→ ${each}`), subject].join(" | ");
    },
  );
}

describe("what is wrong in a tick", () => {
  const rows: readonly [string, Partial<EngineFacts>, readonly string[]][] = [
    [
      "nothing",
      { sources: [source()], alarms: [alarm()], channels: [channel()], starts: ON_TIME },
      [],
    ],
    [
      "an unreachable source, for the operators alone",
      { sources: [outage] },
      ["source:main | 1800 s from -600 | source main unreachable since 2027-01-15 07:50 UTC"],
    ],
    [
      "an unreachable source without a request: not observed",
      { sources: [source({ state, requested: false })] },
      [],
    ],
    [
      "alarms whose errors an unreachable source explains are no detections of their own",
      {
        sources: [outage],
        alarms: [
          alarm({ errors: [REQUEST, "and 3 more reasons"], cause: "source" }),
          alarm({ name: "y", errors: ["out of time: detect took 60 s"], cause: "source" }),
        ],
      },
      ["source:main | 1800 s from -600 | source main unreachable since 2027-01-15 07:50 UTC"],
    ],
    [
      "unless one is its own",
      { sources: [outage], alarms: [alarm({ errors: [REQUEST, "it broke"], cause: "module" })] },
      [
        "source:main | 1800 s from -600 | source main unreachable since 2027-01-15 07:50 UTC",
        `alarm:x | 3 of 3 | → ann@h.example | → @shift | alarm x fails: ${REQUEST}`,
      ],
    ],
    [
      "a request that failed, of a source that responds, is",
      { sources: [source()], alarms: [alarm({ errors: [REQUEST], cause: "source" })] },
      [`alarm:x | 3 of 3 | → ann@h.example | → @shift | alarm x fails: ${REQUEST}`],
    ],
    [
      "a row with a fault, of an alarm whose notifications are off",
      { alarms: [alarm({ errors: ["the row's enabled\nis 5"], recipients: [] })] },
      ["alarm:x | 3 of 3 | alarm x fails: the row's enabled is 5"],
    ],
    [
      "an alarm that was cut short with its tick",
      { alarms: [alarm({ errors: ["out of time"], looked: false })] },
      [],
    ],
    [
      "a quarantined alarm, at once, whether it was tried or not",
      {
        alarms: [
          alarm({ quarantine, looked: false }),
          alarm({ name: "y", quarantine: { ...quarantine, failures: 1 }, errors: ["it broke"] }),
        ],
      },
      [
        "alarm:x | 1 of 1 | → ann@h.example | → @shift | alarm x is quarantined: it failed 3 times in a row",
        "alarm:y | 1 of 1 | → ann@h.example | → @shift | alarm y is quarantined: it failed once",
      ],
    ],
    [
      "channels that do not deliver, with wrong settings also without an attempt",
      {
        channels: [
          channel({ error: "status 404" }),
          channel({ name: "mail", attempted: false, error: "no from" }),
        ],
      },
      [
        "channel:chat | 2 of 2 | channel chat does not deliver: status 404",
        "channel:mail | 2 of 2 | channel mail does not deliver: no from",
      ],
    ],
    [
      "a refused address, once for all alarms that have it, for their other recipients",
      {
        alarms: [
          alarm(),
          alarm({ name: "y", recipients: ["bob@h.example", "@shift"] }),
          alarm({ name: "z", recipients: ["cy@h.example"] }),
        ],
        recipients: [refused, { ...refused, address: "ann@h.example", alarm: "y" }],
      },
      [
        "recipient:ann@h.example | 1 of 1 | → @shift | → bob@h.example | address Ann@h.example is refused: 550 no such user",
      ],
    ],
    [
      "two refused addresses of an alarm go to one set of recipients",
      {
        alarms: [alarm({ recipients: ["ann@h.example", "bob@h.example", "@shift"] })],
        recipients: [refused, { ...refused, address: "bob@h.example" }],
      },
      [
        "recipient:ann@h.example | 1 of 1 | → @shift | address Ann@h.example is refused: 550 no such user",
        "recipient:bob@h.example | 1 of 1 | → @shift | address bob@h.example is refused: 550 no such user",
      ],
    ],
    [
      "an invalid recipient",
      { recipients: [{ address: "@Ops", reason: "team @Ops does not exist", alarm: "engine" }] },
      ["recipient:@ops | 1 of 1 | a recipient of engine is wrong: team @Ops does not exist"],
    ],
    [
      "a crashed tick",
      { crashed: [NOW - 300] },
      ["tick:crashed | 1 of 1 | a tick crashed: the one of 2027-01-15 07:55 UTC did not finish"],
    ],
    [
      "two of them",
      { crashed: [NOW - 300, NOW - 600] },
      ["tick:crashed | 1 of 1 | 2 ticks crashed, the last one that of 2027-01-15 07:55 UTC"],
    ],
    [
      "a clock in doubt: then a gap proves nothing",
      { clockDoubt: "it shows 1970", starts },
      ["clock | 1 of 1 | this host's clock is in doubt"],
    ],
    [
      "ticks that did not start",
      { starts },
      [
        "tick:missed | 1 of 1 | 2 ticks were missed after 2027-01-15 07:45 UTC: check that cron runs",
      ],
    ],
  ];
  test.each(rows)("%s", (_, facts, expected) => {
    expect(lines(facts)).toEqual(expected);
  });
});

describe("what is not observed clears, unless this tick did not look at it", () => {
  const ADDRESS = "recipient:ann@h.example";
  const current = new Set(["Ann@h.example"]);
  const rows: readonly [string, string, Partial<EngineFacts>, boolean][] = [
    ["a source that responds clears", "source:main", { sources: [source()] }, false],
    [
      "without a request it is unknown",
      "source:main",
      { sources: [source({ requested: false })] },
      true,
    ],
    [
      "unless nothing uses it",
      "source:main",
      { sources: [source({ requested: false, isUsed: false })] },
      false,
    ],
    [
      "a source that is no longer configured clears",
      "source:main",
      { sources: [source({ name: "mainz" })] },
      false,
    ],
    [
      "a source whose name has a colon is found",
      "source:a:b",
      { sources: [source({ name: "a:b", requested: false })] },
      true,
    ],
    ["an alarm without errors clears", "alarm:x", { alarms: [alarm()] }, false],
    ["one that was cut short is unknown", "alarm:x", { alarms: [alarm({ looked: false })] }, true],
    [
      "so is one whose source is unreachable",
      "alarm:x",
      { sources: [outage], alarms: [alarm({ errors: [REQUEST] })] },
      true,
    ],
    ["one that does not exist any more clears", "alarm:x", {}, false],
    ["a channel that delivered clears", "channel:chat", { channels: [channel()] }, false],
    [
      "without an attempt it is unknown",
      "channel:chat",
      { channels: [channel({ attempted: false })] },
      true,
    ],
    ["one that is no longer configured clears", "channel:chat", {}, false],
    ["an address without a delivery is unknown", ADDRESS, { current }, true],
    ["one that was reached clears", ADDRESS, { current, reached: current }, false],
    ["one that no alarm has any more clears", ADDRESS, {}, false],
    [
      "a text that is not an address and not wrong any more clears",
      "recipient:@ops",
      { current: new Set(["@ops"]) },
      false,
    ],
    ["no tick crashed", "tick:crashed", {}, false],
    ["none was missed", "tick:missed", {}, false],
    ["with the clock in doubt that is unknown", "tick:missed", { clockDoubt: "d" }, true],
    ["the clock is certain", "clock", {}, false],
    ["a key of another version clears", "other", {}, false],
  ];
  test.each(rows)("%s", (_, key, facts, expected) => {
    expect(isUnknownToEngine({ ...QUIET, ...facts }, key)).toBe(expected);
    expect(isUnknownToEngine({ ...QUIET, ...facts, isWhole: false }, key)).toBe(true);
  });
});

describe("the body says what it means and what to do", () => {
  const rows: readonly [string, Partial<EngineFacts>, string][] = [
    [
      "an unreachable source, with the alarms that could not look",
      { sources: [outage], alarms: [alarm({ errors: [REQUEST] })] },
      `Every request to the source main has failed since 2027-01-15 07:50 UTC.

The alarms that need it cannot see anything. Until it responds, their events do not clear.

Check the service and the network between it and this host.

Last error: status 502

Affected alarms: x`,
    ],
    [
      "a quarantined alarm",
      { alarms: [alarm({ quarantine })] },
      `The alarm "Title of x" (x) has failed 3 times in a row because of its own errors. It has been quarantined since 2027-01-15 07:59 UTC.

While it does not run, its events neither open nor clear.

The engine tries it again at growing intervals of at most six hours: next try in 3 ticks. It is tried at once when its module file or its row changes, or with: bin/swf-alarms run --alarm x

Last error: it broke`,
    ],
    [
      "an alarm that fails",
      { alarms: [alarm({ errors: ["it broke", "and again"] })] },
      `The alarm "Title of x" (x) has had errors in at least 3 ticks in a row.

Until this is corrected, it may miss what it watches, and its events may not clear.

After a correction, try it with: bin/swf-alarms alarm try x

- it broke
- and again`,
    ],
    ["the clock", { clockDoubt: "it shows 1970" }, "it shows 1970"],
  ];
  test.each(rows)("%s", (_, facts, expected) => {
    expect([...observeEngine({ ...QUIET, ...facts }).values()][0]?.body).toBe(expected);
  });

  test("texts and keys of any length are cut", () => {
    const long = "x".repeat(100_000);
    const errors = new Array<string>(100).fill(long);
    const observed = observeEngine({
      ...QUIET,
      sources: [source({ state: { ...state, cause: long } })],
      alarms: [alarm({ errors }), alarm({ name: "y", quarantine: { ...quarantine, cause: long } })],
      channels: [channel({ error: long })],
      recipients: errors.map((address, index) => ({
        ...refused,
        address,
        reason: `${index}${long}`,
      })),
      crashed: new Array<number>(1000).fill(NOW),
    });
    expect([...observed.keys()].map((key) => key.split(":", 1)[0])).toEqual([
      "source",
      "alarm",
      "alarm",
      "channel",
      "recipient",
      "tick",
    ]);
    for (const [key, { subject, body }] of observed) {
      expect(key.length).toBeLessThanOrEqual(500);
      // What a mail's subject has room for.
      expect(
        `[alarm_engine] 1 detection(s), 1 new, 0 continuing: ${subject}`.length,
      ).toBeLessThanOrEqual(120);
      expect(body.length).toBeLessThan(2_500);
      // What a chat shows of a body has the command.
      expect(body.slice(0, 500)).toMatch(/bin\/swf-alarms|Check the service|look for the reason/);
    }
  });
});
