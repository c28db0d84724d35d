import { ackAt } from "./ack.ts";
import { isAhead } from "./clock.ts";
import { type Level, NO_LEVEL, type Severity } from "./level.ts";
import type { ActiveEvent, AlarmRow, Notices } from "./model.ts";
import { muteOf } from "./mute/mute.ts";
import type { MuteKind } from "./mute/muted.ts";
import { channelsToHearOfClear, isUnsent, NO_NOTICES, notifiedAt } from "./news.ts";
import type { Plan } from "./reconcile.ts";
import { isReminderDue, nextReminder, type Reminder, type RenotifyRule } from "./renotify.ts";
import type { SendReason } from "./send_reason.ts";

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
type OmitReason =
  | "already mailed"
  | "renotification not due"
  | "no further reminder"
  | "not seen this tick"
  | MuteKind
  | WaitReason;

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
    "no further reminder": 0,
    "not seen this tick": 0,
    acknowledged: 0,
    "may have been mailed": 0,
    "the service asked to wait": 0,
  },
};

/** An event opened in this tick, with the id of its row. */
export interface OpenedEvent extends Pick<ActiveEvent, "id" | "dedupeKey"> {
  /** Its own recipients, as written. */
  readonly recipients: readonly string[];
  readonly level?: Level;
  /** When it was first detected, if it had to settle. */
  readonly firstSeen?: number;
}

/** An event that has cleared, and that some channels still have to hear of. */
export interface UnsentClear
  extends Pick<ActiveEvent, "id" | "dedupeKey" | "fireTime" | "notices" | "level" | "firstSeen"> {
  readonly clearTime: number;
  readonly clearReason?: string;
  readonly unsent: readonly string[];
}

export interface NoticeFacts {
  readonly alarm: Pick<AlarmRow, "enabled" | "renotify" | "notifyClear">;
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
  const fresh = opened.map((event): DueItem => {
    const notices = { ...NO_NOTICES, recipients: event.recipients };
    return dueItem({ ...event, fireTime: now, notices }, { reason: "new" });
  });
  const continuing: DueItem[] = [];
  const add = (event: ActiveEvent, seen: boolean): void => {
    const decision = decide(event, { channel, seen, renotify: alarm.renotify, now });
    if ("omit" in decision) omitted[decision.omit] += 1;
    else continuing.push(dueItem(event, decision));
  };
  for (const { event } of plan.touch) add(event, true);
  for (const { event } of plan.keep) add(event, false);
  // `clearEvents` records the same ones.
  const clearedNow = plan.clear
    .filter(({ event }) => channelsToHearOfClear(event, alarm, [channel], now).length > 0)
    .map(({ event, reason }) => ({ ...event, clearTime: now, clearReason: reason }));
  const cleared = [...unsentClears, ...clearedNow].map((event): DueItem => {
    const isKnown = notifiedAt(event, channel) !== undefined;
    const { clearTime, clearReason } = event;
    return {
      ...dueItem(event, { reason: isKnown ? "cleared" : "cleared before it could be mailed" }),
      clearTime,
      ...(clearReason !== undefined && { clearReason }),
    };
  });
  return { fresh, continuing, cleared, omitted };
}

function dueItem(
  event: Pick<ActiveEvent, "id" | "dedupeKey" | "fireTime" | "notices" | "level" | "firstSeen">,
  named: Pick<DueItem, "reason" | "reminder">,
): DueItem {
  const { id: eventId, dedupeKey, fireTime, firstSeen, notices, level = NO_LEVEL } = event;
  const { severity, stage } = level;
  return {
    eventId,
    dedupeKey,
    fireTime,
    ...(firstSeen !== undefined && { firstSeen }),
    ...(severity && { severity }),
    ...(stage !== undefined && { stage }),
    notices,
    ...named,
  };
}

/** Whether a notification on the channel would name the event if it is detected now. */
export function isDue(
  event: ActiveEvent,
  channel: string,
  renotify: RenotifyRule,
  now: number,
): boolean {
  return "reason" in decide(event, { channel, seen: true, renotify, now });
}

interface EventFacts {
  readonly channel: string;
  /** Whether this tick detected it. */
  readonly seen: boolean;
  readonly renotify: RenotifyRule;
  readonly now: number;
}

type Decision = Pick<DueItem, "reason" | "reminder"> | { readonly omit: OmitReason };

/** What a notification says of an active event, or why none names it. */
function decide(event: ActiveEvent, facts: EventFacts): Decision {
  const wanted = wantedNotice(event, facts);
  if ("omit" in wanted) return wanted;
  const muted = muteOf({ ...facts, event });
  return muted === undefined ? wanted : { omit: muted.kind };
}

function wantedNotice(event: ActiveEvent, { channel, seen, renotify, now }: EventFacts): Decision {
  const { news } = event.notices;
  const notified = notifiedAt(event, channel);
  if (notified === undefined) return { reason: "unsent" };
  if (isUnsent(event, channel)) {
    if (news === "severity") return { reason: "severity rose" };
    return { reason: news === "stage" ? "stage advanced" : "unsent" };
  }
  // It is not known whether an unseen event still fires, so no notification calls it continuing.
  if (!seen) return { omit: "not seen this tick" };
  if (renotify.hours <= 0) return { omit: "already mailed" };
  const reminder = reminderOf(event, channel, renotify, now);
  if (reminder === undefined) return { omit: "no further reminder" };
  // A notification under a clock that was ahead must not silence the reminders until that time.
  if (!isAhead(notified, now) && !isReminderDue(reminder, now))
    return { omit: "renotification not due" };
  const { growth, maxHours, count } = renotify;
  const isCourse = growth > 1 || maxHours !== undefined || count !== undefined;
  const { number, isFinal } = reminder;
  return { reason: "renotification due", ...(isCourse && { reminder: { number, isFinal } }) };
}

/** The next reminder of an event on a channel that has been notified; undefined if there is none. */
export function reminderOf(
  event: Pick<ActiveEvent, "notices">,
  channel: string,
  renotify: RenotifyRule,
  now: number,
): Reminder | undefined {
  const { ack, reminders } = event.notices;
  const notified = notifiedAt(event, channel);
  if (notified === undefined) return undefined;
  // At the end of an acknowledgement it begins anew; one under a clock that was ahead must not delay it until then.
  const endedAt = ackAt(ack, now)?.ended?.at ?? 0;
  const ended = isAhead(endedAt, now) ? 0 : endedAt;
  // The tick that records the end sets the count back, which then counts what was delivered since.
  const isRecorded = ack === undefined || ack.ended !== undefined;
  const isCounted = isRecorded || ended === 0;
  const sent = isCounted && Object.hasOwn(reminders, channel) ? reminders[channel] : 0;
  return nextReminder(renotify, { since: Math.max(notified, ended), sent: sent ?? 0 });
}
