import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AlarmState,
  decideTry,
  nextAlarmState,
  type Quarantine,
  type RunResult,
} from "../../src/core/quarantine.ts";

const NOW = 1_800_000_000;
const HOUR = 3600;

function quarantined(changes: Partial<Quarantine> = {}): AlarmState {
  const quarantine = {
    since: NOW - HOUR,
    pause: 4,
    wait: 3,
    triedAt: NOW - 900,
    lookedAt: NOW - 300,
    ...changes,
  };
  return {
    failures: 4,
    cause: "it broke",
    fingerprint: "as it is",
    quarantine,
  };
}

const failing: AlarmState = {
  failures: 2,
  cause: "it broke",
  fingerprint: "as it is",
  quarantine: undefined,
};

describe("whether an alarm runs in a tick", () => {
  const rows: readonly [string, Partial<Parameters<typeof decideTry>[0]>, string][] = [
    ["a healthy alarm does", {}, "runs: not quarantined"],
    ["one that failed twice does", { state: failing }, "runs: not quarantined"],
    [
      "a quarantined one is left out before its turn",
      { state: quarantined() },
      "left out: quarantined since 2027-01-15 07:00 UTC: it broke; next try in 2 ticks (by 2027-01-15 13:45 UTC at the latest)",
    ],
    [
      "the last tick before its turn",
      { state: quarantined({ wait: 2 }) },
      "left out: quarantined since 2027-01-15 07:00 UTC: it broke; next try in 1 tick (by 2027-01-15 13:45 UTC at the latest)",
    ],
    ["its turn comes", { state: quarantined({ wait: 1 }) }, "runs: its turn"],
    [
      "six hours are the longest, to the second",
      { state: quarantined({ wait: 99, triedAt: NOW - 6 * HOUR }) },
      "runs: six hours have passed",
    ],
    [
      "a second before the six hours it is left out",
      { state: quarantined({ wait: 99, triedAt: NOW - 6 * HOUR + 1 }) },
      "left out: quarantined since 2027-01-15 07:00 UTC: it broke; next try in 98 ticks (by 2027-01-15 08:00 UTC at the latest)",
    ],
    [
      "its file or row changed",
      { state: quarantined(), fingerprint: "mended" },
      "runs: its module or row changed",
    ],
    ["the operator names it", { state: quarantined(), named: true }, "runs: named by the operator"],
    [
      "the clock stepped back",
      { state: quarantined({ lookedAt: NOW + 1 }) },
      "runs: the clock was set back",
    ],
    [
      "its last try is in the future",
      { state: quarantined({ wait: 99, triedAt: NOW + 1_000_000 }) },
      "runs: the clock was set back",
    ],
    ["quarantine was turned off", { state: quarantined(), after: 0 }, "runs: not quarantined"],
  ];
  test.each(rows)("%s", (_, changes, expected) => {
    const facts = { state: undefined, fingerprint: "as it is", named: false, now: NOW, after: 3 };
    const decision = decideTry({ ...facts, ...changes });
    expect(`${decision.run ? "runs" : "left out"}: ${decision.reason}`).toBe(expected);
  });

  test("a tick that leaves it out brings its turn nearer", () => {
    const decision = decideTry({
      state: quarantined(),
      fingerprint: "as it is",
      named: false,
      now: NOW,
      after: 3,
    });
    expect(decision).toMatchObject({
      run: false,
      state: { quarantine: { wait: 2, lookedAt: NOW, triedAt: NOW - 900 } },
    });
  });
});

describe("what is stored after a run", () => {
  const fresh = { since: NOW, pause: 2, wait: 3, triedAt: NOW, lookedAt: NOW };
  const own = "own failure";
  const rows: readonly [
    string,
    Partial<Parameters<typeof nextAlarmState>[0]>,
    object | undefined,
  ][] = [
    ["a good run of a healthy alarm: nothing", { result: "completed" }, undefined],
    ["a good run after two failures: nothing", { state: failing, result: "completed" }, undefined],
    ["a first failure is counted", { result: own }, { failures: 1, quarantine: undefined }],
    [
      "the third is quarantine",
      { state: failing, result: own },
      { failures: 3, quarantine: fresh },
    ],
    [
      "of a module that changed, a failure is the first again",
      { state: failing, result: own, fingerprint: "mended badly" },
      { failures: 1, fingerprint: "mended badly", quarantine: undefined },
    ],
    [
      "a quarantine from the future began now at the latest",
      { state: quarantined({ since: NOW + 9999 }), result: own },
      { quarantine: { since: NOW } },
    ],
    ["with 1, the first failure is quarantine", { result: own, after: 1 }, { quarantine: fresh }],
    ["with 0, never", { state: failing, result: own, after: 0 }, undefined],
    [
      "a source that is down does not count, nor does it begin anew",
      { state: failing, result: "other failure" },
      failing,
    ],
    ["it is no reason to remember anything", { result: "other failure" }, undefined],
    [
      "the try in its turn failed: twice the distance",
      { state: quarantined(), result: own, reason: "its turn" },
      {
        failures: 5,
        quarantine: { since: NOW - HOUR, pause: 8, wait: 9, triedAt: NOW },
      },
    ],
    [
      "a try that somebody asked for failed: the same distance again",
      { state: quarantined(), result: own, reason: "named by the operator" },
      { quarantine: { pause: 4, wait: 5, triedAt: NOW } },
    ],
    [
      "the changed module fails too: the same distance again",
      { state: quarantined(), result: own, fingerprint: "mended badly" },
      { fingerprint: "mended badly", quarantine: { pause: 4, wait: 5 } },
    ],
    [
      "in its turn a source was down: no verdict, the same distance again",
      { state: quarantined(), result: "other failure", reason: "its turn" },
      { failures: 4, quarantine: { pause: 4, wait: 5, since: NOW - HOUR } },
    ],
    ["it runs again: nothing", { state: quarantined(), result: "completed" }, undefined],
  ];
  test.each(rows)("%s", (_, changes, expected) => {
    const state = nextAlarmState({
      state: undefined,
      result: "completed",
      cause: "it broke again",
      fingerprint: "as it is",
      reason: "not quarantined",
      now: NOW,
      after: 3,
      ...changes,
    });
    if (expected === undefined) expect(state).toBeUndefined();
    else expect(state).toMatchObject(expected);
  });
});

const step = fc.record({
  result: fc.constantFrom<RunResult>(
    "completed",
    "own failure",
    "own failure",
    "own failure",
    "other failure",
  ),
  fingerprint: fc.constantFrom("v1", "v1", "v1", "v1", "v2"),
  named: fc.boolean(),
  clock: fc.oneof(fc.constant(300), fc.constant(300), fc.integer({ min: -7200, max: 90_000 })),
});

test("over any course of ticks no alarm is given up, and only a run that completed ends a quarantine", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 120 }),
      fc.integer({ min: 1, max: 4 }),
      (steps, after) => {
        let state: AlarmState | undefined;
        let now = NOW;
        let inARow = 0;
        let leftOut = 0;
        for (const { result, clock, ...facts } of steps) {
          now += clock;
          const before = state;
          const decision = decideTry({ state, now, after, ...facts });
          if (decision.run) {
            leftOut = 0;
            inARow = result === "completed" ? 0 : inARow + (result === "own failure" ? 1 : 0);
            const { fingerprint } = facts;
            const { reason } = decision;
            state = nextAlarmState({
              state,
              result,
              cause: "c",
              fingerprint,
              reason,
              now,
              after,
            });
            if (result === "completed") expect(state).toBeUndefined();
            else if (before?.quarantine !== undefined) expect(state?.quarantine).toBeDefined();
          } else {
            state = decision.state;
            leftOut += 1;
            expect(before?.quarantine, "only the quarantined are left out").toBeDefined();
            expect(inARow, "and only after that many failures").toBeGreaterThanOrEqual(after);
            expect(leftOut).toBeLessThanOrEqual(state.quarantine?.pause ?? 0);
            expect(now - (state.quarantine?.triedAt ?? 0)).toBeLessThan(6 * HOUR);
          }
        }
      },
    ),
  );
});

test("the distances double: 2, 4, 8 ticks left out, until six hours are reached", () => {
  let state: AlarmState | undefined;
  const tries: number[] = [];
  for (let tick = 0; tick < 400; tick++) {
    const facts = { fingerprint: "v1", now: NOW + tick * 300, after: 3 };
    const decision = decideTry({ state, named: false, ...facts });
    if (!decision.run) {
      state = decision.state;
      continue;
    }
    tries.push(tick);
    const result = "own failure";
    state = nextAlarmState({
      state,
      result,
      cause: "c",
      reason: decision.reason,
      ...facts,
    });
  }
  expect(tries).toEqual([0, 1, 2, 5, 10, 19, 36, 69, 134, 206, 278, 350]);
});
