import { describe, expect, test } from "vitest";
import {
  affectedAlarms,
  isRequestErrorOf,
  nextSourceState,
  type RequestCounts,
  renderUnreachable,
  type SourceState,
} from "../../src/core/source_state.ts";

const NOW = 1_800_000_000;
const dead: RequestCounts = { requests: 5, succeeded: 0, lastError: "status 502" };
const well: RequestCounts = { requests: 5, succeeded: 5, lastError: undefined };
const unasked: RequestCounts = { requests: 0, succeeded: 0, lastError: undefined };
const outage: SourceState = { since: NOW - 600, cause: "status 502" };

describe("what is stored about a source after a tick", () => {
  const rows: readonly [string, SourceState | undefined, RequestCounts, SourceState | undefined][] =
    [
      ["it responds: nothing", undefined, well, undefined],
      ["every request failed: an outage begins", undefined, dead, { ...outage, since: NOW }],
      ["one request of five succeeded: no outage", undefined, { ...dead, succeeded: 1 }, undefined],
      ["no request was sent: nothing new", undefined, unasked, undefined],
      ["no request was sent: the outage stays", outage, unasked, outage],
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
        { since: NOW, cause: "no response yet" },
      ],
      ["it responds again: nothing", outage, well, undefined],
      [
        "the clock was set back: since now, not from the future",
        { ...outage, since: NOW + 9999 },
        dead,
        { ...outage, since: NOW },
      ],
    ];
  test.each(rows)("%s", (_, state, counts, expected) => {
    expect(nextSourceState(state, counts, NOW)).toEqual(expected);
  });
});

test("alarms whose requests to the source failed are affected by it", () => {
  const alarms = [
    { name: "z", errors: ["it broke", "GET /a/ from main: status 502"] },
    { name: "y", errors: ["GET /a/ from other: status 502"] },
    { name: "x", errors: ["GET /a/ from main: status 502"] },
  ];
  expect(affectedAlarms("main", alarms)).toEqual(["x", "z"]);
});

test("the line names the source, since when, why, and which alarms are affected", () => {
  expect(renderUnreachable("main", outage, dead, ["a", "b"])).toBe(
    "source main unreachable since 2027-01-15 07:50 UTC: every request failed (5 of 5 in this tick; last: status 502); affected alarms: a, b",
  );
});

test.each([
  ["GET /things/?a=b from main: status 502, 4 attempts", true],
  ["POST /graphql from main: status 502", true],
  ["GET /things/ from main: ECONNREFUSED: it said from other: no", true],
  ["GET /things/ from other: status 502", false],
  ["GET /things/: page 3: it leads back", false],
  ["detect threw Error: GET / from main: x", false],
  ["yielded null; a detection is …", false],
])("%s: a failed request to main and no more: %s", (reason, expected) => {
  expect(isRequestErrorOf("main", reason)).toBe(expected);
});
