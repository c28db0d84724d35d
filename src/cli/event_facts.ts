import { ackInForce } from "../core/ack.ts";
import { muteOf } from "../core/mute/mute.ts";
import type { Muted } from "../core/mute/muted.ts";
import type { ListedEvent } from "../store/event_list.ts";
import { jsonTime } from "./output.ts";

export interface EventContext {
  /** Whether the alarm's notifications are on. */
  readonly enabled: boolean;
  readonly now: number;
}

/** An event in JSON. */
export function eventFacts(event: ListedEvent, context: EventContext) {
  const ack = ackOf(event, context.now);
  const muted = mutedBy(event, context);
  return {
    id: event.id,
    alarm: event.alarm,
    key: event.dedupeKey,
    subject: event.subject,
    severity: event.level.severity,
    stage: event.level.stage,
    fire_time: jsonTime(event.fireTime),
    first_seen: jsonTime(event.firstSeen),
    last_seen: jsonTime(event.lastSeen),
    clear_time: jsonTime(event.clearTime),
    clear_reason: event.clearReason,
    ack: ack && {
      by: ack.by,
      reason: ack.reason,
      until: jsonTime(ack.until),
      sticky: ack.sticky,
    },
    muted: muted && heldFacts(muted),
    notified: Object.fromEntries(
      Object.entries(event.notices.notified).map(([name, at]) => [name, jsonTime(at)]),
    ),
    data: event.data,
  };
}

/** Why nothing is sent, and until when. */
export function heldFacts({ reason, until }: Pick<Muted, "reason" | "until">) {
  return { reason, until: jsonTime(until) };
}

/** The acknowledgement that holds now; its event's end ends it too. */
export function ackOf({ clearTime, notices }: ListedEvent, now: number) {
  return clearTime === undefined ? ackInForce(notices.ack, now) : undefined;
}

/** Why nothing is sent of an event that fires; a channel that was not notified of it may be notified all the same. */
export function mutedBy(event: ListedEvent, { enabled, now }: EventContext) {
  if (event.clearTime !== undefined) return undefined;
  if (!enabled) return { reason: "notifications are off", until: undefined };
  for (const channel of Object.keys(event.notices.notified)) {
    const muted = muteOf({ event, channel, now });
    if (muted !== undefined) return muted;
  }
  return undefined;
}
