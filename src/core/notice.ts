import type { ActiveEvent, AlarmRow, Mode } from "./model.ts";
import type { Plan } from "./reconcile.ts";

/** Why an event is in the bundle. */
export type ItemReason =
  | "new"
  | "unsent"
  | "renotification due"
  | "cleared before it could be mailed";
/** Why an active event is not in the bundle. */
export type OmitReason = "already mailed" | "renotification not due" | "not seen this tick";
/** Why the bundle goes out, or does not. */
export type SendReason =
  | "due"
  | "nothing to mail"
  | "mail is off"
  | "dry run"
  | "plan only"
  | "no recipients"
  | "mail is not configured";

/** An event that the bundle names. */
export interface BundleItem {
  readonly eventId: string;
  readonly dedupeKey: string;
  readonly fireTime: number;
  readonly reason: ItemReason;
}

/** An event that is over, and that no confirmed mail has named. */
export interface UnsentClear {
  /** UUID of the row. */
  readonly id: string;
  readonly dedupeKey: string;
  readonly fireTime: number;
  readonly clearTime: number;
}

/** Such an event in the bundle. */
export interface ClearedItem extends BundleItem {
  readonly clearTime: number;
}

export interface Notice {
  readonly send: boolean;
  readonly reason: SendReason;
  readonly fresh: readonly BundleItem[];
  readonly continuing: readonly BundleItem[];
  /** Over already; the oldest first. */
  readonly cleared: readonly ClearedItem[];
  readonly omitted: { readonly [reason in OmitReason]: number };
}

/** The notice of an alarm whose tick could not be recorded. */
export const NO_NOTICE: Notice = {
  send: false,
  reason: "nothing to mail",
  fresh: [],
  continuing: [],
  cleared: [],
  omitted: { "already mailed": 0, "renotification not due": 0, "not seen this tick": 0 },
};

/** An event opened in this tick, with the id of its row. */
export interface OpenedEvent {
  readonly id: string;
  readonly dedupeKey: string;
}

export interface NoticeFacts {
  readonly alarm: Pick<AlarmRow, "enabled" | "renotificationHours">;
  readonly plan: Plan;
  readonly opened: readonly OpenedEvent[];
  /** What earlier ticks cleared and no mail has named yet. */
  readonly unsentClears: readonly UnsentClear[];
  /** How many addresses the alarm's recipients resolve to. */
  readonly recipientCount: number;
  readonly mailConfigured: boolean;
  readonly mode: Mode;
  readonly now: number;
}

/**
 * Who is told what, once per alarm and tick. What would be mailed is worked out even while mail is
 * off, so that the record shows it; an event stays owed until a mail that names it was confirmed.
 */
export function decideNotice(facts: NoticeFacts): Notice {
  const { plan, alarm, now } = facts;
  const omitted = { "already mailed": 0, "renotification not due": 0, "not seen this tick": 0 };
  const fresh = facts.opened.map(({ id, dedupeKey }): BundleItem => {
    return { eventId: id, dedupeKey, fireTime: now, reason: "new" };
  });
  const continuing: BundleItem[] = [];
  const consider = (event: ActiveEvent, seen: boolean): void => {
    const verdict = judge(event, seen, alarm.renotificationHours, now);
    if (verdict === "unsent" || verdict === "renotification due") {
      const { id: eventId, dedupeKey, fireTime } = event;
      continuing.push({ eventId, dedupeKey, fireTime, reason: verdict });
    } else {
      omitted[verdict] += 1;
    }
  };
  for (const { event } of plan.touch) consider(event, true);
  for (const { event } of plan.keep) consider(event, false);
  const cleared = [...facts.unsentClears, ...clearedNow(facts)].map(
    ({ id, dedupeKey, fireTime, clearTime }): ClearedItem => {
      const reason = "cleared before it could be mailed";
      return { eventId: id, dedupeKey, fireTime, clearTime, reason };
    },
  );
  const reason = sendReason(facts, fresh.length + continuing.length + cleared.length);
  return { send: reason === "due", reason, fresh, continuing, cleared, omitted };
}

/** What clears in this tick without a mail that names it; `clearEvents` marks the same ones. */
function clearedNow({ alarm, plan, now }: NoticeFacts): readonly UnsentClear[] {
  if (!alarm.enabled) return [];
  return plan.clear
    .filter(({ event }) => event.lastNotified === undefined)
    .map(({ event: { id, dedupeKey, fireTime } }) => ({ id, dedupeKey, fireTime, clearTime: now }));
}

/** Whether a mail would name the event if it is detected now. */
export function isDue(event: ActiveEvent, renotificationHours: number, now: number): boolean {
  const verdict = judge(event, true, renotificationHours, now);
  return verdict === "unsent" || verdict === "renotification due";
}

function judge(
  event: ActiveEvent,
  seen: boolean,
  renotificationHours: number,
  now: number,
): "unsent" | "renotification due" | OmitReason {
  if (event.lastNotified === undefined) return "unsent";
  // Whether an unseen event still fires is not known, so it is not announced as continuing.
  if (!seen) return "not seen this tick";
  if (renotificationHours <= 0) return "already mailed";
  return now - event.lastNotified >= renotificationHours * 3600
    ? "renotification due"
    : "renotification not due";
}

function sendReason(facts: NoticeFacts, mentions: number): SendReason {
  if (mentions === 0) return "nothing to mail";
  if (!facts.alarm.enabled) return "mail is off";
  if (facts.mode === "plan") return "plan only";
  if (facts.mode === "dry-run") return "dry run";
  if (facts.recipientCount === 0) return "no recipients";
  if (!facts.mailConfigured) return "mail is not configured";
  return "due";
}
