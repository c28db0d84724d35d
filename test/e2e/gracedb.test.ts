import { describe, expect, test } from "vitest";
import { parseUtc } from "../../src/text/utc.ts";
import { ANONYMOUS, recordedSuperevents } from "../alarms/gracedb_server.ts";
import { CONFIRMED, LESS_SIGNIFICANT, type Timeline, without } from "../alarms/gracedb_timeline.ts";
import { QUIET } from "../support/quiet.ts";
import { delayed, type Played, playedRow } from "./gracedb_played.ts";
import { type GracedbSite, gracedbSite } from "./gracedb_site.ts";

const SLOW = 300_000;
const MINUTE = 60;

function secondsOf(time: string): number {
  return parseUtc(time) ?? Number.NaN;
}

/** The times of so many ticks. */
function ticksFrom(first: string, count: number, minutes: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => secondsOf(first) + at * minutes * MINUTE);
}

function minuteOf(seconds: unknown): string {
  return new Date(Number(seconds) * 1000).toISOString().slice(5, 16).replace("T", " ");
}

/** An event: its alarm and key, when it fired, at which level, when it cleared, and why. */
type Life = readonly [event: string, fired: string, level: string, cleared?: string, why?: string];

/** Each event that there ever was. */
async function livesOf({ site }: GracedbSite): Promise<readonly Life[]> {
  const events = await site.entries("event");
  const lives = events.map(({ data }): Life => {
    const { entry_id, dedupe_key, fire_time, clear_time, clear_reason, severity, stage } = data;
    const level = [severity, stage].filter((each) => each !== undefined).join(" ");
    const event = `${String(entry_id).replace("event_gracedb_", "")} ${dedupe_key}`;
    const fired = minuteOf(fire_time);
    return clear_time === null
      ? [event, fired, level]
      : [event, fired, level, minuteOf(clear_time), String(clear_reason)];
  });
  return lives.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** The superevents that an error of a tick names. */
function namedIn(stderr: string): readonly string[] {
  return [...new Set(stderr.match(/\bM?S\d{6}[a-z]+/g))].toSorted();
}

describe("recorded days with nothing wrong", () => {
  test.each([
    { list: "4242c4c", first: "2023-08-31 08:25:00 UTC", count: 3 },
    { list: "7ab5bfa", first: "2023-09-26 01:35:00 UTC", count: 4 },
  ])(
    "$list: nothing fires, within the anonymous limit",
    { timeout: SLOW },
    async ({ list, first, count }) => {
      const rows = recordedSuperevents(list);
      if (rows === undefined)
        return console.log(`skipped: no recorded list ${list} beside this checkout`);
      const gracedb = await gracedbSite(rows.map(playedRow));
      const counts: number[] = [];
      for (const time of ticksFrom(first, count, 20)) {
        expect(await gracedb.commandAt(time, "run")).toEqual(QUIET);
        counts.push(gracedb.newRequests().length);
      }
      expect(await livesOf(gracedb)).toEqual([]);
      expect(await gracedb.newMails()).toEqual([]);
      console.log(`requests on ${list}, by tick: ${counts.join(", ")}`);
      expect(Math.max(...counts)).toBeLessThan(ANONYMOUS);
    },
  );
});

test("a recorded day on which something is wrong", { timeout: SLOW }, async () => {
  const rows = recordedSuperevents("4242c4c");
  if (rows === undefined)
    return console.log("skipped: no recorded list 4242c4c beside this checkout");
  const ALERT = ["EM_READY", "LOW_SIGNIF_LOCKED", "DQOK", "LOW_SIGNIF_PRELIM_SENT"];
  const changes: { readonly [id: string]: (superevent: Played) => Partial<Played> } = {
    // p-astro 562 s after its deadline, and what comes after it.
    S230831ar: ({ timeline }) => ({
      timeline: delayed(timeline, 840, "PASTRO_READY", ...ALERT, "PR"),
    }),
    S230831ai: ({ timeline }) => ({ timeline: without(timeline, "SKYMAP_READY", ...ALERT, "PR") }),
    S230831k: ({ timeline }) => ({
      timeline: delayed(without(timeline, "LOW_SIGNIF_LOCKED"), 22_240, "SKYMAP_READY", "EM_READY"),
      files: [["cwb.multiorder.fits", 20]],
    }),
    S230831p: ({ timeline }) => ({
      timeline: delayed(timeline, 18_280, "PASTRO_READY", ...ALERT, "PR"),
      failing: { list: "logs", status: 500, from: 17_000, until: 17_500 },
    }),
    S230831aa: ({ timeline }) => ({
      timeline: without(timeline, "PASTRO_READY", ...ALERT, "PR"),
      failing: { list: "logs", status: 403 },
    }),
    S230831e: ({ timeline }) => ({ timeline: without(timeline, "IN") }),
    S230830an: ({ timeline }) => ({
      timeline: { ...timeline, notices: [["PR", 55]] },
      failing: { list: "labels", status: 403, until: 69_600 },
    }),
  };
  const gracedb = await gracedbSite(
    rows.map(playedRow).map((each) => ({ ...each, ...changes[each.id]?.(each) })),
  );
  const unchecked: (readonly string[])[] = [];
  for (const time of [
    ...ticksFrom("2023-08-31 08:20:00 UTC", 5, 10),
    secondsOf("2023-09-01 20:20:00 UTC"),
    secondsOf("2023-09-03 08:20:00 UTC"),
  ]) {
    const { code, stderr } = await gracedb.commandAt(time, "run");
    const names = namedIn(stderr);
    expect(code).toBe(names.length > 0 ? 1 : 0);
    unchecked.push([minuteOf(time), ...names]);
  }
  expect(unchecked).toEqual([
    ["08-31 08:20", "S230830an", "S230831aa"],
    ["08-31 08:30", "S230831aa"],
    ["08-31 08:40", "S230831aa", "S230831p"],
    ["08-31 08:50", "S230831aa"],
    ["08-31 09:00", "S230831aa"],
    ["09-01 20:20", "S230831aa"],
    ["09-03 08:20"],
  ]);
  expect(await livesOf(gracedb)).toEqual([
    [
      "alert_flow S230830an:second_less_significant",
      "08-31 08:30",
      "warning preliminary",
      "09-01 20:20",
      "left the look-back",
    ],
    [
      "alert_flow S230831e:initial",
      "08-31 08:20",
      "error initial",
      "09-01 20:20",
      "left the look-back",
    ],
    ["followup S230831ai:sky_map", "08-31 08:20", "error", "09-03 08:20", "left the look-back"],
    ["followup S230831ar:p_astro", "08-31 08:30", "error", "08-31 08:40", "late by 562 s"],
    ["followup S230831k:sky_map", "08-31 08:20", "error", "08-31 08:50", "late by 21960 s"],
    ["followup S230831p:p_astro", "08-31 08:20", "error", "08-31 09:00", "late by 18002 s"],
    // There were no more mock events.
    ["heartbeat mock_event", "09-01 20:20", ""],
    ["heartbeat mock_notice", "09-01 20:20", ""],
    [
      "label_consistency S230831k:file_without_label",
      "08-31 08:20",
      "",
      "08-31 08:40",
      "left the look-back",
    ],
  ]);
});

/** Superevents of May 2024, and mock events of that day. */
const NOON = secondsOf("2024-05-01 12:00:20 UTC");
const LOCKED = without(CONFIRMED, "GCN_PRELIM_SENT", "PR", "ADVOK", "IN");
const REJECTED: Timeline = {
  ...without(CONFIRMED, "ADVOK", "IN"),
  labels: { ...without(CONFIRMED, "ADVOK").labels, ADVNO: 1500 },
};
const ALERTS: { readonly [id: string]: Omit<Played, "id" | "began"> } = {
  // Nothing wrong: confirmed; rejected; vetoed and rejected; blocked.
  S240501a: { timeline: CONFIRMED },
  S240501b: { timeline: { ...REJECTED, notices: [...(REJECTED.notices ?? []), ["RE", 1530]] } },
  S240501c: {
    timeline: { ...LOCKED, labels: { ...without(LOCKED, "DQOK").labels, DQV: 31, ADVNO: 900 } },
  },
  S240501d: {
    timeline: {
      ...without(LESS_SIGNIFICANT, "LOW_SIGNIF_PRELIM_SENT", "PR"),
      blocked: [["SIGNIF_LOCKED", 40]],
    },
  },
  // The same, but not blocked.
  S240501e: { timeline: without(LESS_SIGNIFICANT, "LOW_SIGNIF_PRELIM_SENT", "PR") },
  S240501f: { timeline: delayed(CONFIRMED, 640, "GCN_PRELIM_SENT", "PR") },
  S240501g: { timeline: delayed(CONFIRMED, 2500, "ADVOK", "IN") },
  S240501h: { timeline: delayed(REJECTED, 100, "ADVNO") },
  // Never locked; at last confirmed by hand.
  S240501i: {
    timeline: delayed(
      without(CONFIRMED, "SIGNIF_LOCKED", "DQOK", "GCN_PRELIM_SENT", "PR"),
      2000,
      "ADVOK",
      "IN",
    ),
  },
  // Created, but not sent; nobody decides.
  S240501j: { timeline: { ...LOCKED, notices: [["PR", 55]] } },
  S240501k: {
    timeline: without(CONFIRMED, "IN"),
    failing: { list: "voevents", status: 403, from: 1900, until: 3300 },
  },
  S240501l: { timeline: without(LOCKED, "EMBRIGHT_READY", "EM_READY", "SIGNIF_LOCKED", "DQOK") },
};

function mockEvent(id: string, minutes: number): Played {
  const timeline = { ...without(CONFIRMED, "DQOK"), row: { category: "MDC" } };
  return { id, began: NOON + minutes * 60, timeline };
}

/** Every five minutes, but for those between which nothing happens. */
const ALERT_TICKS = [
  ...ticksFrom("2024-05-01 12:05:00 UTC", 3, 5),
  ...ticksFrom("2024-05-01 12:35:00 UTC", 8, 5),
  secondsOf("2024-05-01 13:30:00 UTC"),
];

const FLOW = "[alarm_gracedb_alert_flow] 1 detection(s), 1 new, 0 continuing";

/** What one mail says in its subject and its text. */
const SAID: readonly (readonly [sentence: string, subject: string, text: string])[] = [
  [
    "missing",
    `${FLOW}: ERROR: S240501h: retraction is missing\n`,
    "The candidate was rejected (ADVNO), but astronomers have not been notified.\n\n      Expected by:   2024-05-01 12:37:00 UTC",
  ],
  [
    "unusable",
    "[alarm_gracedb_alert_flow] 5 detection(s), 5 new, 0 continuing",
    "ERROR: S240501j: preliminary notice is unusable (stage preliminary)\n      Unusable: created, but not sent: the label GCN_PRELIM_SENT is missing.",
  ],
  [
    "late",
    "[alarm_gracedb_alert_flow] 0 detection(s), 0 new, 0 continuing, 1 cleared: S240501g: decision",
    ": late by 372 s\n",
  ],
  [
    "not checked",
    "[alarm_engine] 1 detection(s), 1 new, 0 continuing: alarm gracedb_alert_flow fails: GET /api/superevents/S240501k/voeve",
    "it may miss what it watches, and its events may not clear",
  ],
  [
    "not checked, beside others",
    `${FLOW}: ERROR: S240501h`,
    "Note: GET /api/superevents/S240501k/",
  ],
];

test("alerts from the first product to their ends", { timeout: SLOW }, async () => {
  const gracedb = await gracedbSite([
    ...Object.entries(ALERTS).map(([id, alert]) => ({ id, began: NOON, ...alert })),
    mockEvent("MS240501k", -77),
    mockEvent("MS240501l", -17),
    mockEvent("MS240501m", 43),
  ]);
  const counts: number[] = [];
  const mails: string[] = [];
  for (const time of ALERT_TICKS) {
    const { stderr } = await gracedb.commandAt(time, "run");
    const isUnchecked = minuteOf(time) > "05-01 12:35" && minuteOf(time) < "05-01 13:00";
    expect(namedIn(stderr)).toEqual(isUnchecked ? ["S240501k"] : []);
    counts.push(gracedb.newRequests().length);
    for (const { subject, text } of await gracedb.newMails()) mails.push(`${subject}\n${text}`);
  }
  console.log(`requests for these alerts, by tick: ${counts.join(", ")}`);
  expect(Math.max(...counts)).toBeLessThan(ANONYMOUS);
  for (const [sentence, subject, text] of SAID) {
    const said = mails.filter((mail) => mail.startsWith(subject) && mail.includes(text));
    expect(said, sentence).toHaveLength(1);
  }
  expect(await livesOf(gracedb)).toEqual([
    ["alert_flow S240501e:less_significant", "05-01 12:10", "warning preliminary"],
    [
      "alert_flow S240501f:preliminary",
      "05-01 12:10",
      "error preliminary",
      "05-01 12:15",
      "late by 372 s",
    ],
    [
      "alert_flow S240501g:decision",
      "05-01 13:05",
      "error initial",
      "05-01 13:10",
      "late by 372 s",
    ],
    ["alert_flow S240501h:retraction", "05-01 12:40", "error"],
    [
      "alert_flow S240501i:locked",
      "05-01 12:10",
      "error preliminary",
      "05-01 13:00",
      'cancelled: the stage "initial" is reached',
    ],
    ["alert_flow S240501j:decision", "05-01 13:05", "error initial"],
    ["alert_flow S240501j:preliminary", "05-01 12:10", "error preliminary"],
    ["alert_flow S240501k:initial", "05-01 13:00", "error initial"],
    ["alert_flow S240501l:source_class", "05-01 12:10", "error preliminary"],
    ["event_rate rate:CBC:gstlal", "05-01 12:05", ""],
    ["followup S240501l:em_bright", "05-01 12:15", "error"],
  ]);
});
