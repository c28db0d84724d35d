import type { Level } from "./level.ts";
import type { Outcome, SafeDetection } from "./model.ts";
import type { BundleItem, DueItem } from "./notice.ts";

/** Events that a mail lists; the rest are counted. */
export const LISTED = 100;
const MAX_BODY = 2_000;

export interface EventTexts extends Pick<SafeDetection, "subject" | "body"> {
  /** `metric` of its data when it fired. */
  readonly metric?: string;
  /** Its severity and stage when it fired, if they have changed. */
  readonly fired?: Level;
}

export interface ListedItem extends BundleItem, EventTexts {
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
  /** At most `LISTED` in the three lists together, new ones first. */
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

/** The items of a bundle by its lists. */
export function sortItems(items: readonly DueItem[]) {
  return {
    fresh: items.filter(({ reason }) => reason === "new"),
    continuing: items.filter(
      ({ reason, clearTime }) => reason !== "new" && clearTime === undefined,
    ),
    cleared: items.filter(({ clearTime }) => clearTime !== undefined),
  };
}

export function listedItems(items: readonly DueItem[]) {
  const { fresh, continuing, cleared } = sortItems(items);
  const room = Math.max(0, LISTED - fresh.length);
  return {
    fresh: fresh.slice(0, LISTED),
    continuing: continuing.slice(0, room),
    cleared: cleared.slice(0, Math.max(0, room - continuing.length)),
  };
}

export interface BundleFacts
  extends Pick<Bundle, "entryId" | "title" | "description" | "time" | "caveats" | "to" | "own"> {
  readonly items: readonly DueItem[];
  /** What this tick detected. */
  readonly detections: Pick<Outcome["detections"], "get">;
  /** Stored texts by event id, of events that this tick did not see. */
  readonly stored: ReadonlyMap<string, EventTexts>;
  /** By id, the events that a notification which may have been delivered names. */
  readonly maybeMailed: Pick<ReadonlyMap<string, unknown>, "has">;
}

export function composeBundle(facts: BundleFacts): Bundle {
  const { items, detections, stored, maybeMailed, ...head } = facts;
  const sorted = sortItems(items);
  const listed = listedItems(items);
  const list = (item: DueItem, texts = stored.get(item.eventId)): ListedItem => {
    const { subject = item.dedupeKey, body = "" } = texts ?? {};
    const mayBeDuplicate = maybeMailed.has(item.eventId);
    const { notices: _, ...named } = item;
    return { ...named, subject, body: shorten(body), mayBeDuplicate };
  };
  const current = (item: DueItem): ListedItem => list(item, detections.get(item.dedupeKey));
  return {
    ...head,
    freshCount: sorted.fresh.length,
    continuingCount: sorted.continuing.length,
    clearedCount: sorted.cleared.length,
    fresh: listed.fresh.map(current),
    continuing: listed.continuing.map(current),
    // Not the texts of a detection of this tick, which would be another firing.
    cleared: listed.cleared.map((item) => list(item)),
  };
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

/** `[alarm_x] N detection(s), X new, Y continuing`, and `, Z already cleared` if there are such. */
export function bundleSubject(
  entryId: string,
  counts: { readonly fresh: number; readonly continuing: number; readonly cleared: number },
): string {
  const { fresh, continuing, cleared } = counts;
  const over = cleared > 0 ? `, ${cleared} already cleared` : "";
  return `[${entryId}] ${fresh + continuing} detection(s), ${fresh} new, ${continuing} continuing${over}`;
}

function shorten(body: string): string {
  return body.length <= MAX_BODY
    ? body
    : `${body.slice(0, MAX_BODY).toWellFormed()}… (truncated; see the event)`;
}
