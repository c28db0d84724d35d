import { isAhead } from "./clock.ts";
import type { ActiveEvent, AlarmRow, Mode, Notices } from "./model.ts";
import { channelsToHearOfClear, isUnsent, NO_NOTICES, notifiedAt } from "./news.ts";
import type { Plan } from "./reconcile.ts";

export type ItemReason =
  | "new"
  | "unsent"
  | "severity rose"
  | "stage advanced"
  | "renotification due"
  | "cleared"
  | "cleared before it could be mailed";
/** Why an event that is due waits with the open notification that names it. */
export type WaitReason = "may have been mailed" | "the service asked to wait";
type OmitReason = "already mailed" | "renotification not due" | "not seen this tick" | WaitReason;
type SendReason =
  | "due"
  | "nothing to mail"
  | "mail is off"
  | "dry run"
  | "plan only"
  | "no recipients"
  | "mail is not configured"
  | "the channel cannot be used";

export interface BundleItem {
  readonly eventId: string;
  readonly dedupeKey: string;
  readonly fireTime: number;
  /** When it was first detected, if it had to settle. */
  readonly firstSeen?: number;
  readonly severity?: Severity;
  readonly stage?: string;
  /** Of an event that has cleared. */
  readonly clearTime?: number;
  /** Why it cleared. */
  readonly clearReason?: string;
  readonly reason: ItemReason;
  /** Of a reminder: its number, and whether it is the last one. */
  readonly reminder?: { readonly number: number; readonly isFinal: boolean };
}

/** An item and what decides where it goes. */
export interface DueItem extends BundleItem {
  readonly notices: Notices;
}

/** What the alarm has to say on a channel in this tick. */
export interface Items {
  readonly fresh: readonly DueItem[];
  readonly continuing: readonly DueItem[];
  /** The oldest first. */
  readonly cleared: readonly DueItem[];
  readonly omitted: { readonly [reason in OmitReason]: number };
}

/** The same with why it is sent or not. */
export interface Notice extends Items {
  readonly reason: SendReason;
}

/** The notice of an alarm that has nothing to say. */
export const NO_NOTICE: Notice = {
  reason: "nothing to mail",
  fresh: [],
  continuing: [],
  cleared: [],
  omitted: {
    "already mailed": 0,
    "renotification not due": 0,
    "not seen this tick": 0,
    "may have been mailed": 0,
    "the service asked to wait": 0,
  },
};

/** An event opened in this tick, with the id of its row. */
export interface OpenedEvent extends Pick<ActiveEvent, "id" | "dedupeKey"> {
  /** Its own recipients, as written. */
  readonly recipients: readonly string[];
}

/** An event that has cleared, and that some channels still have to hear of. */
export interface UnsentClear
  extends Pick<ActiveEvent, "id" | "dedupeKey" | "fireTime" | "notices"> {
  readonly clearTime: number;
  readonly unsent: readonly string[];
}

export interface NoticeFacts {
  readonly alarm: Pick<AlarmRow, "enabled" | "renotificationHours" | "notifyClear">;
  readonly channel: string;
  readonly plan: Plan;
  readonly opened: readonly OpenedEvent[];
  /** Events that earlier ticks cleared, and that this channel still has to hear of. */
  readonly unsentClears: readonly UnsentClear[];
  readonly now: number;
}

/** Decides what the alarm has to say on a channel, whether or not it can be sent. */
export function decideItems(facts: NoticeFacts): Items {
  const { alarm, channel, plan, opened, unsentClears, now } = facts;
  const omitted = { ...NO_NOTICE.omitted };
  const fresh = opened.map(({ id: eventId, dedupeKey, recipients }): DueItem => {
    const notices = { ...NO_NOTICES, recipients };
    return { eventId, dedupeKey, fireTime: now, notices, reason: "new" };
  });
  const continuing: DueItem[] = [];
  const add = (event: ActiveEvent, seen: boolean): void => {
    const reason = reasonFor(event, channel, seen, alarm.renotificationHours, now);
    if (isNamed(reason)) continuing.push(dueItem(event, reason));
    else omitted[reason] += 1;
  };
  for (const { event } of plan.touch) add(event, true);
  for (const { event } of plan.keep) add(event, false);
  // `clearEvents` records the same ones.
  const clearedNow = plan.clear
    .filter(({ event }) => channelsToHearOfClear(event, alarm, [channel]).length > 0)
    .map(({ event }) => ({ ...event, clearTime: now }));
  const cleared = [...unsentClears, ...clearedNow].map((event): DueItem => {
    const isKnown = notifiedAt(event, channel) !== undefined;
    const reason = isKnown ? "cleared" : "cleared before it could be mailed";
    return { ...dueItem(event, reason), clearTime: event.clearTime };
  });
  return { fresh, continuing, cleared, omitted };
}

function dueItem(
  event: Pick<ActiveEvent, "id" | "dedupeKey" | "fireTime" | "notices">,
  reason: ItemReason,
): DueItem {
  const { id: eventId, dedupeKey, fireTime, notices } = event;
  return { eventId, dedupeKey, fireTime, notices, reason };
}

/** Whether a notification on the channel would name the event if it is detected now. */
export function isDue(
  event: ActiveEvent,
  channel: string,
  renotificationHours: number,
  now: number,
): boolean {
  return isNamed(reasonFor(event, channel, true, renotificationHours, now));
}

type NamedReason = "unsent" | "renotification due";

function isNamed(reason: NamedReason | OmitReason): reason is NamedReason {
  return reason === "unsent" || reason === "renotification due";
}

function reasonFor(
  event: ActiveEvent,
  channel: string,
  seen: boolean,
  renotificationHours: number,
  now: number,
): NamedReason | OmitReason {
  const notified = notifiedAt(event, channel);
  if (notified === undefined || isUnsent(event, channel)) return "unsent";
  // It is not known whether an unseen event still fires, so no notification calls it continuing.
  if (!seen) return "not seen this tick";
  if (renotificationHours <= 0) return "already mailed";
  // A notification under a clock that was ahead must not silence the reminders until that time.
  const isOver = isAhead(notified, now) || now - notified >= renotificationHours * 3600;
  return isOver ? "renotification due" : "renotification not due";
}

export interface SendFacts {
  readonly items: number;
  readonly enabled: boolean;
  readonly mode: Mode;
  /** Number of addresses that its recipients resolve to; that of a channel without addresses is 1. */
  readonly recipientCount: number;
  readonly channel: "usable" | "not configured" | "unusable";
}

/** Whether what the alarm has to say is sent, and why not. */
export function sendReason(facts: SendFacts): SendReason {
  if (facts.items === 0) return "nothing to mail";
  if (!facts.enabled) return "mail is off";
  if (facts.mode === "plan") return "plan only";
  if (facts.mode === "dry-run") return "dry run";
  if (facts.channel === "unusable") return "the channel cannot be used";
  if (facts.recipientCount === 0) return "no recipients";
  if (facts.channel === "not configured") return "mail is not configured";
  return "due";
}
