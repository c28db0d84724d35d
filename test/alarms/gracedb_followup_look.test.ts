import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GRAPH } from "../../alarms/gracedb_followup.ts";
import {
  type FollowedSuperevent,
  type LogEntry,
  parseFollowable,
  parseLabelTimes,
  parseLogs,
} from "../../alarms/lib/gracedb_followed.ts";
import { isDayOlder } from "../../alarms/lib/gracedb_list.ts";
import { lookFor, type Want } from "../../alarms/lib/gracedb_want.ts";
import type { Sight } from "../../src/author/expectations/expectation.ts";
import { replay } from "../../src/author/expectations/replay.ts";
import { type RowFacts, supereventRow } from "./superevent_row.ts";

const START = 1_693_468_800;

function entity(
  row: Partial<RowFacts> = {},
  loaded: Omit<FollowedSuperevent, "superevent"> = {},
): FollowedSuperevent {
  const facts = { created: "2023-08-31 08:00:00 UTC", labels: ["SKYMAP_READY"], ...row };
  const parsed = parseFollowable(supereventRow("S230831a", facts));
  if (!parsed.ok) throw new Error(parsed.error);
  return { superevent: parsed.superevent, ...loaded };
}

const entry = (filename: string, created: number, more: Partial<LogEntry> = {}): LogEntry => ({
  filename,
  created,
  comment: "",
  tags: [],
  ...more,
});

const LOGS = {
  logs: [
    entry("bayestar.fits.gz", START + 90, { tags: ["lvem", "sky_loc"] }),
    entry("bayestar.fits.gz", START + 40, { tags: ["sky_loc"] }),
    entry("", START + 7, { comment: "Started searching for iDQ information within [1, 2] at H1" }),
  ],
};
const TIMES = {
  labelTimes: new Map([
    ["SKYMAP_READY", START + 30],
    ["PE_READY", START + 60],
  ]),
};
const DOWN = { unknown: "status 503" };

const sights: readonly [sentence: string, FollowedSuperevent, Want, boolean, Sight][] = [
  ["a label of the list has no time", entity(), "label SKYMAP_READY", false, true],
  ["its time is needed where it matters", entity(), "label SKYMAP_READY", true, { need: "labels" }],
  ["a loaded time", entity({}, TIMES), "label SKYMAP_READY", false, START + 30],
  ["a label set after the list was read", entity({}, TIMES), "label PE_READY", false, START + 60],
  [
    "a label without a record",
    entity({}, { labelTimes: new Map() }),
    "label SKYMAP_READY",
    true,
    true,
  ],
  [
    "a time that failed to load",
    entity({}, { labelTimes: DOWN }),
    "label SKYMAP_READY",
    true,
    DOWN,
  ],
  ["which does not matter", entity({}, { labelTimes: DOWN }), "label SKYMAP_READY", false, true],
  ["a label that is not there", entity(), "label ADVOK", true, false],
  ["one of the preferred event", entity({ preferred: ["PE_READY"] }), "label PE_READY", true, true],
  ["a file is in the log", entity(), "file bayestar.fits.gz", false, { need: "logs" }],
  ["its first version counts", entity({}, LOGS), "file bayestar.*", false, START + 40],
  ["a file that is not there", entity({}, LOGS), "file bayestar.fits", false, false],
  ["only * stands for anything", entity({}, LOGS), "file bayestar?fits*", false, false],
  [
    "a version with these tags",
    entity({}, LOGS),
    "file bayestar.fits.gz tagged sky_loc lvem",
    false,
    START + 90,
  ],
  [
    "none with these tags",
    entity({}, LOGS),
    "file bayestar.fits.gz tagged lvem",
    false,
    { bad: "its tags are not lvem", at: START + 40 },
  ],
  ["a log that failed to load", entity({}, { logs: DOWN }), "file x", false, DOWN],
  ["a part of a comment", entity({}, LOGS), "log searching for iDQ * at H1", false, START + 7],
  ["not of another detector", entity({}, LOGS), "log searching for iDQ * at L1", false, false],
  [
    "a file without a label, a while after it came",
    entity({}, LOGS),
    "unlabelled *.fits.gz",
    false,
    { bad: "bayestar.fits.gz has no label", at: START + 340 },
  ],
  ["the group", entity(), "group CBC", false, true],
  ["the pipeline, in any case", entity({ pipeline: "CWB" }), "pipeline cWB", false, true],
  ["another search", entity(), "search SSM", false, false],
  ["the category", entity(), "category Production", false, true],
  ["a detector", entity(), "instrument V1", false, false],
  ["a rate up to a limit", entity({ far: 1e-6 }), "far up to 1.65e-6", false, true],
  ["a rate above it", entity({ far: 2e-6 }), "far up to 1.65e-6", false, false],
  ["no rate: rather watched", entity({ far: null }), "far watched", false, true],
  ["no rate", entity({ far: null }), "far", false, false],
  ["a rate of zero", entity({ far: 0 }), "far", false, true],
  [
    "too high a rate",
    entity({ far: 0.01 }),
    "far",
    false,
    { bad: "0.01 Hz is not between 0 and 0.001 Hz" },
  ],
  ["not online", entity({ offline: true }), "online", false, false],
];

test.each(sights)("%s", (_sentence, of, want, timed, sight) => {
  expect(lookFor(of, want, timed, 1e-4)).toEqual(sight);
});

describe("responses", () => {
  test("label times, without those that cannot be read", () => {
    const labels = [
      { name: "DQV", created: "2018-09-19 18:29:24 UTC" },
      { name: "DQOK", created: "soon" },
      null,
    ];
    expect(parseLabelTimes({ labels })).toEqual(new Map([["DQV", 1_537_381_764]]));
    expect(parseLabelTimes({ labels: "none" })).toEqual({
      unknown: 'its labels are "none", not a list',
    });
  });

  test("a log entry without a file", () => {
    const log = [
      { comment: "x", created: "2018-09-19 18:29:01 UTC", filename: "", file_version: null },
    ];
    expect(parseLogs({ numRows: 1, log })).toEqual([
      { comment: "x", filename: "", tags: [], created: 1_537_381_741 },
    ]);
  });
});

test.each([
  ["of the day before the look-back", "S230828zz", true],
  ["of the day in which it begins, as the superevent may be older", "MS230829a", true],
  ["of a later day", "S230830a", false],
  ["without a day", "x", true],
])("a superevent %s", (_sentence, id, expected) => {
  expect(isDayOlder(id, 2 * 86_400, START)).toBe(expected);
});

const NAMES = ["SKYMAP_READY", "EMBRIGHT_READY", "PASTRO_READY", "EM_READY"];
const times = fc.array(fc.option(fc.integer({ min: 0, max: 3000 })), {
  minLength: 4,
  maxLength: 4,
});

function replayed(delays: readonly (number | null)[], period: number, until: number) {
  const known = NAMES.flatMap((name, index) => {
    const delay = delays[index] ?? null;
    return delay === null ? [] : [[name, START + delay] as const];
  });
  const of = entity({ labels: [] }, { labelTimes: new Map(known), logs: [] });
  const ticks = Array.from(
    { length: Math.floor(until / period) },
    (_, i) => START + (i + 1) * period,
  );
  const look = (want: Want, timed: boolean): Sight => lookFor(of, want, timed, 1e-4);
  return replay(GRAPH, START, look, ticks);
}

describe("replayed with exact times", () => {
  test.each([60, 300, 900])(
    "every %i s, a late product is missing from its deadline until it comes",
    (period) => {
      // The sky map comes after 1,800 s, and EM_READY with it.
      const states = replayed([1800, 60, 60, 1800], period, 3600).map(
        (verdicts) => verdicts.find(({ expectation }) => expectation.name === "sky_map")?.state,
      );
      const expected = states.map((_, index) => {
        const age = (index + 1) * period;
        if (age >= 1800) return "late";
        return age > 300 ? "missing" : "pending";
      });
      expect(states).toEqual(expected);
    },
  );

  test("labels that are later than now never change a verdict", () => {
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 40 }), (delays, index) => {
        const now = index * 60;
        const before = delays.map((delay) => (delay !== null && delay > now ? null : delay));
        expect(replayed(delays, 60, 2400)[index - 1]).toEqual(
          replayed(before, 60, 2400)[index - 1],
        );
      }),
    );
  });
});
