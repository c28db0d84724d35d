import { ackInForce } from "../core/ack.ts";
import { muteOf } from "../core/mute/mute.ts";
import type { ListedEvent } from "../store/event_list.ts";
import { rfc3339 } from "../text/utc.ts";

/** The version of what `--json` prints. */
export const JSON_VERSION = { version: 1 } as const;

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
    severity: event.level.severity ?? null,
    stage: event.level.stage ?? null,
    fire_time: time(event.fireTime),
    first_seen: time(event.firstSeen),
    last_seen: time(event.lastSeen),
    clear_time: time(event.clearTime),
    clear_reason: event.clearReason ?? null,
    ack: ack
      ? { by: ack.by, reason: ack.reason, until: time(ack.until), sticky: ack.sticky }
      : null,
    muted: muted ? { reason: muted.reason, until: time(muted.until) } : null,
    notified: byChannel(event.notices.notified, time),
    data: event.data,
  };
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

/** The same object with other values. */
export function byChannel<A, B>(
  values: { readonly [channel: string]: A },
  change: (value: A) => B,
) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}

function time(epochSeconds: number | undefined): string | null {
  return epochSeconds === undefined ? null : rfc3339(epochSeconds);
}
