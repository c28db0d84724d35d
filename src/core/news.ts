import { ackInForce } from "./ack.ts";
import type { ActiveEvent, AlarmRow, Notices } from "./model.ts";

export const NO_NOTICES: Notices = {
  newsAt: undefined,
  news: "fired",
  notified: {},
  to: {},
  recipients: [],
  reminders: {},
  ack: undefined,
};

/** The time of the tick that composed the last notification that named the event on the channel; undefined if none was delivered. */
export function notifiedAt({ notices }: Pick<ActiveEvent, "notices">, channel: string) {
  return Object.hasOwn(notices.notified, channel) ? notices.notified[channel] : undefined;
}

/** When the latest news of the event happened. */
export function newsAt({ fireTime, notices }: Pick<ActiveEvent, "fireTime" | "notices">): number {
  return notices.newsAt ?? fireTime;
}

/** Whether no delivered notification on this channel has the latest news of an active event. */
export function isUnsent(
  event: Pick<ActiveEvent, "fireTime" | "notices">,
  channel: string,
): boolean {
  const at = notifiedAt(event, channel);
  return at === undefined || at < newsAt(event);
}

/** The channels on which the end of the event is news, when it clears. */
export function channelsToHearOfClear(
  event: ActiveEvent,
  { enabled, notifyClear }: Pick<AlarmRow, "enabled" | "notifyClear">,
  channels: readonly string[],
  now: number,
): readonly string[] {
  if (!enabled) return [];
  // The update that an acknowledgement held is over.
  const isHeld = ackInForce(event.notices.ack, now) !== undefined;
  const missed = (channel: string): boolean =>
    isUnsent(event, channel) && !(isHeld && notifiedAt(event, channel) !== undefined);
  return channels.filter((channel) => notifyClear || missed(channel));
}
