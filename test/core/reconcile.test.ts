import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Ack } from "../../src/core/ack.ts";
import type { Level } from "../../src/core/level.ts";
import type { ActiveEvent, ActiveEvents, Outcome } from "../../src/core/model.ts";
import { NO_NOTICES } from "../../src/core/news.ts";
import {
  NOTHING_SETTLING,
  type Plan,
  type ReconcileFacts,
  reconcile,
  settlingAfter,
} from "../../src/core/reconcile.ts";
import type { SettleRule } from "../../src/core/settle.ts";
import { makeOutcome } from "../support/outcomes.ts";

const NOW = 1_800_000_000;

/** The outcome proves nothing about keys that begin with "?". */
function outcome(
  status: Outcome["status"],
  keys: readonly string[],
  more: Partial<Outcome> = {},
): Outcome {
  const unknown = (key: string) => key.startsWith("?");
  return makeOutcome({ status, keys: new Set(keys), unknown, ...more });
}

/** The plan of an alarm without settings of its own, unless `more` says otherwise. */
function planOf(found: Outcome, active: ActiveEvents, more: Partial<ReconcileFacts> = {}): Plan {
  return reconcile({
    outcome: found,
    active,
    settling: NOTHING_SETTLING,
    alarm: { severity: undefined, clearAfter: undefined },
    settleOf: undefined,
    stages: [],
    now: NOW,
    ...more,
  });
}

function firing(keys: readonly string[]): ActiveEvents {
  return new Map(
    keys.map((key, at) => {
      const event = { id: `id of ${key}`, dedupeKey: key, fireTime: -at, notices: NO_NOTICES };
      return [key, event];
    }),
  );
}

/** The plan as short texts. */
function lines(plan: Plan): readonly string[] {
  return [
    ...plan.open.map(({ dedupeKey, reason }) => `open ${dedupeKey}: ${reason}`),
    ...plan.wait.map(({ dedupeKey, reason }) => `wait ${dedupeKey}: ${reason}`),
    ...plan.touch.map(({ event, reason }) => `touch ${event.id}: ${reason}`),
    ...plan.clear.map(({ event, reason }) => `clear ${event.id}: ${reason}`),
    ...plan.keep.map(({ event, reason }) => `keep ${event.id}: ${reason}`),
  ];
}

describe("what was detected is compared with what is firing", () => {
  const rows: readonly [
    string,
    Outcome["status"],
    readonly string[],
    readonly string[],
    readonly string[],
  ][] = [
    ["nothing detected, nothing firing: nothing to do", "complete", [], [], []],
    ["a new entity opens an event", "complete", ["a"], [], ["open a: newly detected"]],
    [
      "one that fires already is touched",
      "complete",
      ["a"],
      ["a"],
      ["touch id of a: still detected"],
    ],
    ["one that is gone is cleared", "complete", [], ["a"], ["clear id of a: recovered"]],
    [
      "all three at once",
      "complete",
      ["b", "c"],
      ["a", "b"],
      ["open c: newly detected", "touch id of b: still detected", "clear id of a: recovered"],
    ],
    [
      "a partial outcome clears nothing",
      "partial",
      [],
      ["a"],
      ["keep id of a: outcome is partial"],
    ],
    ["a failed outcome clears nothing", "failed", [], ["a"], ["keep id of a: outcome failed"]],
    [
      "a partial outcome opens and touches what it saw",
      "partial",
      ["b", "c"],
      ["a", "b"],
      [
        "open c: newly detected",
        "touch id of b: still detected",
        "keep id of a: outcome is partial",
      ],
    ],
    [
      "so does a failed one with what it had yielded before",
      "failed",
      ["b", "c"],
      ["a", "b"],
      ["open c: newly detected", "touch id of b: still detected", "keep id of a: outcome failed"],
    ],
    [
      "what the outcome did not look at is kept, what it did is cleared",
      "complete",
      ["b"],
      ["?a", "a", "b"],
      [
        "touch id of b: still detected",
        "clear id of a: recovered",
        "keep id of ?a: not looked at in this tick",
      ],
    ],
    [
      "what it detected is detected, whatever it did not look at",
      "complete",
      ["?a", "?b"],
      ["?a"],
      ["open ?b: newly detected", "touch id of ?a: still detected"],
    ],
    [
      "a partial outcome keeps both, for its own reason",
      "partial",
      [],
      ["?a"],
      ["keep id of ?a: outcome is partial"],
    ],
    ["the same new key twice is one event", "complete", ["a", "a"], [], ["open a: newly detected"]],
    [
      "the same firing key twice is touched once",
      "complete",
      ["a", "a"],
      ["a"],
      ["touch id of a: still detected"],
    ],
    [
      "keys that differ in case are two",
      "complete",
      ["A"],
      ["a"],
      ["open A: newly detected", "clear id of a: recovered"],
    ],
    [
      "a key that every object has is a key like any other",
      "complete",
      ["__proto__", "constructor"],
      ["constructor"],
      ["open __proto__: newly detected", "touch id of constructor: still detected"],
    ],
  ];
  test.each(rows)("%s", (_, status, detected, active, plan) => {
    expect(lines(planOf(outcome(status, detected), firing(active)))).toEqual(plan);
  });

  test("what was not seen comes from the oldest on", () => {
    const { clear } = planOf(outcome("complete", []), firing(["young", "old", "oldest"]));
    expect(clear.map(({ event }) => event.dedupeKey)).toEqual(["oldest", "old", "young"]);
  });
});

describe("with scopes, a complete outcome keeps what is below them", () => {
  const scopes = new Map([
    ["host:a:", { reason: "GET /a from main: status 504", isReported: false }],
    ["host:", { reason: "x".repeat(300), isReported: true }],
  ]);
  const rows: readonly [
    string,
    Outcome["status"],
    readonly string[],
    readonly string[],
    readonly string[],
  ][] = [
    [
      "the reason is that of the longest prefix",
      "complete",
      [],
      ["host:a:disk"],
      ["keep id of host:a:disk: not looked at: GET /a from main: status 504"],
    ],
    [
      "a long reason is cut",
      "complete",
      [],
      ["host:b"],
      [`keep id of host:b: not looked at: ${"x".repeat(199)}…`],
    ],
    [
      "what is below none of them clears",
      "complete",
      [],
      ["hos", "Host:a:", " host:a:"],
      ["hos", "Host:a:", " host:a:"].map((key) => `clear id of ${key}: recovered`).reverse(),
    ],
    [
      "what is detected below one opens and goes on",
      "complete",
      ["host:a:x", "host:a:y"],
      ["host:a:y"],
      ["open host:a:x: newly detected", "touch id of host:a:y: still detected"],
    ],
    [
      "a partial outcome keeps all, for its own reason",
      "partial",
      [],
      ["host:a:x", "z"],
      ["keep id of z: outcome is partial", "keep id of host:a:x: outcome is partial"],
    ],
  ];
  test.each(rows)("%s", (_, status, detected, active, plan) => {
    expect(lines(planOf(outcome(status, detected, { scopes }), firing(active)))).toEqual(plan);
  });

  test("what the module itself ends below one ends", () => {
    const clears = new Map([["host:a:x", "rebooted"]]);
    const plan = planOf(outcome("complete", [], { scopes, clears }), firing(["host:a:x"]));
    expect(lines(plan)).toEqual(["clear id of host:a:x: rebooted"]);
  });

  const PENDING = { firstSeen: NOW - 300, hits: "1" };

  test("what settles and what clears below one counts neither way", () => {
    const settling = {
      pending: new Map([
        ["host:a:x", PENDING],
        ["z", PENDING],
      ]),
      clearing: new Map([["host:a:y", PENDING]]),
    };
    const plan = planOf(outcome("complete", [], { scopes }), firing(["host:a:y"]), {
      settling,
      alarm: { severity: undefined, clearAfter: { hits: 2, of: 2 } },
      settleOf: () => ({ hits: 3, of: 3 }),
    });
    expect(settlingAfter(plan)).toEqual({
      pending: new Map([["host:a:x", PENDING]]),
      clearing: new Map([["host:a:y", PENDING]]),
    });
  });

  test("an event clears unseen only if its key begins with none of them", () => {
    const key = fc.string({ unit: fc.constantFrom("a", "b", ":"), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.uniqueArray(key),
        fc.uniqueArray(key),
        fc.uniqueArray(key),
        (prefixes, detected, active) => {
          const scopes = new Map(
            prefixes.map((each) => [each, { reason: "no", isReported: false }]),
          );
          const { clear, keep } = planOf(outcome("complete", detected, { scopes }), firing(active));
          const gone = active.filter((each) => !detected.includes(each));
          const isBelow = (each: string) => prefixes.some((prefix) => each.startsWith(prefix));
          const keysOf = (items: readonly { readonly event: ActiveEvent }[]) =>
            new Set(items.map(({ event }) => event.dedupeKey));
          expect(keysOf(clear)).toEqual(new Set(gone.filter((each) => !isBelow(each))));
          expect(keysOf(keep)).toEqual(new Set(gone.filter(isBelow)));
        },
      ),
    );
  });
});

describe("the module says that an event has ended", () => {
  const clears = new Map([["a", "late by 120 s"]]);
  test.each([
    ["complete", ["clear id of a: late by 120 s", "clear id of b: recovered"]],
    ["partial", ["clear id of a: late by 120 s", "keep id of b: outcome is partial"]],
    ["failed", ["clear id of a: late by 120 s", "keep id of b: outcome failed"]],
  ] as const)("a %s outcome", (status, plan) => {
    const found = planOf(outcome(status, [], { clears }), firing(["a", "b"]));
    expect(lines(found)).toEqual(plan);
    expect(found.clear.map(({ isUnseen }) => isUnseen)).toEqual(
      [false, true].slice(0, found.clear.length),
    );
  });

  test("what does not fire cannot end; what is pending is forgotten", () => {
    const pending = new Map([["a", { firstSeen: NOW - 300, hits: "1" }]]);
    const settling = { ...NOTHING_SETTLING, pending };
    const more = { settling, settleOf: () => ({ hits: 3, of: 3 }) };
    const plan = planOf(outcome("partial", [], { clears }), firing([]), more);
    expect(lines(plan)).toEqual([]);
    expect(settlingAfter(plan).pending).toEqual(new Map());
  });

  test("it needs no second outcome", () => {
    const alarm = { severity: undefined, clearAfter: { hits: 2, of: 2 } };
    expect(lines(planOf(outcome("complete", [], { clears }), firing(["a"]), { alarm }))).toEqual([
      "clear id of a: late by 120 s",
    ]);
  });
});

describe("the module says why an event ends if its entity is gone", () => {
  const goneReasons = new Map([
    ["a", "left the look-back"],
    ["c", "left the look-back"],
  ]);
  test.each([
    ["complete", ["clear id of b: recovered", "clear id of a: left the look-back"]],
    ["partial", ["keep id of b: outcome is partial", "keep id of a: outcome is partial"]],
    ["failed", ["keep id of b: outcome failed", "keep id of a: outcome failed"]],
  ] as const)("a %s outcome", (status, plan) => {
    const found = planOf(outcome(status, [], { goneReasons }), firing(["a", "b"]));
    expect(lines(found)).toEqual(plan);
    expect(found.clear.every(({ isUnseen }) => isUnseen)).toBe(true);
  });

  test("what cannot be looked at stays, and so does what is detected", () => {
    const scopes = new Map([["a", { reason: "504", isReported: false }]]);
    const found = outcome("complete", ["c"], { goneReasons, scopes });
    expect(lines(planOf(found, firing(["a", "c"])))).toEqual([
      "touch id of c: still detected",
      "keep id of a: not looked at: 504",
    ]);
  });

  test("it needs as many outcomes as without a reason", () => {
    const alarm = { severity: undefined, clearAfter: { hits: 2, of: 2 } };
    const found = outcome("complete", [], { goneReasons });
    expect(lines(planOf(found, firing(["a"]), { alarm }))).toEqual([
      "keep id of a: clears later: not detected in 1 of 2 outcomes",
    ]);
  });
});

/** What happens to one entity in each tick: detected, not detected, or nothing is known of it. */
type Course = readonly ("seen" | "gone" | "unknown")[];

/** The lines of each tick, for one entity that is new, or fires already. */
function play(
  course: Course,
  rules: { readonly settle?: SettleRule; readonly clearAfter?: SettleRule },
  active = false,
  seconds = 300,
): readonly string[] {
  let settling = NOTHING_SETTLING;
  let fires = active;
  return course.map((is, tick) => {
    const { settle, clearAfter } = rules;
    const found = outcome(is === "unknown" ? "partial" : "complete", is === "seen" ? ["k"] : []);
    const plan = planOf(found, firing(fires ? ["k"] : []), {
      settling,
      alarm: { severity: undefined, clearAfter },
      settleOf: settle && (() => settle),
      now: NOW + tick * seconds,
    });
    settling = settlingAfter(plan);
    fires = plan.open.length + plan.touch.length + plan.keep.length > 0;
    return lines(plan)
      .map((line) => line.replace(/ (id of )?k: /, " "))
      .join();
  });
}

describe("a detection becomes an event once it has settled", () => {
  const wait = (progress: string) => `wait not settled: detected ${progress}`;
  const rows: readonly [string, Course, SettleRule, readonly string[]][] = [
    [
      "three in a row",
      ["seen", "seen", "seen", "seen"],
      { hits: 3, of: 3 },
      [
        wait("in 1 of 3 outcomes"),
        wait("in 2 of 3 outcomes"),
        "open settled",
        "touch still detected",
      ],
    ],
    [
      "an absence begins anew",
      ["seen", "seen", "gone", "seen", "seen", "seen"],
      { hits: 3, of: 3 },
      [
        wait("in 1 of 3 outcomes"),
        wait("in 2 of 3 outcomes"),
        "",
        wait("in 1 of 3 outcomes"),
        wait("in 2 of 3 outcomes"),
        "open settled",
      ],
    ],
    [
      "an outcome that proves nothing neither counts nor resets",
      ["seen", "unknown", "seen"],
      { hits: 2, of: 2 },
      [wait("in 1 of 2 outcomes"), "", "open settled"],
    ],
    [
      "two of the last three: one absence is allowed",
      ["seen", "gone", "seen"],
      { hits: 2, of: 3 },
      [wait("in 1 of 2 outcomes"), "", "open settled"],
    ],
    [
      "two of the last three: two absences are too many",
      ["seen", "gone", "gone", "seen", "seen"],
      { hits: 2, of: 3 },
      [wait("in 1 of 2 outcomes"), "", "", wait("in 1 of 2 outcomes"), "open settled"],
    ],
    [
      "two of the last three over a failed tick",
      ["seen", "gone", "unknown", "seen"],
      { hits: 2, of: 3 },
      [wait("in 1 of 2 outcomes"), "", "", "open settled"],
    ],
    [
      "fifteen minutes in a row",
      ["seen", "unknown", "seen", "seen"],
      { seconds: 900 },
      [wait("for 0 s of 15 min"), "", wait("for 10 min of 15 min"), "open settled"],
    ],
    [
      "fifteen minutes with an absence between",
      ["seen", "seen", "gone", "seen"],
      { seconds: 900 },
      [wait("for 0 s of 15 min"), wait("for 5 min of 15 min"), "", wait("for 0 s of 15 min")],
    ],
  ];
  test.each(rows)("%s", (_, course, settle, expected) => {
    expect(play(course, { settle })).toEqual(expected);
  });

  test("what was pending settles at once when the rule is gone", () => {
    const pending = new Map([["k", { firstSeen: NOW - 600, hits: "1" }]]);
    const settling = { ...NOTHING_SETTLING, pending };
    const plan = planOf(outcome("complete", ["k"]), firing([]), { settling });
    expect(plan.open).toMatchObject([{ reason: "settled", firstSeen: NOW - 600 }]);
    expect(settlingAfter(plan)).toEqual(NOTHING_SETTLING);
  });

  test("what is pending keeps its subject for people", () => {
    const detection = { dedupeKey: "k", subject: "k is slow", body: "", data: {}, recipients: [] };
    const found = outcome("complete", ["k"], { detections: new Map([["k", detection]]) });
    const plan = planOf(found, firing([]), { settleOf: () => ({ hits: 2, of: 2 }) });
    expect([...plan.settling.pending]).toEqual([
      ["k", { firstSeen: NOW, hits: "1", subject: "k is slow" }],
    ]);
  });
});

describe("an event clears after a while", () => {
  const keep = (progress: string) => `keep clears later: not detected ${progress}`;
  const rows: readonly [string, Course, SettleRule, readonly string[]][] = [
    [
      "two in a row",
      ["gone", "gone"],
      { hits: 2, of: 2 },
      [keep("in 1 of 2 outcomes"), "clear recovered"],
    ],
    [
      "a detection begins anew",
      ["gone", "seen", "gone", "gone"],
      { hits: 2, of: 2 },
      [
        keep("in 1 of 2 outcomes"),
        "touch still detected",
        keep("in 1 of 2 outcomes"),
        "clear recovered",
      ],
    ],
    [
      "an outcome that proves nothing neither counts nor resets",
      ["gone", "unknown", "gone"],
      { hits: 2, of: 2 },
      [keep("in 1 of 2 outcomes"), "keep outcome is partial", "clear recovered"],
    ],
    [
      "two of the last three, with a detection between",
      ["gone", "seen", "gone"],
      { hits: 2, of: 3 },
      [keep("in 1 of 2 outcomes"), "touch still detected", "clear recovered"],
    ],
    [
      "ten minutes",
      ["gone", "gone", "gone"],
      { seconds: 600 },
      [keep("for 0 s of 10 min"), keep("for 5 min of 10 min"), "clear recovered"],
    ],
  ];
  test.each(rows)("%s", (_, course, clearAfter, expected) => {
    expect(play(course, { clearAfter }, true)).toEqual(expected);
  });
});

test("what is known of an event that a person ended does not count for the next one of its key", () => {
  const alarm = { severity: undefined, clearAfter: { hits: 2, of: 3 } };
  const absent = planOf(outcome("complete", []), firing(["k"]), { alarm });
  expect(absent.settling.clearing.size).toBe(1);
  const again = planOf(outcome("complete", ["k"]), firing([]), {
    alarm,
    settling: settlingAfter(absent),
  });
  expect(settlingAfter(again)).toEqual(NOTHING_SETTLING);
});

describe("severity and stage of what fires", () => {
  const warning: Level = { severity: "warning", stage: undefined };
  const error: Level = { severity: "error", stage: undefined };

  function touchedBy(found: Level, more: Partial<ActiveEvent>) {
    const event = { id: "id of k", dedupeKey: "k", fireTime: 0, notices: NO_NOTICES, ...more };
    const active = new Map([["k", event]]);
    const levels = new Map([["k", found]]);
    const [touch] = planOf(outcome("partial", ["k"], { levels }), active).touch;
    return touch;
  }

  test("a rise is news of this tick, and reminders begin anew", () => {
    const notices = { ...NO_NOTICES, notified: { email: NOW - 60 }, reminders: { email: 3 } };
    const touch = touchedBy(error, { level: warning, peak: warning, notices });
    expect(touch).toMatchObject({
      reason: "severity rose: warning → error",
      event: { level: error, peak: error },
      change: { level: { news: "severity" } },
    });
    expect(touch?.event.notices).toEqual({
      ...notices,
      news: "severity",
      newsAt: NOW,
      reminders: {},
    });
  });

  test("news is later than every notification, also one of a clock that was ahead", () => {
    const notices = { ...NO_NOTICES, notified: { email: NOW + 500 } };
    const touch = touchedBy(error, { level: warning, peak: warning, notices });
    expect(touch?.event.notices).toMatchObject({ newsAt: NOW, notified: { email: NOW - 0.001 } });
  });

  test("a fall is recorded and no news", () => {
    const touch = touchedBy(warning, { level: error, peak: error });
    expect(touch).toMatchObject({
      reason: "severity changed: error → warning",
      event: { level: warning, peak: error, notices: NO_NOTICES },
      change: { level: { news: undefined } },
    });
  });

  const ACK: Ack = {
    by: "ana",
    reason: "known",
    at: NOW - 600,
    until: undefined,
    sticky: false,
    ended: undefined,
  };
  const acked = (ack: Partial<Ack>): Partial<ActiveEvent> => {
    const notices = { ...NO_NOTICES, reminders: { email: 2 }, ack: { ...ACK, ...ack } };
    return { level: warning, peak: warning, notices };
  };
  test.each([
    ["a rise ends it", error, {}, { at: NOW, reason: "severity rose" }],
    ["a sticky one stays on a rise", error, { sticky: true }, undefined],
    [
      "its time ends it, sticky or not",
      warning,
      { sticky: true, until: NOW - 9 },
      { at: NOW - 9, reason: "its time is over" },
    ],
    [
      "its time came before the rise",
      error,
      { until: NOW - 9 },
      { at: NOW - 9, reason: "its time is over" },
    ],
    ["it holds until its time", warning, { until: NOW + 1 }, undefined],
  ] as const)("an acknowledgement: %s", (_, found, ack, ended) => {
    const touch = touchedBy(found, acked(ack));
    expect(touch?.event.notices.ack?.ended).toEqual(ended);
    expect(touch?.change?.ack?.ended).toEqual(ended);
    if (ended !== undefined) expect(touch?.event.notices.reminders).toEqual({});
  });

  test("a new event has the alarm's severity unless its detection has one", () => {
    const levels = new Map([["b", error]]);
    const alarm = { severity: "info", clearAfter: undefined } as const;
    const { open } = planOf(outcome("complete", ["a", "b"], { levels }), firing([]), { alarm });
    expect(open.map(({ level }) => level.severity)).toEqual(["info", "error"]);
  });
});

test("every event is in one list, every key one event, and only what is complete clears", () => {
  const keys = fc.array(fc.constantFrom("a", "b", "?c", "?d", "e"));
  const active = fc.uniqueArray(fc.constantFrom("a", "b", "?c", "?d", "e"));
  const status = fc.constantFrom("complete" as const, "partial" as const, "failed" as const);
  const stays = (given: Outcome["status"]) => (key: string) =>
    given !== "complete" || key.startsWith("?");
  fc.assert(
    fc.property(status, keys, active, (given, detected, fires) => {
      const events = firing(fires);
      const { open, touch, clear, keep } = planOf(outcome(given, detected), events);
      const listed = [...touch, ...clear, ...keep].map(({ event }) => event.id);
      expect(listed.toSorted()).toEqual([...events.values()].map(({ id }) => id).toSorted());
      const after = [
        ...open.map(({ dedupeKey }) => dedupeKey),
        ...[...touch, ...keep].map(({ event }) => event.dedupeKey),
      ];
      expect(after.toSorted()).toEqual(
        [...new Set([...detected, ...fires.filter(stays(given))])].toSorted(),
      );
      if (given !== "complete") expect(clear).toEqual([]);
    }),
  );
});
