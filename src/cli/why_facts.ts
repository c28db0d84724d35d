import type { AlarmRow, Outcome } from "../core/model.ts";
import { AT_ONCE, describeProgress, type PendingEntry, settleProgress } from "../core/settle.ts";
import type { ListedEvent } from "../store/event_list.ts";
import { utcMinute } from "../text/utc.ts";
import type { ChannelVerdict, Held } from "./channel_verdict.ts";
import { type PendingDetection, renderPending } from "./pending.ts";

/** What the last tick that ran the alarm recorded of it. Times are epoch seconds. */
export interface LastLook {
  readonly at: number;
  readonly outcome: Outcome["status"] | "not configured";
  /** Why it is not complete. */
  readonly error: string;
  /** Why it did not look at the entity, although it is complete; undefined if it did, or if that is not on record. */
  readonly unseen?: string | undefined;
}

export interface WhyInput {
  readonly alarm: Pick<AlarmRow, "clearAfter">;
  /** Why it no longer runs, if so. */
  readonly stopped: string | undefined;
  /** Those of the entity, newest first. */
  readonly events: readonly ListedEvent[];
  /** Detected, and not for long enough. */
  readonly pending: PendingDetection | undefined;
  /** Firing, and not unseen for long enough. */
  readonly clearing: PendingEntry | undefined;
  readonly lastLook: LastLook | undefined;
  /** Of the firing event, or of the clear of the newest one. */
  readonly channels: readonly ChannelVerdict[];
  readonly now: number;
}

export interface WhyFacts {
  readonly state: "firing" | "pending" | "cleared" | "unknown";
  /** Why it is in this state, as a sentence. */
  readonly reason: string;
  /** What holds notifications back on all channels that could have one. */
  readonly muted: Held | undefined;
  /** The earliest one of all channels. */
  readonly nextReminder: number | undefined;
}

/** The state of one entity of an alarm, and the reason for it. */
export function whyFacts(input: WhyInput): WhyFacts {
  const { events, pending, channels } = input;
  const [newest] = events;
  const none = { muted: undefined, nextReminder: undefined };
  if (newest !== undefined && newest.clearTime === undefined) {
    const reminders = channels.flatMap(({ nextReminder }) => nextReminder ?? []);
    return {
      state: "firing",
      reason: whyFiring(newest, input),
      muted: heldEverywhere(channels),
      nextReminder: reminders.length === 0 ? undefined : Math.min(...reminders),
    };
  }
  if (pending !== undefined) {
    const reason = withLook(renderPending(pending), "it does not count", input);
    return { ...none, state: "pending", reason };
  }
  if (newest !== undefined)
    return { ...none, state: "cleared", reason: newest.clearReason ?? "no reason is on record" };
  return { ...none, state: "unknown", reason: "no event on record, and not pending" };
}

/** What keeps it firing. */
function whyFiring(event: ListedEvent, input: WhyInput): string {
  const { alarm, stopped, clearing, lastLook, now } = input;
  const { lastSeen, clearHeldAt } = event;
  if (stopped !== undefined) return `the next tick ends it: ${stopped}`;
  if (lastLook === undefined) return "no tick on record has looked at it";
  const { at, outcome, unseen } = lastLook;
  if (lastSeen !== undefined && lastSeen >= at)
    return `detected in the last tick, at ${utcMinute(lastSeen)}`;
  if (clearHeldAt !== undefined)
    return `not detected, but the clear of many events at once is held since ${utcMinute(clearHeldAt)}; it clears if the next complete outcome does not detect it either`;
  if (clearing !== undefined) {
    const progress = settleProgress(clearing, alarm.clearAfter ?? AT_ONCE, now);
    const reason = `clears later: not detected ${describeProgress(progress)}`;
    return withLook(reason, "it does not count", input);
  }
  const since = lastSeen === undefined ? "" : ` since ${utcMinute(lastSeen)}`;
  if (outcome === "complete") {
    const why = unseen === undefined ? "" : `: ${unseen}`;
    return `not detected${since}, but the last tick, at ${utcMinute(at)}, did not look at it${why}`;
  }
  return withLook(`not detected${since}`, "nothing clears", input);
}

/** With the last outcome and its consequence, if it was not complete. */
function withLook(reason: string, consequence: string, { lastLook }: WhyInput): string {
  if (lastLook === undefined || lastLook.outcome === "complete") return reason;
  const { at, outcome, error } = lastLook;
  return `${reason}; in the last tick, at ${utcMinute(at)}, ${WHAT[outcome]}, so that ${consequence}: ${error}`;
}

const WHAT = {
  partial: "the outcome was partial",
  failed: "the outcome failed",
  "not configured": "the alarm was not configured",
} as const;

/** What holds all channels; of several reasons the first. */
function heldEverywhere(channels: readonly ChannelVerdict[]): Held | undefined {
  return channels.some(({ held }) => held === undefined) ? undefined : channels[0]?.held;
}
