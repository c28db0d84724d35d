import type { Channel } from "../channel/channel.ts";
import type { Announcement } from "../core/announcement.ts";
import { deliveryErrors, judgeDelivery } from "../core/delivery.ts";
import { renderAnnouncement } from "../message/announcement.ts";
import type { Database, Queryable } from "../store/database.ts";
import { closeNotification, openNotification } from "../store/notifications.ts";
import { errorText } from "../text/describe.ts";
import type { Mailing } from "./mailing.ts";

export interface AnnounceFacts {
  readonly announcement: Announcement;
  readonly recipients: readonly string[];
  readonly mailing: Mailing;
  readonly runId: string;
  readonly now: number;
  /** Epoch seconds at this moment. */
  readonly clock: () => number;
  /** Remembers that it was delivered, together with the record of it. */
  readonly confirmed: (tx: Queryable) => Promise<void>;
}

/**
 * Delivers a mail about the engine itself, with the attempt on record before it is made. Gives what
 * went wrong, or undefined. Never throws.
 */
export async function announce(
  db: Database,
  channel: Channel,
  facts: AnnounceFacts,
): Promise<string | undefined> {
  try {
    return await facts.mailing.inTurn(() => attempt(db, channel, facts));
  } catch (error) {
    const reason = errorText(error);
    return `cannot record the mail about ${facts.announcement.about}: ${reason}; it stays owed`;
  }
}

async function attempt(
  db: Database,
  channel: Channel,
  { announcement, recipients, mailing, runId, now, clock, confirmed }: AnnounceFacts,
): Promise<string | undefined> {
  const { about, of } = announcement;
  const message = renderAnnouncement(announcement, now);
  const { subject, text } = message;
  const events = { newEventIds: [], continuingEventIds: [], clearedEventIds: [] };
  const record = { alarm: of, runId, channel: channel.name, subject, text, recipients, about };
  const id = await openNotification(db, { ...record, ...events }, clock());
  const delivery = await mailing.deliver(channel, { ...message, alarm: of, time: now, recipients });
  const verdict = judgeDelivery(delivery);
  const isTold = verdict.outcome !== "failed";
  await db.transaction(async (tx) => {
    if (isTold) await confirmed(tx);
    const result = {
      ...verdict,
      messageIds: delivery.messageIds,
      refused: delivery.refused,
      pending: isTold ? delivery.pending : [],
      mayBeSent: delivery.error?.mayBeDelivered ?? false,
      shortened: undefined,
    };
    await closeNotification(tx, id, result, clock());
  });
  const errors = deliveryErrors(delivery);
  return errors.length === 0 ? undefined : `about ${about}: ${errors.join("; ")}`;
}
