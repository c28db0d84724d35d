import type { Detection } from "swf-alarms";
import { show } from "./fields.ts";
import type { LabelRecord, Superevent } from "./superevent.ts";

/** Asked for when a superevent is significant; people answer with one of the other two. */
const REQUEST = "ADVREQ";
const DECISIONS = ["ADVOK", "ADVNO"];
const SUPEREVENT_PAGES = "https://gracedb.ligo.org/superevents/";

/** True while people are asked whether the superevent is real and have not answered. */
export function awaitsDecision(labels: readonly string[]): boolean {
  return labels.includes(REQUEST) && !DECISIONS.some((decision) => labels.includes(decision));
}

/** Since when a superevent waits, in epoch seconds, and whose time that is. */
export interface Waiting {
  readonly since: number;
  readonly sinceIs: "label" | "superevent";
}

/**
 * Since when the decision is awaited: the request's own time where GraceDB gives one, otherwise the
 * superevent's, which is earlier. Undefined when the records, read after the list, show a decision.
 */
export function waitingSince(
  created: number,
  records: readonly LabelRecord[],
): Waiting | undefined {
  if (records.some(({ name }) => DECISIONS.includes(name))) return undefined;
  const since = records.find(({ name }) => name === REQUEST)?.created ?? null;
  return since === null ? { since: created, sinceIs: "superevent" } : { since, sinceIs: "label" };
}

/** The event keeps this text as it is: it says since when, so that it stays true while time goes on. */
export function describeWaiting(superevent: Superevent, waiting: Waiting, now: number): Detection {
  const { id, category, labels, far, group, pipeline } = superevent;
  const since = formatUtc(waiting.since);
  const waited = formatWait(now - waiting.since);
  return {
    dedupeKey: `superevent:${id}`,
    subject: `superevent ${show(id)} (${show(category)}) awaits a decision for ${waited}, since ${since}`,
    body: [
      `Superevent ${show(id)} has the label ${REQUEST} and neither ${DECISIONS.join(" nor ")}.`,
      "",
      `Waiting since: ${since} (${SINCE_WORDS[waiting.sinceIs]})`,
      `Waited:        ${waited} at ${formatUtc(now)}`,
      `Category:      ${show(category)}`,
      `Group:         ${show(group)}`,
      `Pipeline:      ${show(pipeline)}`,
      `FAR:           ${far === null ? "?" : `${far} Hz`}`,
      `Labels:        ${labels.map(show).join(", ")}`,
      "",
      `Superevent page: ${SUPEREVENT_PAGES}${encodeURIComponent(id)}/view/`,
    ].join("\n"),
    data: {
      metric: waited,
      superevent_id: id,
      category,
      waiting_since: since,
      since_is: waiting.sinceIs,
      far,
      labels,
      group,
      pipeline,
    },
  };
}

const SINCE_WORDS = {
  label: `when ${REQUEST} was set`,
  superevent: `when the superevent was made; GraceDB gives no time for ${REQUEST}`,
} as const;

/** Whole minutes up to two hours, then hours, then days; never more than has passed. */
function formatWait(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}

/** GraceDB's own way to write a time. */
function formatUtc(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
