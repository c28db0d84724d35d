import { describe, expect, test } from "vitest";
import { sourceNotice } from "../../src/core/announcement.ts";
import {
  afterSourceNotice,
  isRequestErrorOf,
  nextSourceState,
  type RequestCounts,
  renderUnreachable,
  type SourceState,
} from "../../src/core/source_state.ts";

const NOW = 1_800_000_000;
const dead: RequestCounts = { requests: 5, succeeded: 0, lastError: "status 502" };
const well: RequestCounts = { requests: 5, succeeded: 5, lastError: undefined };
const outage = {
  kind: "unreachable",
  since: NOW - 600,
  cause: "status 502",
  notified: false,
} as const;
const recovered = { kind: "recovered", since: NOW - 900, until: NOW - 300 } as const;

describe("what is remembered of a source after a tick", () => {
  const rows: readonly [string, SourceState | undefined, RequestCounts, SourceState | undefined][] =
    [
      ["it answers: nothing", undefined, well, undefined],
      ["every request failed: outage begins", undefined, dead, { ...outage, since: NOW }],
      [
        "one request of five was answered: no outage",
        undefined,
        { ...dead, succeeded: 1 },
        undefined,
      ],
      [
        "it was not asked: nothing new",
        undefined,
        { ...well, requests: 0, succeeded: 0 },
        undefined,
      ],
      [
        "it was not asked: the outage stays",
        outage,
        { ...well, requests: 0, succeeded: 0 },
        outage,
      ],
      [
        "it goes on, with another reason",
        outage,
        { ...dead, lastError: "no answer" },
        { ...outage, cause: "no answer" },
      ],
      [
        "the requests were still waiting when the tick ended",
        undefined,
        { ...dead, lastError: undefined },
        { ...outage, since: NOW, cause: "no response yet" },
      ],
      ["it answers again, and nobody was notified: nothing", outage, well, undefined],
      [
        "it answers again, and the operators were notified: they are owed the end",
        { ...outage, notified: true },
        well,
        { kind: "recovered", since: NOW - 600, until: NOW },
      ],
      [
        "an outage that began in the future and is over",
        { ...outage, since: NOW + 9999, notified: true },
        well,
        { kind: "recovered", since: NOW, until: NOW },
      ],
      ["the mail about its end is still owed", recovered, well, recovered],
      [
        "it fails again before its end was notified: they know already",
        recovered,
        dead,
        { ...outage, since: NOW, notified: true },
      ],
      [
        "the clock stepped back: since then, not from the future",
        { ...outage, since: NOW + 9999 },
        dead,
        { ...outage, since: NOW },
      ],
    ];
  test.each(rows)("%s", (_, memory, tally, expected) => {
    expect(nextSourceState(memory, tally, NOW)).toEqual(expected);
  });
});

test.each([
  ["no outage", undefined, 0, undefined, undefined],
  ["an outage that is a second too short", outage, 601, undefined, undefined],
  [
    "an outage that lasted long enough",
    outage,
    600,
    "source unreachable",
    { ...outage, notified: true },
  ],
  ["an outage with a mail", { ...outage, notified: true }, 0, undefined, undefined],
  ["a recovery without a mail", recovered, 9999, "source recovery", undefined],
])("%s: the right mail to the operators is due, once", (_, state, after, due, then) => {
  const facts = { state, alarms: [], now: NOW, after };
  expect(sourceNotice("main", { ...facts, requested: true })?.about).toBe(due);
  const withoutRequest = due === "source unreachable" ? undefined : due;
  expect(sourceNotice("main", { ...facts, requested: false })?.about).toBe(withoutRequest);
  if (due !== undefined) expect(afterSourceNotice(state)).toEqual(then);
});

test("the line names the source, since when, why, and which alarms are affected", () => {
  expect(renderUnreachable("main", outage, dead, ["a", "b"])).toBe(
    "source main unreachable since 2027-01-15 07:50 UTC: every request failed (5 of 5 in this tick; last: status 502); affected alarms: a, b",
  );
});

test.each([
  ["GET /things/?a=b from main: status 502, 4 attempts", true],
  ["GET /things/ from main: ECONNREFUSED: it said from other: no", true],
  ["GET /things/ from other: status 502", false],
  ["GET /things/: page 3: it leads back", false],
  ["detect threw Error: GET / from main: x", false],
  ["yielded null; a detection is …", false],
])("%s: a failed request to main and no more: %s", (reason, expected) => {
  expect(isRequestErrorOf("main", reason)).toBe(expected);
});

test("a recovery that a clock ahead has recorded is mailed with the present time", () => {
  const state = { kind: "recovered", since: NOW + 100, until: NOW + 9999 } as const;
  const facts = { state, requested: true, alarms: [], now: NOW, after: 0 };
  expect(sourceNotice("main", facts)?.paragraphs).toEqual([
    "The source main responds again since 2027-01-15 08:00 UTC. It was unreachable since 2027-01-15 08:00 UTC.",
  ]);
});
