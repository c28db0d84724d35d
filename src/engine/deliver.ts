import type { Channel } from "../channel/channel.ts";
import { type Delivery, deliveryErrors, judgeDelivery } from "../core/delivery.ts";
import type { Message } from "../message/render.ts";
import type { Database, Transaction } from "../store/database.ts";
import {
  closeNotification,
  type NewNotification,
  openNotification,
} from "../store/notifications.ts";
import type { Mailing } from "./mailing.ts";
import type { Run } from "./run.ts";

export interface DeliverFacts {
  readonly db: Database;
  readonly mailing: Mailing;
  readonly run: Run;
}

/** One mail, and what its record says. */
export interface Outgoing extends Omit<NewNotification, "runId" | "channel" | "subject" | "text"> {
  readonly message: Message;
  /** A shorter version, for a service that finds the mail too large. */
  readonly shorter?: () => Message;
  /** Whether an earlier mail may have named the same. */
  readonly isRepeat: boolean;
  /** Stores that the mail was delivered, together with the record of it. */
  readonly stamp: (tx: Transaction, at: number) => Promise<void>;
}

/** What became of a mail. */
export interface Delivered {
  /** Whether it reached at least one recipient. */
  readonly sent: boolean;
  readonly errors: readonly string[];
}

/**
 * Records the attempt, delivers the mail, and stamps what it names once the channel has confirmed a call. A
 * crash in between can repeat one call, never lose a mail.
 */
export async function deliver(
  channel: Channel,
  { message, shorter, isRepeat, stamp, ...named }: Outgoing,
  { db, mailing, run: { id: runId, now, clock } }: DeliverFacts,
): Promise<Delivered> {
  const { alarm, recipients } = named;
  const { subject, text } = message;
  const attempt = { ...named, runId, channel: channel.name, subject, text };
  const id = await db.transaction((tx) => openNotification(tx, attempt, clock()));
  let content = message;
  let isStamped = false;
  const record = async (delivery: Delivery): Promise<void> => {
    const state = judgeDelivery(delivery);
    const { messageIds, refused, error } = delivery;
    const at = clock();
    const sent = state.outcome !== "failed";
    // If no recipient was reached everything stays unsent, and the next mail names it again.
    const pending = sent ? delivery.pending : [];
    const unknown = error?.mayBeDelivered === true ? { count: 1, last: at } : undefined;
    const shortened = content === message ? undefined : content.text;
    await db.transaction(async (tx) => {
      if (sent && !isStamped) await stamp(tx, at);
      const result = { ...state, messageIds, refused, pending, unknown, shortened };
      await closeNotification(tx, id, result, at);
    });
    isStamped = sent;
  };
  const send = async (): Promise<Delivery> =>
    await mailing.deliver(channel, { ...content, alarm, time: now, recipients }, record);
  let delivery = await send();
  const isTooLarge = delivery.error?.scope === "size" && delivery.confirmed.length === 0;
  if (isTooLarge && shorter !== undefined) {
    content = shorter();
    delivery = await send();
  }
  await record(delivery);
  return { sent: isStamped, errors: deliveryErrors(delivery, isRepeat) };
}
