import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GRAPH } from "../../alarms/gracedb_followup.ts";
import { lookFor, type Want } from "../../alarms/lib/gracedb_followup_look.ts";
import { type Known, NOTHING_KNOWN } from "../../alarms/lib/gracedb_known.ts";
import type { LogEntry } from "../../alarms/lib/gracedb_records.ts";
import type { Sight } from "../../src/author/expectations/expectation.ts";
import { replay } from "../../src/author/expectations/replay.ts";
import { knownOf, supereventOf } from "./known_superevent.ts";
import { type RowFacts, supereventRow } from "./superevent_row.ts";

const START = 1_693_468_800;

interface Given {
  readonly row?: Partial<RowFacts>;
  readonly known?: Known;
}

function look({ row, known = NOTHING_KNOWN }: Given, want: Want, timed: boolean): Sight {
  const facts = { created: "2023-08-31 08:00:00 UTC", labels: ["SKYMAP_READY"], ...row };
  return lookFor(supereventOf(supereventRow("S230831a", facts)), known, want, timed, 1e-4);
}

const entry = (filename: string, created: number, more: Partial<LogEntry> = {}): LogEntry => ({
  filename,
  created,
  comment: "",
  tags: [],
  ...more,
});

const LOGS = knownOf({
  logs: [
    entry("", START + 7, { comment: "Started searching for iDQ information within [1, 2] at H1" }),
    entry("bayestar.fits.gz", START + 40, { tags: ["sky_loc"] }),
    entry("bayestar.fits.gz", START + 90, { tags: ["lvem", "sky_loc"] }),
  ],
});
const TIMES = knownOf({ labels: [{ name: "SKYMAP_READY", created: START + 30 }] });
const UNDATED = knownOf({ labels: [{ name: "SKYMAP_READY", created: null }] });
const DOWN: Known = {
  ...NOTHING_KNOWN,
  loaded: { labels: "status 503", logs: "status 503" },
};

const sights: readonly [sentence: string, Given, Want, boolean, Sight][] = [
  ["a label of the list has no time", {}, "label SKYMAP_READY", false, true],
  ["its time is needed where it matters", {}, "label SKYMAP_READY", true, { need: "labels" }],
  ["a loaded time", { known: TIMES }, "label SKYMAP_READY", false, START + 30],
  [
    "a label without a record",
    { known: knownOf({ labels: [] }) },
    "label SKYMAP_READY",
    true,
    true,
  ],
  ["a label whose time cannot be read", { known: UNDATED }, "label SKYMAP_READY", true, true],
  [
    "a time that failed to load",
    { known: DOWN },
    "label SKYMAP_READY",
    true,
    { unknown: "status 503" },
  ],
  ["which does not matter", { known: DOWN }, "label SKYMAP_READY", false, true],
  ["a label that is not there", {}, "label ADVOK", true, false],
  [
    "one of the preferred event",
    { row: { preferred: ["PE_READY"] } },
    "label PE_READY",
    true,
    true,
  ],
  ["a file is in the log", {}, "file bayestar.fits.gz", false, { need: "logs" }],
  ["its first version counts", { known: LOGS }, "file bayestar.*", false, START + 40],
  ["a file that is not there", { known: LOGS }, "file bayestar.fits", false, false],
  ["only * stands for anything", { known: LOGS }, "file bayestar?fits*", false, false],
  [
    "a version with these tags",
    { known: LOGS },
    "file bayestar.fits.gz tagged sky_loc lvem",
    false,
    START + 90,
  ],
  [
    "none with these tags",
    { known: LOGS },
    "file bayestar.fits.gz tagged lvem",
    false,
    { bad: "its tags are not lvem", at: START + 40 },
  ],
  ["a log that failed to load", { known: DOWN }, "file x", false, { unknown: "status 503" }],
  ["a part of a comment", { known: LOGS }, "log searching for iDQ * at H1", false, START + 7],
  ["not of another detector", { known: LOGS }, "log searching for iDQ * at L1", false, false],
  [
    "a file without a label, a while after it came",
    { known: LOGS },
    "unlabelled *.fits.gz",
    false,
    { bad: "bayestar.fits.gz has no label", at: START + 340 },
  ],
  ["the group", {}, "group CBC", false, true],
  ["the pipeline, in any case", { row: { pipeline: "CWB" } }, "pipeline cWB", false, true],
  ["another search", {}, "search SSM", false, false],
  ["the category", {}, "category Production", false, true],
  ["a detector", {}, "instrument V1", false, false],
  ["a rate up to a limit", { row: { far: 1e-6 } }, "far up to 1.65e-6", false, true],
  ["a rate above it", { row: { far: 2e-6 } }, "far up to 1.65e-6", false, false],
  ["no rate: rather watched", { row: { far: null } }, "far watched", false, true],
  ["no rate", { row: { far: null } }, "far", false, false],
  ["a rate of zero", { row: { far: 0 } }, "far", false, true],
  [
    "too high a rate",
    { row: { far: 0.01 } },
    "far",
    false,
    { bad: "0.01 Hz is not between 0 and 0.001 Hz" },
  ],
  ["not online", { row: { offline: true } }, "online", false, false],
];

test.each(sights)("%s", (_sentence, of, want, timed, sight) => {
  expect(look(of, want, timed)).toEqual(sight);
});

const NAMES = ["SKYMAP_READY", "EMBRIGHT_READY", "PASTRO_READY", "EM_READY"];
const times = fc.array(fc.option(fc.integer({ min: 0, max: 3000 })), {
  minLength: 4,
  maxLength: 4,
});

function replayed(delays: readonly (number | null)[], period: number, until: number) {
  const labels = NAMES.flatMap((name, index) => {
    const delay = delays[index] ?? null;
    return delay === null ? [] : { name, created: START + delay };
  });
  const given = {
    row: { labels: labels.map(({ name }) => name) },
    known: knownOf({ labels, logs: [] }),
  };
  const ticks = Array.from(
    { length: Math.floor(until / period) },
    (_, i) => START + (i + 1) * period,
  );
  return replay(GRAPH, START, (want, timed) => look(given, want, timed), ticks);
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
