import type { ActiveEvent, AlarmRow } from "../core/model.ts";
import { muteOf } from "../core/mute/mute.ts";
import type { Muted } from "../core/mute/muted.ts";
import { isUnsent, notifiedAt } from "../core/news.ts";
import { type BundleItem, type ItemReason, reminderOf } from "../core/notice.ts";
import type { ChannelNotice } from "../engine/notify.ts";
import { utcMinute } from "../text/utc.ts";

/** Why nothing is sent about an entity now. */
export type Held = Pick<Muted, "reason" | "until">;

/** What a tick says of one entity on one channel, and why. Times are epoch seconds. */
export interface ChannelVerdict extends Held {
  readonly channel: string;
  readonly notifiedAt: number | undefined;
  readonly notifies: boolean;
  /** To whom; empty if it does not notify. */
  readonly to: readonly string[];
  /** What would hold a notification back, whether or not one is due. */
  readonly held: Held | undefined;
  /** Undefined if there is none, or nobody knows when. */
  readonly nextReminder: number | undefined;
}

export interface VerdictFacts {
  readonly alarm: Pick<AlarmRow, "name" | "enabled" | "renotify">;
  readonly key: string;
  /** The entity's event after the tick. */
  readonly event: Pick<ActiveEvent, "fireTime" | "notices"> | undefined;
  /** Whether the event has cleared. */
  readonly isOver: boolean;
  /** What the alarm has to say, of what it did with this entity alone. */
  readonly notice: Pick<
    ChannelNotice,
    "channel" | "usable" | "recipients" | "fresh" | "continuing" | "cleared" | "omitted"
  >;
  /** What is wrong with the channel's settings. */
  readonly faults: readonly string[];
  /** Why ticks do nothing with the alarm; undefined if they run it. */
  readonly idle?: string | undefined;
  /** Until when the service of the channel accepts nothing, as it said. */
  readonly closedUntil?: number | undefined;
  /** When an open notification that names the event is attempted again. */
  readonly waitsUntil?: number | undefined;
  readonly now: number;
}

export function channelVerdict(facts: VerdictFacts): ChannelVerdict {
  const { key, event, notice } = facts;
  const { channel, fresh, continuing, cleared } = notice;
  const item = [...fresh, ...continuing, ...cleared].find(({ dedupeKey }) => dedupeKey === key);
  const held = heldOn(facts, item !== undefined);
  const nextReminder = reminderAfter(facts, held);
  const verdict = { channel, notifiedAt: event && notifiedAt(event, channel), held, nextReminder };
  if (held === undefined && item !== undefined)
    return {
      ...verdict,
      notifies: true,
      to: notice.recipients,
      reason: dueReason(item),
      until: undefined,
    };
  const { reason, until } = held ?? nothingDue(facts, nextReminder);
  return { ...verdict, notifies: false, to: [], reason, until };
}

function heldOn(facts: VerdictFacts, isDue: boolean): Held | undefined {
  const { alarm, event, isOver, notice, faults, idle, closedUntil, waitsUntil, now } = facts;
  const { channel, usable, recipients, omitted } = notice;
  const held = (reason: string, until?: number): Held => ({ reason, until });
  if (idle !== undefined) return held(idle);
  if (!alarm.enabled) return held(whyOff(alarm.name));
  const muted = event && !isOver ? muteOf({ event, channel, now }) : undefined;
  if (muted !== undefined) return { reason: muted.reason, until: muted.until };
  if (usable !== "usable") return held(whyUnusable(usable, faults));
  if (isDue && recipients.length === 0) return held(whyNobody(alarm.name));
  if (omitted["may have been mailed"] > 0)
    return held(
      "a notification that names it may have been delivered; the repeat waits",
      waitsUntil,
    );
  if (closedUntil !== undefined) return held(ASKED_TO_WAIT, closedUntil);
  return undefined;
}

const ASKED_TO_WAIT = "the service asked to wait";

function whyOff(alarm: string): string {
  return `notifications are off; to turn them on, run: bin/swf-alarms alarm set ${alarm} --mail on`;
}

function whyUnusable(usable: "not configured" | "unusable", faults: readonly string[]): string {
  const what = usable === "unusable" ? "cannot be used" : "is not configured";
  return [`the channel ${what}`, ...faults].join("; ");
}

function whyNobody(alarm: string): string {
  return `there are no recipients; to add some, run: bin/swf-alarms alarm set ${alarm} --recipients ADDRESS`;
}

type MessageFacts = Pick<VerdictFacts, "faults" | "closedUntil"> & {
  readonly alarm: Pick<AlarmRow, "name" | "enabled">;
  readonly usable: ChannelNotice["usable"];
  readonly recipients: readonly string[];
};

/** Why a message that is due is not sent; empty if it is. */
export function heldMessage(facts: MessageFacts): readonly string[] {
  const { alarm, usable, faults, closedUntil, recipients } = facts;
  return [
    ...(alarm.enabled ? [] : [whyOff(alarm.name)]),
    ...(usable === "usable" ? [] : [whyUnusable(usable, faults)]),
    ...(recipients.length > 0 ? [] : [whyNobody(alarm.name)]),
    ...(closedUntil === undefined ? [] : [`${ASKED_TO_WAIT} until ${utcMinute(closedUntil)}`]),
  ];
}

/** After an acknowledgement with an end, the reminders begin anew at that end; nothing is sent while it is held. */
function reminderAfter(facts: VerdictFacts, held: Held | undefined): number | undefined {
  const { alarm, event, isOver, notice, now } = facts;
  if (event === undefined || isOver || isUnsent(event, notice.channel)) return undefined;
  if (held !== undefined && held.until === undefined) return undefined;
  const until = held?.until ?? now;
  const due = reminderOf(event, notice.channel, alarm.renotify, until)?.due;
  return due === undefined || held === undefined ? due : Math.max(due, until);
}

function nothingDue({ alarm, isOver, notice: { omitted } }: VerdictFacts, nextReminder?: number) {
  const set = `to change that, run: bin/swf-alarms alarm set ${alarm.name}`;
  const because = (reason: string, until?: number): Held => ({ reason, until });
  if (isOver) return because(`the alarm does not notify of clears; ${set} --notify-clear on`);
  if (omitted["already mailed"] > 0)
    return because(`it was notified, and the alarm sends no reminders; ${set} --renotify HOURS`);
  if (omitted["no further reminder"] > 0)
    return because(`it was notified, and its last reminder of ${alarm.renotify.count} was sent`);
  if (omitted["not seen this tick"] > 0)
    return because("it was notified; reminders are sent only while it is detected");
  if (omitted["renotification not due"] > 0 && nextReminder !== undefined)
    return because(
      `it was notified; the next reminder is due at ${utcMinute(nextReminder)}`,
      nextReminder,
    );
  return because("there is nothing to say");
}

const DUE: { readonly [reason in ItemReason]: string } = {
  new: "it is new",
  unsent: "no notification of it was delivered there",
  "severity rose": "its severity rose",
  "stage advanced": "its stage advanced",
  "renotification due": "a reminder is due",
  cleared: "it has cleared",
  "cleared before it could be mailed": "it has cleared, and was not notified before",
};

function dueReason({ reason, reminder }: BundleItem): string {
  if (reminder === undefined) return DUE[reason];
  return `reminder ${reminder.number} is due${reminder.isFinal ? ", the last one" : ""}`;
}
