import type { JsonObject } from "../../src/text/json.ts";
import { utcSecond } from "../../src/text/utc.ts";
import { type GracedbServer, listResponse, startGracedb } from "./gracedb_server.ts";
import { logEntry, supereventRow } from "./superevent_row.ts";

/** Seconds from the start of a superevent, by label. */
export interface LabelTimes {
  readonly [label: string]: number;
}

/** What became of a superevent, in the seconds since it began. */
export interface Timeline {
  readonly labels: LabelTimes;
  readonly notices?: readonly (readonly [type: string, seconds: number])[];
  readonly blocked?: readonly (readonly [by: string, seconds: number])[];
  /** What else its row has. */
  readonly row?: JsonObject;
}

export const PRODUCTS: LabelTimes = {
  SKYMAP_READY: 20,
  EMBRIGHT_READY: 25,
  PASTRO_READY: 22,
  EM_READY: 26,
};

/** A significant superevent that people confirm after 25 minutes, and a less significant one, both with nothing wrong. */
export const CONFIRMED: Timeline = {
  labels: {
    ...PRODUCTS,
    SIGNIF_LOCKED: 28,
    DQOK: 31,
    GCN_PRELIM_SENT: 60,
    ADVOK: 1500,
  },
  notices: [
    ["PR", 55],
    ["PR", 345],
    ["IN", 1530],
  ],
};
export const LESS_SIGNIFICANT: Timeline = {
  labels: { ...PRODUCTS, LOW_SIGNIF_LOCKED: 28, DQOK: 31, LOW_SIGNIF_PRELIM_SENT: 60 },
  notices: [
    ["PR", 55],
    ["PR", 345],
  ],
  row: { far: 2e-6 },
};

/** Seconds to each label of a recorded row, which were not recorded. */
const LABEL_TIMES: LabelTimes = {
  ...CONFIRMED.labels,
  ...LESS_SIGNIFICANT.labels,
  ADVNO: 1500,
  PE_READY: 9000,
};

/** A recorded row with times of its labels, and notices, that fit it: they were not recorded. */
export function timelineOf(recorded: JsonObject): Timeline {
  const { labels, ...row } = recorded;
  const names = Array.isArray(labels) ? labels.map(String) : [];
  const has = (name: string): boolean => names.includes(name);
  const times: LabelTimes = {
    ...LABEL_TIMES,
    // It was less significant at first.
    ...(has("LOW_SIGNIF_PRELIM_SENT") && { SIGNIF_LOCKED: 130, GCN_PRELIM_SENT: 160 }),
  };
  return {
    labels: Object.fromEntries(names.map((name) => [name, times[name] ?? 30])),
    notices: [
      ...(has("LOW_SIGNIF_PRELIM_SENT") ? preliminaries(55) : []),
      ...(has("GCN_PRELIM_SENT") ? preliminaries(155) : []),
      ...(has("ADVOK") ? [["IN", 1530] as const] : []),
      ...(has("ADVNO") ? [["RE", 1530] as const] : []),
    ],
    row,
  };
}

/** The first, and the second after the settle time. */
function preliminaries(seconds: number) {
  return [["PR", seconds] as const, ["PR", seconds + 290] as const];
}

/** The same without these labels and notices. */
export function without(timeline: Timeline, ...gone: readonly string[]): Timeline {
  return {
    ...timeline,
    labels: Object.fromEntries(
      Object.entries(timeline.labels).filter(([name]) => !gone.includes(name)),
    ),
    notices: (timeline.notices ?? []).filter(([type]) => !gone.includes(type)),
  };
}

/** The row and the lists of a superevent, in GraceDB's shapes, as they are at `now`: seconds since it began. */
export function recordsOf(
  id: string,
  began: number,
  { labels, notices = [], blocked = [], row = {} }: Timeline,
  now = Number.POSITIVE_INFINITY,
) {
  const at = (seconds: number): string => utcSecond(began + seconds);
  const records = Object.entries(labels)
    .filter(([, seconds]) => seconds <= now)
    .map(([name, seconds]) => ({ self: "", name, created: at(seconds), creator: "emfollow" }));
  const facts = { created: at(0), labels: records.map(({ name }) => name), far: 1e-9 };
  const voevents = notices
    .filter(([, seconds]) => seconds <= now)
    .map(([type, seconds], index) => ({
      voevent_type: type,
      file_version: 0,
      created: at(seconds),
      issuer: "emfollow",
      N: index + 1,
    }));
  const log = blocked
    .filter(([, seconds]) => seconds <= now)
    .map(([by, seconds]) =>
      logEntry(at(seconds), "", `Blocking automated notice due to labels {'${by}'}`),
    );
  return {
    id,
    row: { ...supereventRow(id, facts), ...row },
    labels: records,
    voevents: listResponse("voevents", voevents),
    logs: listResponse("log", log),
  };
}

/** GraceDB with these superevents. */
export async function serveRecords(
  all: readonly ReturnType<typeof recordsOf>[],
): Promise<GracedbServer> {
  const server = await startGracedb(all.map(({ row }) => row));
  for (const { id, labels, voevents, logs } of all) {
    server.labels.set(id, labels);
    server.answers.set(`superevents/${id}/voevents/`, voevents);
    server.answers.set(`superevents/${id}/logs/`, logs);
  }
  return server;
}
