import { describe, expect, test } from "vitest";
import {
  afterSourceNotice,
  isRequestErrorOf,
  nextSourceState,
  type RequestCounts,
  renderUnreachable,
  type SourceState,
  unsentNotice,
} from "../../src/core/source_state.ts";

const NOW = 1_800_000_000;
const dead: RequestCounts = { requests: 5, succeeded: 0, lastError: "status 502" };
const well: RequestCounts = { requests: 5, succeeded: 5, lastError: undefined };
const trouble = {
  kind: "trouble",
  since: NOW - 600,
  cause: "status 502",
  notified: false,
} as const;
const recovered = { kind: "recovered", since: NOW - 900, until: NOW - 300 } as const;

describe("what is remembered of a source after a tick", () => {
  const rows: readonly [string, SourceState | undefined, RequestCounts, SourceState | undefined][] =
    [
      ["it answers: nothing", undefined, well, undefined],
      ["every request failed: trouble begins", undefined, dead, { ...trouble, since: NOW }],
      [
        "one request of five was answered: no trouble",
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
        "it was not asked: the trouble stays",
        trouble,
        { ...well, requests: 0, succeeded: 0 },
        trouble,
      ],
      [
        "it goes on, with another reason",
        trouble,
        { ...dead, lastError: "no answer" },
        { ...trouble, cause: "no answer" },
      ],
      [
        "the requests were still waiting when the tick ended",
        undefined,
        { ...dead, lastError: undefined },
        { ...trouble, since: NOW, cause: "no answer yet" },
      ],
      ["it answers again, and nobody was notified: nothing", trouble, well, undefined],
      [
        "it answers again, and the operators were notified: they are owed the end",
        { ...trouble, notified: true },
        well,
        { kind: "recovered", since: NOW - 600, until: NOW },
      ],
      ["the mail about its end is still owed", recovered, well, recovered],
      [
        "it fails again before its end was notified: they know already",
        recovered,
        dead,
        { ...trouble, since: NOW, notified: true },
      ],
      [
        "the clock stepped back: since then, not from the future",
        { ...trouble, since: NOW + 9999 },
        dead,
        { ...trouble, since: NOW },
      ],
    ];
  test.each(rows)("%s", (_, memory, tally, expected) => {
    expect(nextSourceState(memory, tally, NOW)).toEqual(expected);
  });
});

test.each([
  ["no trouble", undefined, 0, undefined, undefined],
  ["trouble a second too short", trouble, 601, undefined, undefined],
  [
    "trouble that lasted long enough",
    trouble,
    600,
    "source trouble",
    { ...trouble, notified: true },
  ],
  ["trouble they were told of", { ...trouble, notified: true }, 0, undefined, undefined],
  ["an end that they were not told of", recovered, 9999, "source recovery", undefined],
])("of %s the operators are owed the right mail, and once", (_, memory, after, owed, then) => {
  expect(unsentNotice(memory, true, NOW, after)).toBe(owed);
  const unasked = owed === "source trouble" ? undefined : owed;
  expect(unsentNotice(memory, false, NOW, after)).toBe(unasked);
  if (owed !== undefined) expect(afterSourceNotice(memory)).toEqual(then);
});

test("the line names the source, since when, why, and who could not look", () => {
  expect(renderUnreachable("main", trouble, dead, ["alarm_a", "alarm_b"])).toBe(
    "source main unreachable since 2027-01-15 07:50 UTC: every request failed (5 of 5 in this tick; last: status 502); could not look: alarm_a, alarm_b",
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
