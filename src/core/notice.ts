import { isAhead } from "./clock.ts";
import type { ActiveEvent, AlarmRow, Mode } from "./model.ts";
import type { Plan } from "./reconcile.ts";

export type ItemReason =
  | "new"
  | "unsent"
  | "renotification due"
  | "cleared before it could be mailed";
type OmitReason =
  | "already mailed"
  | "renotification not due"
  | "not seen this tick"
  | "may have been mailed";
type SendReason =
  | "due"
  | "nothing to mail"
  | "mail is off"
  | "dry run"
  | "plan only"
  | "no recipients"
  | "mail is not configured";

export interface BundleItem {
  readonly eventId: string;
  readonly dedupeKey: string;
  readonly fireTime: number;
  /** Of an event that has cleared. */
  readonly clearTime?: number;
  /** Epoch seconds. Only attempts since then make a mail that names it a possible duplicate. */
  readonly since: number;
  readonly reason: ItemReason;
}

/** What the alarm's mail names in this tick, and whether it is sent. */
export interface Notice {
  readonly send: boolean;
  readonly reason: SendReason;
  readonly fresh: readonly BundleItem[];
  readonly continuing: readonly BundleItem[];
  /** The oldest first. */
  readonly cleared: readonly BundleItem[];
  readonly omitted: { readonly [reason in OmitReason]: number };
}

/** The notice of an alarm whose tick could not be recorded. */
export const NO_NOTICE: Notice = {
  send: false,
  reason: "nothing to mail",
  fresh: [],
  continuing: [],
  cleared: [],
  omitted: {
    "already mailed": 0,
    "renotification not due": 0,
    "not seen this tick": 0,
    "may have been mailed": 0,
  },
};

/** An event opened in this tick, with the id of its row. */
export type OpenedEvent = Pick<ActiveEvent, "id" | "dedupeKey">;

/** An event that has cleared, and that no confirmed mail has named. */
export interface UnsentClear extends Pick<ActiveEvent, "id" | "dedupeKey" | "fireTime"> {
  readonly clearTime: number;
}

export interface NoticeFacts {
  readonly alarm: Pick<AlarmRow, "enabled" | "renotificationHours">;
  readonly plan: Plan;
  readonly opened: readonly OpenedEvent[];
  /** Events that earlier ticks cleared and no mail has named yet. */
  readonly unsentClears: readonly UnsentClear[];
  /** Number of addresses that the alarm's recipients resolve to. */
  readonly recipientCount: number;
  readonly mailConfigured: boolean;
  readonly mode: Mode;
  readonly now: number;
}

/**
 * Decides what the alarm's one mail of this tick names. The record shows it even while mail is off: an event
 * stays unsent until a mail that names it was confirmed.
 */
export function decideNotice(facts: NoticeFacts): Notice {
  const { plan, opened, unsentClears, alarm, now } = facts;
  const omitted = { ...NO_NOTICE.omitted };
  const fresh = opened.map(({ id: eventId, dedupeKey }): BundleItem => {
    return { eventId, dedupeKey, fireTime: now, since: now, reason: "new" };
  });
  const continuing: BundleItem[] = [];
  const add = (event: ActiveEvent, seen: boolean): void => {
    const reason = reasonFor(event, seen, alarm.renotificationHours, now);
    const { id: eventId, dedupeKey, fireTime, lastNotified: notified } = event;
    const since =
      notified === undefined || notified > now ? attemptsSince(fireTime, now) : notified;
    if (isNamed(reason)) continuing.push({ eventId, dedupeKey, fireTime, since, reason });
    else omitted[reason] += 1;
  };
  for (const { event } of plan.touch) add(event, true);
  for (const { event } of plan.keep) add(event, false);
  // What clears now without a mail that names it; `clearEvents` marks the same ones.
  const clearedNow = plan.clear
    .filter(({ event }) => alarm.enabled && event.lastNotified === undefined)
    .map(({ event }) => ({ ...event, clearTime: now }));
  const cleared = [...unsentClears, ...clearedNow].map(
    ({ id: eventId, dedupeKey, fireTime, clearTime }): BundleItem => {
      const reason = "cleared before it could be mailed";
      const since = attemptsSince(fireTime, now);
      return { eventId, dedupeKey, fireTime, since, clearTime, reason };
    },
  );
  const reason = sendReason(facts, fresh.length + continuing.length + cleared.length);
  return { send: reason === "due", reason, fresh, continuing, cleared, omitted };
}

/** Since when to search for attempts: an event that began while the clock was ahead seems younger than its mails. */
export function attemptsSince(begin: number, now: number): number {
  return Math.min(begin, now - 24 * 3600);
}

/** Whether a mail would name the event if it is detected now. */
export function isDue(event: ActiveEvent, renotificationHours: number, now: number): boolean {
  return isNamed(reasonFor(event, true, renotificationHours, now));
}

type NamedReason = "unsent" | "renotification due";

function isNamed(reason: NamedReason | OmitReason): reason is NamedReason {
  return reason === "unsent" || reason === "renotification due";
}

function reasonFor(
  event: ActiveEvent,
  seen: boolean,
  renotificationHours: number,
  now: number,
): NamedReason | OmitReason {
  if (event.lastNotified === undefined) return "unsent";
  // It is not known whether an unseen event still fires, so no mail calls it continuing.
  if (!seen) return "not seen this tick";
  if (renotificationHours <= 0) return "already mailed";
  // A mail under a clock that was ahead must not silence the reminders until that time.
  const isOver =
    isAhead(event.lastNotified, now) || now - event.lastNotified >= renotificationHours * 3600;
  return isOver ? "renotification due" : "renotification not due";
}

function sendReason(facts: NoticeFacts, items: number): SendReason {
  if (items === 0) return "nothing to mail";
  if (!facts.alarm.enabled) return "mail is off";
  if (facts.mode === "plan") return "plan only";
  if (facts.mode === "dry-run") return "dry run";
  if (facts.recipientCount === 0) return "no recipients";
  if (!facts.mailConfigured) return "mail is not configured";
  return "due";
}
