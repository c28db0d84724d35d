import type { Channel } from "../channel/channel.ts";
import { type Delivery, judgeDelivery } from "../core/delivery.ts";
import type { Message } from "../message/render.ts";
import type { Database, Transaction } from "../store/database.ts";
import { closeNotification, openNotification } from "../store/notifications.ts";
import type { Mailing } from "./mailing.ts";
import type { Run } from "./run.ts";

export interface DeliverFacts {
  readonly db: Database;
  readonly mailing: Mailing;
  readonly run: Run;
}

/** One mail, and what its record says. */
export interface Outgoing {
  /** The alarm's `entry_id`, or `engine`. */
  readonly alarm: string;
  /** What it is about, if not about events. */
  readonly about?: string;
  readonly message: Message;
  /** A shorter version, for a service that finds the mail too large. */
  readonly shorter?: () => Message;
  readonly recipients: readonly string[];
  readonly newEventIds?: readonly string[];
  readonly continuingEventIds?: readonly string[];
  readonly clearedEventIds?: readonly string[];
  /** Stores that the mail was delivered, together with the record of it. */
  readonly stamp: (tx: Transaction, at: number) => Promise<void>;
}

/**
 * Records the attempt, delivers the mail, and stamps what it names once the channel has confirmed. A crash in
 * between can repeat a mail, never lose one.
 */
export async function deliver(
  channel: Channel,
  outgoing: Outgoing,
  { db, mailing, run: { id: runId, now, clock } }: DeliverFacts,
): Promise<Delivery> {
  const { alarm, about, message, shorter, recipients, stamp } = outgoing;
  const { newEventIds = [], continuingEventIds = [], clearedEventIds = [] } = outgoing;
  const attempt = {
    alarm,
    runId,
    channel: channel.name,
    subject: message.subject,
    text: message.text,
    recipients,
    newEventIds,
    continuingEventIds,
    clearedEventIds,
    ...(about === undefined ? {} : { about }),
  };
  const id = await db.transaction((tx) => openNotification(tx, attempt, clock()));
  const send = async (content: Message): Promise<Delivery> =>
    await mailing.deliver(channel, { ...content, alarm, time: now, recipients });
  let delivery = await send(message);
  let shortened: string | undefined;
  const isTooLarge = delivery.error?.scope === "size" && delivery.confirmed.length === 0;
  if (isTooLarge && shorter !== undefined) {
    const short = shorter();
    shortened = short.text;
    delivery = await send(short);
  }
  const verdict = judgeDelivery(delivery);
  const { messageIds, refused, pending, error } = delivery;
  const finishedAt = clock();
  await db.transaction(async (tx) => {
    const sent = verdict.outcome !== "failed";
    if (sent) await stamp(tx, finishedAt);
    const mayBeSent = error?.mayBeDelivered ?? false;
    // If no recipient was reached everything stays unsent, and the next mail names it again.
    const left = sent ? pending : [];
    const result = { ...verdict, messageIds, refused, pending: left, mayBeSent, shortened };
    await closeNotification(tx, id, result, finishedAt);
  });
  return delivery;
}
