import { type Detection, type JsonObject, parseUtc, utcSecond } from "swf-alarms";
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
  readonly search: string | null;
  readonly instruments: readonly string[];
  /** Found in a later search of the data, whose products come when they come. */
  readonly isOffline: boolean;
  /** Labels of its preferred event, which count too. */
  readonly preferredLabels: readonly string[];
  /** The id of that event; null if it is not known or would change a path. */
  readonly preferredId: string | null;
  /** When that event was created, in epoch seconds. */
  readonly preferredCreated: number | null;
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
  const graceid = textOf(preferred?.graceid);
  const superevent: Superevent = {
    superevent_id: id,
    category: textOf(row.category),
    labels,
    created: parseUtc(row.created) ?? null,
    far: numberOf(row.far),
    group: textOf(preferred?.group),
    pipeline: textOf(preferred?.pipeline),
    search: textOf(preferred?.search),
    instruments: (textOf(preferred?.instruments) ?? "").split(",").filter((ifo) => ifo !== ""),
    isOffline: preferred?.offline === true,
    preferredLabels: textsOf(preferred?.labels) ?? [],
    preferredId: graceid !== null && /^\w+$/.test(graceid) ? graceid : null,
    preferredCreated: parseUtc(preferred?.created) ?? null,
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

/** The event keeps this text, so it says since when: that stays true. */
export function describeWaiting(superevent: Superevent, waiting: Waiting, now: number): Detection {
  const { superevent_id: id, category } = superevent;
  const since = utcSecond(waiting.since);
  const waited = formatWait(now - waiting.since);
  return {
    dedupeKey: `superevent:${id}`,
    subject: `superevent ${id} (${show(category)}) has waited ${waited} for a decision, since ${since}`,
    body: bodyOf(
      superevent,
      `Superevent ${id} has the label ${REQUEST}, but neither ${DECISIONS.join(" nor ")}.`,
      [
        ["Waiting since", `${since} (${SINCE[waiting.sinceIs]})`],
        ["Waited", `${waited} at ${utcSecond(now)}`],
      ],
    ),
    data: {
      metric: waited,
      waiting_since: since,
      since_is: waiting.sinceIs,
      ...dataOf(superevent),
    },
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

/** A detection's body: what is to say of a superevent, these facts and those of its row, and where its page is. */
export function bodyOf(
  superevent: Superevent,
  text: string,
  facts: readonly (readonly [name: string, value: string])[],
): string {
  const { superevent_id: id, far, labels, preferredLabels } = superevent;
  const { category, group, pipeline, search } = superevent;
  const rows = [
    ...facts,
    ["Category", show(category)],
    ["Group", show(group)],
    ["Pipeline", show(pipeline)],
    ["Search", show(search)],
    ["FAR", far === null ? "?" : `${Number(far.toPrecision(3)).toExponential()} Hz`],
    ["Labels", labels.map(show).join(", ") || "none"],
    ["Event labels", preferredLabels.map(show).join(", ") || "none"],
  ] as const;
  return [
    text,
    "",
    ...rows.map(([name, value]) => `${`${name}:`.padEnd(14)} ${value}`),
    "",
    `Superevent page: https://gracedb.ligo.org/superevents/${id}/view/`,
  ].join("\n");
}

/** A detection's data, in GraceDB's words. */
export function dataOf(superevent: Superevent): JsonObject {
  const { superevent_id, category, labels, far, group, pipeline, search } = superevent;
  return { superevent_id, category, labels: [...labels], far, group, pipeline, search };
}
