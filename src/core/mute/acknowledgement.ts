import { ackInForce } from "../ack.ts";
import { notifiedAt } from "../news.ts";
import type { Muted, MuteFacts } from "./muted.ts";

/** Holds updates and reminders, not the first notification on a channel. */
export function acknowledgement({ event, channel, now }: MuteFacts): Muted | undefined {
  const ack = ackInForce(event.notices.ack, now);
  if (ack === undefined || notifiedAt(event, channel) === undefined) return undefined;
  return {
    kind: "acknowledged",
    reason: `acknowledged by ${ack.by}: ${ack.reason}`,
    until: ack.until,
  };
}
