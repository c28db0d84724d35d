import type { Detections } from "./model.ts";
import type { BundleItem, ClearedItem, Notice } from "./notice.ts";

/** How many events a mail lists; the rest are counted. */
export const LISTED = 100;
const MAX_BODY = 2_000;

/** Title and text of an event as a mail shows it. */
export interface EventTexts {
  readonly subject: string;
  readonly body: string;
}

/** One event in the mail. */
export interface ListedItem extends EventTexts {
  readonly dedupeKey: string;
  readonly reason: BundleItem["reason"];
  readonly fireTime: number;
  /** An earlier mail that names it may have been sent: the engine ended before it knew. */
  readonly mayBeDuplicate: boolean;
}

/** One event that cleared before a mail could name it. */
export interface ListedClear extends ListedItem {
  readonly clearTime: number;
}

/** The one mail of an alarm in a tick, as facts; `message/` renders it. */
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
  readonly cleared: readonly ListedClear[];
  /** Why the alarm's outcome was not complete; empty when it was. */
  readonly caveats: readonly string[];
}

/** The items that the mail lists. */
export function listedItems(notice: Notice): {
  fresh: readonly BundleItem[];
  continuing: readonly BundleItem[];
  cleared: readonly ClearedItem[];
} {
  const fresh = notice.fresh.slice(0, LISTED);
  const continuing = notice.continuing.slice(0, LISTED - fresh.length);
  const cleared = notice.cleared.slice(0, LISTED - fresh.length - continuing.length);
  return { fresh, continuing, cleared };
}

export interface BundleFacts {
  readonly entryId: string;
  readonly title: string;
  readonly description: string;
  readonly time: number;
  readonly notice: Notice;
  /** What was detected now; an event that has cleared shows its stored texts all the same. */
  readonly detections: Pick<Detections, "get">;
  /** Stored texts by event id, for events that this tick did not see. */
  readonly stored: ReadonlyMap<string, EventTexts>;
  /** Ids of events named by a mail that may have been sent. */
  readonly maybeMailed: ReadonlySet<string>;
  readonly caveats: readonly string[];
}

/** Composes the alarm's one mail of this tick. */
export function composeBundle(facts: BundleFacts): Bundle {
  const item = (mention: BundleItem, detected?: EventTexts): ListedItem => {
    const texts = detected ?? facts.stored.get(mention.eventId);
    return {
      dedupeKey: mention.dedupeKey,
      reason: mention.reason,
      fireTime: mention.fireTime,
      subject: texts?.subject ?? mention.dedupeKey,
      body: shorten(texts?.body ?? ""),
      mayBeDuplicate: facts.maybeMailed.has(mention.eventId),
    };
  };
  const current = (mention: BundleItem): ListedItem =>
    item(mention, facts.detections.get(mention.dedupeKey));
  const listed = listedItems(facts.notice);
  return {
    entryId: facts.entryId,
    title: facts.title,
    description: facts.description,
    time: facts.time,
    freshCount: facts.notice.fresh.length,
    continuingCount: facts.notice.continuing.length,
    clearedCount: facts.notice.cleared.length,
    fresh: listed.fresh.map(current),
    continuing: listed.continuing.map(current),
    cleared: listed.cleared.map((mention) => {
      return { ...item(mention), clearTime: mention.clearTime };
    }),
    caveats: facts.caveats,
  };
}

const SHORTENED =
  "this mail lists subjects only: the mail service rejected the full text as too large; see the events for the rest";

/** The bundle with the subjects alone, for a service that finds the whole of it too large. */
export function shortBundle(bundle: Bundle): Bundle {
  const bare = <T extends ListedItem>(item: T): T => ({ ...item, body: "" });
  return {
    ...bundle,
    description: "",
    fresh: bundle.fresh.map(bare),
    continuing: bundle.continuing.map(bare),
    cleared: bundle.cleared.map(bare),
    caveats: [SHORTENED],
  };
}

/** `[alarm_x] N detection(s), X new, Y continuing`, and `, Z already cleared` where there are such. */
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
