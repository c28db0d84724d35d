import { cut } from "../text/describe.ts";
import { type Level, type Severity, severityRank } from "./level.ts";
import type { Outcome, SafeDetection } from "./model.ts";
import type { BundleItem, DueItem } from "./notice.ts";

/** Events that a mail lists; the rest are counted. */
export const LISTED = 100;
const MAX_BODY = 2_000;
const MAX_METRIC = 80;

type Texts = Pick<SafeDetection, "subject" | "body">;

/** What the row of an event says of it. */
export interface EventTexts extends Texts {
  /** As `metricText` shows it. */
  readonly metric?: string;
  /** What it had when it fired, if that was different from what it has now. */
  readonly fired?: Level;
}

export interface ListedItem extends BundleItem, Texts {
  /** An earlier mail that names it may have been sent: the engine ended before it knew. */
  readonly mayBeDuplicate: boolean;
  /** What is different since it fired, such as `15.6% when it fired, 20.3% now`. */
  readonly changes?: readonly string[];
}

/**
 * What one alarm has to say in a tick to one set of recipients over one channel, as facts; `message/` renders it. Its
 * record keeps it as JSON, for later attempts.
 */
export interface Bundle {
  /** `alarm_<name>`. */
  readonly entryId: string;
  readonly title: string;
  readonly description: string;
  /** Epoch seconds of the tick. */
  readonly time: number;
  readonly freshCount: number;
  readonly continuingCount: number;
  readonly clearedCount: number;
  /** At most `LISTED` in the three lists together, the most severe first in each. */
  readonly fresh: readonly ListedItem[];
  readonly continuing: readonly ListedItem[];
  readonly cleared: readonly ListedItem[];
  /** Why the alarm's outcome was not complete; empty if it was. */
  readonly caveats: readonly string[];
  /** To whom it goes, as written: addresses and `@team` names, or the target of the channel. */
  readonly to: readonly string[];
  /** Those of `to` that its events name, not the alarm; unknown in records of earlier versions. */
  readonly own?: readonly string[];
  /** An earlier attempt at this notification may have been delivered. */
  readonly mayBeDuplicate?: true;
  /** Not about events: somebody tries the channel. */
  readonly isTest?: true;
}

/** The most severe first, else in their order. */
export function bySeverity<T extends { readonly severity?: Severity }>(
  items: readonly T[],
): readonly T[] {
  return items.toSorted((a, b) => severityRank(b.severity) - severityRank(a.severity));
}

/** The items of a bundle by its lists. */
export function sortItems(items: readonly DueItem[]) {
  const sorted = bySeverity(items);
  return {
    fresh: sorted.filter(({ reason }) => reason === "new"),
    continuing: sorted.filter(
      ({ reason, clearTime }) => reason !== "new" && clearTime === undefined,
    ),
    cleared: sorted.filter(({ clearTime }) => clearTime !== undefined),
  };
}

/** Those that a mail lists: of what fires the most severe, then what has cleared. */
export function listedItems(items: readonly DueItem[]) {
  const { fresh, continuing, cleared } = sortItems(items);
  const firing = bySeverity([...fresh, ...continuing]);
  const listed = new Set([...firing, ...cleared].slice(0, LISTED));
  return {
    fresh: fresh.filter((item) => listed.has(item)),
    continuing: continuing.filter((item) => listed.has(item)),
    cleared: cleared.filter((item) => listed.has(item)),
  };
}

export interface BundleFacts
  extends Pick<Bundle, "entryId" | "title" | "description" | "time" | "caveats" | "to" | "own"> {
  readonly items: readonly DueItem[];
  /** What this tick detected. */
  readonly detections: Pick<Outcome["detections"], "get">;
  /** What is stored of the events that are listed and not new, by event id. */
  readonly stored: ReadonlyMap<string, EventTexts>;
  /** By id, the events that a notification which may have been delivered names. */
  readonly maybeMailed: Pick<ReadonlyMap<string, unknown>, "has">;
}

export function composeBundle(facts: BundleFacts): Bundle {
  const { items, detections, stored, maybeMailed, ...head } = facts;
  const sorted = sortItems(items);
  const listed = listedItems(items);
  const list = (item: DueItem, texts: Texts | undefined): ListedItem => {
    const { subject = item.dedupeKey, body = "" } = texts ?? {};
    const mayBeDuplicate = maybeMailed.has(item.eventId);
    const { notices: _, ...named } = item;
    return { ...named, subject, body: shorten(body), mayBeDuplicate };
  };
  const fresh = (item: DueItem): ListedItem => list(item, detections.get(item.dedupeKey));
  const continuing = (item: DueItem): ListedItem => {
    const [found, known] = [detections.get(item.dedupeKey), stored.get(item.eventId)];
    const changes =
      known === undefined ? [] : changesOf(item, metricText(found?.data.metric), known);
    return { ...list(item, found ?? known), ...(changes.length > 0 && { changes }) };
  };
  return {
    ...head,
    freshCount: sorted.fresh.length,
    continuingCount: sorted.continuing.length,
    clearedCount: sorted.cleared.length,
    fresh: listed.fresh.map(fresh),
    continuing: listed.continuing.map(continuing),
    // Not the texts of a detection of this tick, which would be another firing.
    cleared: listed.cleared.map((item) => list(item, stored.get(item.eventId))),
  };
}

/** What a detection's `data.metric` says, for people; undefined if it says nothing. */
export function metricText(metric: unknown): string | undefined {
  if (typeof metric !== "string" && typeof metric !== "number") return undefined;
  return cut(String(metric).trim(), MAX_METRIC) || undefined;
}

/** What is different since the event fired. */
function changesOf(
  { severity, stage }: DueItem,
  metric: string | undefined,
  { metric: firstMetric, fired }: EventTexts,
): readonly string[] {
  return [
    ...change("severity ", fired?.severity, severity),
    ...change("stage ", fired?.stage, stage),
    ...change("", firstMetric, metric),
  ];
}

function change(name: string, before: string | undefined, now: string | undefined) {
  if (before === undefined || now === undefined || before === now) return [];
  return [`${name}${before} when it fired, ${now} now`];
}

const SHORTENED =
  "this mail lists subjects only: the mail service rejected the full text as too large; see the events for the rest";

/** The bundle with the subjects alone, for a service that finds it too large. */
export function shortBundle(bundle: Bundle): Bundle {
  const bare = (item: ListedItem): ListedItem => ({ ...item, body: "" });
  return {
    ...bundle,
    description: "",
    fresh: bundle.fresh.map(bare),
    continuing: bundle.continuing.map(bare),
    cleared: bundle.cleared.map(bare),
    caveats: [SHORTENED],
  };
}

export interface BundleCounts {
  readonly fresh: number;
  readonly continuing: number;
  /** Cleared before a notification could name them. */
  readonly already: number;
  /** Cleared after that. */
  readonly ended: number;
}

/** `[alarm_x] N detection(s), X new, Y continuing`, and `, Z already cleared` or `, Z cleared` if there are such. */
export function bundleSubject(entryId: string, counts: BundleCounts): string {
  const { fresh, continuing, already, ended } = counts;
  const over = already > 0 ? `, ${already} already cleared` : "";
  const end = ended > 0 ? `, ${ended} cleared` : "";
  return `[${entryId}] ${fresh + continuing} detection(s), ${fresh} new, ${continuing} continuing${over}${end}`;
}

function shorten(body: string): string {
  return body.length <= MAX_BODY
    ? body
    : `${body.slice(0, MAX_BODY).toWellFormed()}… (truncated; see the event)`;
}
