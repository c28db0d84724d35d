import { isJsonObject, type JsonObject } from "../../src/text/json.ts";
import { parseUtc, utcSecond } from "../../src/text/utc.ts";
import { type GracedbServer, listResponse } from "../alarms/gracedb_server.ts";
import { recordsOf, type Timeline, timelineOf } from "../alarms/gracedb_timeline.ts";
import { logEntry } from "../alarms/superevent_row.ts";

/** A superevent, and what became of it when. */
export interface Played {
  readonly id: string;
  /** Epoch seconds. */
  readonly began: number;
  readonly timeline: Timeline;
  /** Files, in seconds since it began; by default a sky map that comes with its label. */
  readonly files?: readonly (readonly [name: string, seconds: number])[];
  /** A list that cannot be read, in seconds since it began. */
  readonly failing?: {
    readonly list: "labels" | "logs" | "voevents";
    /** After 500 a request is tried again, after 403 it is not. */
    readonly status: 403 | 500;
    readonly from?: number;
    readonly until?: number;
  };
}

/** A recorded row from its start. */
export function playedRow(row: JsonObject): Played {
  return {
    id: String(row.superevent_id),
    began: parseUtc(row.created) ?? 0,
    timeline: timelineOf(row),
  };
}

/** The same with these labels and notices so many seconds later. */
export function delayed(timeline: Timeline, by: number, ...late: readonly string[]): Timeline {
  const later = (name: string, at: number): number => (late.includes(name) ? at + by : at);
  return {
    ...timeline,
    labels: Object.fromEntries(
      Object.entries(timeline.labels).map(([name, at]) => [name, later(name, at)]),
    ),
    notices: (timeline.notices ?? []).map(([type, at]) => [type, later(type, at)]),
  };
}

/** Sets the lists of the superevents that there are at that time, and returns their rows, the newest first. */
export function serveAt(
  { labels, answers }: GracedbServer,
  superevents: readonly Played[],
  time: number,
): readonly JsonObject[] {
  const there = superevents.filter(({ began }) => began <= time);
  const newest = there.toSorted((a, b) => b.began - a.began);
  return newest.map(({ id, began, timeline, files = mapOf(timeline), failing }) => {
    const seconds = time - began;
    const records = recordsOf(id, began, timeline, seconds);
    const uploaded = files.filter(([, at]) => at <= seconds);
    const log = Array.isArray(records.logs.log) ? records.logs.log.filter(isJsonObject) : [];
    const entries = uploaded.map(([name, at]) => logEntry(utcSecond(began + at), name));
    const path = (list: string): string => `superevents/${id}/${list}/`;
    labels.set(id, records.labels);
    answers.delete(path("labels"));
    answers.set(path("voevents"), records.voevents);
    answers.set(path("logs"), listResponse("log", [...log, ...entries]));
    const names = uploaded.flatMap(([name]) => [name, `${name},0`]);
    answers.set(path("files"), Object.fromEntries(names.map((name) => [name, ""])));
    const { list, status, from = 0, until = Number.POSITIVE_INFINITY } = failing ?? NOT_FAILING;
    if (from <= seconds && seconds < until) answers.set(path(list), status);
    return withEventLabels(records.row);
  });
}

const NOT_FAILING: NonNullable<Played["failing"]> = { list: "labels", status: 403, until: 0 };

function mapOf({ labels: { SKYMAP_READY: at } }: Timeline): NonNullable<Played["files"]> {
  return at === undefined ? [] : [["bayestar.multiorder.fits", at]];
}

/** The labels of the preferred event come when those of the superevent do. */
function withEventLabels(row: JsonObject): JsonObject {
  const { labels, preferred_event_data: event } = row;
  if (!isJsonObject(event)) return row;
  const there = namesIn(labels);
  const names = namesIn(event.labels).filter((name) => there.includes(name));
  return { ...row, preferred_event_data: { ...event, labels: names } };
}

function namesIn(labels: unknown): string[] {
  return Array.isArray(labels) ? labels.map(String) : [];
}
