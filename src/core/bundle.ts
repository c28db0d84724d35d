import type { Mention, Notice } from "./notice.ts";

/** How many events a mail lists; the rest are counted. */
export const LISTED = 100;
const MAX_BODY = 2_000;

/** Title and text of an event as a mail shows it. */
export interface EventTexts {
  readonly subject: string;
  readonly body: string;
}

/** One event in the mail. */
export interface BundleItem extends EventTexts {
  readonly dedupeKey: string;
  readonly reason: Mention["reason"];
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
  /** At most `LISTED` in both lists together, new ones first. */
  readonly fresh: readonly BundleItem[];
  readonly continuing: readonly BundleItem[];
  /** Why the alarm's outcome was not complete; empty when it was. */
  readonly caveats: readonly string[];
}

/** The mentions that the mail lists; for those without a detection the stored texts must be read. */
export function listedMentions(notice: Notice): {
  fresh: readonly Mention[];
  continuing: readonly Mention[];
} {
  const fresh = notice.fresh.slice(0, LISTED);
  return { fresh, continuing: notice.continuing.slice(0, LISTED - fresh.length) };
}

export interface BundleFacts {
  readonly entryId: string;
  readonly title: string;
  readonly description: string;
  readonly time: number;
  readonly notice: Notice;
  /** Stored texts by event id, for owed events that this tick did not see. */
  readonly stored: ReadonlyMap<string, EventTexts>;
  readonly caveats: readonly string[];
}

/** Composes the alarm's one mail of this tick. */
export function composeBundle(facts: BundleFacts): Bundle {
  const item = (mention: Mention): BundleItem => {
    const texts = mention.detection ?? facts.stored.get(mention.eventId);
    return {
      dedupeKey: mention.dedupeKey,
      reason: mention.reason,
      subject: texts?.subject ?? mention.dedupeKey,
      body: shorten(texts?.body ?? ""),
    };
  };
  const listed = listedMentions(facts.notice);
  return {
    entryId: facts.entryId,
    title: facts.title,
    description: facts.description,
    time: facts.time,
    freshCount: facts.notice.fresh.length,
    continuingCount: facts.notice.continuing.length,
    fresh: listed.fresh.map(item),
    continuing: listed.continuing.map(item),
    caveats: facts.caveats,
  };
}

/** `[alarm_x] N detection(s), X new, Y continuing`. */
export function bundleSubject(entryId: string, fresh: number, continuing: number): string {
  return `[${entryId}] ${fresh + continuing} detection(s), ${fresh} new, ${continuing} continuing`;
}

function shorten(body: string): string {
  return body.length <= MAX_BODY
    ? body
    : `${body.slice(0, MAX_BODY).toWellFormed()}… (cut, see the event)`;
}
