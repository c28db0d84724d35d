import { type Detection, type JsonObject, parseUtc } from "swf-alarms";
import { numberOf, objectOf, quote, show, textOf, textsOf } from "./fields.ts";

/** A row of GraceDB's `superevents/`. A field that is missing is null: rows of 2019 lack some. */
export interface Superevent {
  readonly superevent_id: string;
  readonly category: string | null;
  readonly labels: readonly string[];
  /** Epoch seconds. */
  readonly created: number | null;
  /** False alarm rate in Hz. */
  readonly far: number | null;
  readonly group: string | null;
  readonly pipeline: string | null;
}

export type ParsedSuperevent =
  | { readonly ok: true; readonly superevent: Superevent }
  | { readonly ok: false; readonly error: string };

export function parseSuperevent(row: JsonObject): ParsedSuperevent {
  const { superevent_id: id } = row;
  // It becomes part of a path, which it must not change.
  if (typeof id !== "string" || !/^[\w-]+$/.test(id))
    return { ok: false, error: `a superevent has the superevent_id ${quote(id)}` };
  const labels = textsOf(row.labels);
  if (labels === null)
    return { ok: false, error: `superevent ${id} has no readable labels: ${quote(row.labels)}` };
  const preferred = objectOf(row.preferred_event_data);
  const superevent: Superevent = {
    superevent_id: id,
    category: textOf(row.category),
    labels,
    created: parseUtc(row.created) ?? null,
    far: numberOf(row.far),
    group: textOf(preferred?.group),
    pipeline: textOf(preferred?.pipeline),
  };
  return { ok: true, superevent };
}

/** Requests a decision on a significant superevent; people respond with one of the other two. */
const REQUEST = "ADVREQ";
const DECISIONS = ["ADVOK", "ADVNO"];

export function awaitsDecision(labels: readonly string[]): boolean {
  return labels.includes(REQUEST) && !DECISIONS.some((decision) => labels.includes(decision));
}

export interface Waiting {
  /** Epoch seconds. */
  readonly since: number;
  /** Whose creation time that is. */
  readonly sinceIs: "label" | "superevent";
}

/**
 * Since when a decision is awaited, by the response of `superevents/<id>/labels/`: the time of the
 * request, else that of the superevent. Undefined if a decision was made after the list was read.
 */
export function waitingSince(created: number, response: unknown): Waiting | undefined {
  const list = objectOf(response)?.labels;
  const records = Array.isArray(list) ? list.map(objectOf) : [];
  if (records.some((record) => DECISIONS.includes(textOf(record?.name) ?? ""))) return undefined;
  const since = parseUtc(records.find((record) => record?.name === REQUEST)?.created);
  return since === undefined
    ? { since: created, sinceIs: "superevent" }
    : { since, sinceIs: "label" };
}

const SUPEREVENT_PAGES = "https://gracedb.ligo.org/superevents/";

/** The event keeps this text, so it says since when: that stays true. */
export function describeWaiting(superevent: Superevent, waiting: Waiting, now: number): Detection {
  const { created, ...facts } = superevent;
  const { superevent_id: id, category, labels, far, group, pipeline } = facts;
  const since = formatUtc(waiting.since);
  const waited = formatWait(now - waiting.since);
  return {
    dedupeKey: `superevent:${id}`,
    subject: `superevent ${show(id)} (${show(category)}) has waited ${waited} for a decision, since ${since}`,
    body: [
      `Superevent ${show(id)} has the label ${REQUEST}, but neither ${DECISIONS.join(" nor ")}.`,
      "",
      `Waiting since: ${since} (${SINCE[waiting.sinceIs]})`,
      `Waited:        ${waited} at ${formatUtc(now)}`,
      `Category:      ${show(category)}`,
      `Group:         ${show(group)}`,
      `Pipeline:      ${show(pipeline)}`,
      `FAR:           ${far === null ? "?" : `${far} Hz`}`,
      `Labels:        ${labels.map(show).join(", ")}`,
      "",
      `Superevent page: ${SUPEREVENT_PAGES}${encodeURIComponent(id)}/view/`,
    ].join("\n"),
    data: { metric: waited, waiting_since: since, since_is: waiting.sinceIs, ...facts },
  };
}

const SINCE = {
  label: `when ${REQUEST} was set`,
  superevent: `when the superevent was created; GraceDB has no time for ${REQUEST}`,
} as const;

/** Rounded down, in minutes up to two hours, hours up to two days, then days. */
function formatWait(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}

/** In GraceDB's format. */
function formatUtc(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
