import { type Earlier, judgeAttempt, withoutRepeat } from "../core/attempt.ts";
import { type Bundle, shortBundle } from "../core/bundle.ts";
import { type Delivery, deliveryErrors, type Refused, undelivered } from "../core/delivery.ts";
import type { OpenNotification } from "../core/notification.ts";
import { type Message, renderMessage, storedMessage } from "../message/render.ts";
import type { Database, Transaction } from "../store/database.ts";
import {
  beginAttempt,
  closeNotification,
  type NewNotification,
  openNotification,
} from "../store/notifications.ts";
import { correctNews, type Stamp, stampNotified } from "../store/stamps.ts";
import type { ChannelQueue } from "./channel_queue.ts";
import type { Run } from "./run.ts";

export interface DeliverFacts {
  readonly db: Database;
  readonly queue: ChannelQueue;
  readonly run: Pick<Run, "clock" | "now">;
}

/** What became of a notification. */
export interface Delivered {
  /** Whether it reached at least one recipient. */
  readonly sent: boolean;
  /** Addresses that the service refused. */
  readonly refused: readonly Refused[];
  readonly errors: readonly string[];
}

/** One attempt at a notification. */
interface Attempt {
  readonly id: string;
  readonly alarm: string;
  readonly channel: string;
  readonly subject: string;
  readonly message: Message;
  readonly bundle: Bundle | undefined;
  /** This one included. */
  readonly attempts: number;
  /** Those that it is sent to now. */
  readonly recipients: readonly string[];
  readonly earlier: Earlier;
  readonly stamp: Stamp;
  /** Records the attempt before it is made. */
  readonly begin: (tx: Transaction, now: number) => Promise<void>;
}

export interface Composed {
  readonly notification: NewNotification;
  readonly message: Message;
  /** Ids of the events that it names whose news comes from a clock that was ahead. */
  readonly ahead: readonly string[];
}

/** Delivers a new notification. */
export async function deliverNew(
  { notification, message, ahead }: Composed,
  facts: DeliverFacts,
): Promise<Delivered> {
  const { newEventIds, continuingEventIds, clearedEventIds, unknownBefore, ...named } =
    notification;
  return await attempt(
    {
      ...named,
      message,
      attempts: 1,
      earlier: {
        refused: [],
        messageIds: [],
        unknown:
          unknownBefore === 0 ? undefined : { count: unknownBefore, last: notification.composedAt },
        isPartial: false,
        givenUp: [],
      },
      stamp: {
        ...named,
        firing: [...newEventIds, ...continuingEventIds],
        cleared: clearedEventIds,
      },
      begin: async (tx, now) => {
        await openNotification(tx, notification, now);
        if (ahead.length > 0) await correctNews(tx, ahead, notification.composedAt);
      },
    },
    facts,
  );
}

/** Delivers an open notification to those that it has not reached yet. */
export async function deliverAgain(
  alarm: string,
  row: OpenNotification,
  recipients: readonly string[],
  facts: DeliverFacts,
): Promise<Delivered> {
  const isRepeat = row.unknown !== undefined || row.state === "unknown";
  const bundle =
    isRepeat && row.bundle ? { ...row.bundle, mayBeDuplicate: true as const } : row.bundle;
  return await attempt(
    {
      ...row,
      alarm,
      bundle,
      message: bundle ? renderMessage(bundle) : storedMessage(row.subject, row.text, isRepeat),
      attempts: row.attempts + 1,
      recipients,
      earlier: {
        ...row,
        isPartial: row.pending.length > 0,
        givenUp: row.pending.filter((address) => !recipients.includes(address)),
      },
      stamp: {
        ...row,
        firing: [...row.newEventIds, ...row.continuingEventIds],
        cleared: row.clearedEventIds,
      },
      begin: (tx, now) => beginAttempt(tx, row, now),
    },
    facts,
  );
}

/**
 * Records the attempt, delivers, records the result, and stamps the events once the channel has confirmed a call. A
 * crash in between can repeat one call, never lose a notification.
 */
async function attempt(task: Attempt, { db, queue, run }: DeliverFacts): Promise<Delivered> {
  const { clock } = run;
  const { isPartial } = task.earlier;
  return await queue.inTurn(async () => {
    const { closed } = queue;
    // Without an attempt there is no record; the events stay unsent.
    if (closed !== undefined) {
      const delivery = undelivered(task.recipients, closed.error);
      return {
        sent: false,
        refused: [],
        errors: deliveryErrors(delivery, { ...task, ...closed, isPartial }),
      };
    }
    await db.transaction((tx) => task.begin(tx, clock()));
    let { message } = task;
    // One that had reached some of its recipients is stamped already.
    let isStamped = isPartial;
    let isSent = false;
    let notBefore: number | undefined;
    const record = async (delivery: Delivery): Promise<void> => {
      const now = clock();
      const judged = judgeAttempt(delivery, task.earlier, now);
      const result = task.bundle?.isTest ? withoutRepeat(judged) : judged;
      const givenUp = [...task.earlier.givenUp, ...(task.bundle?.isTest ? judged.pending : [])];
      const shortened = message === task.message ? undefined : message.text;
      const isConfirmed = delivery.confirmed.length > 0;
      await db.transaction(async (tx) => {
        if (isConfirmed && !isStamped) await stampNotified(tx, task.stamp, run.now);
        await closeNotification(tx, task.id, { ...result, givenUp, shortened }, now);
      });
      isStamped ||= isConfirmed;
      isSent ||= isConfirmed;
      if (result.notBefore !== undefined && result.notBefore > now) notBefore = result.notBefore;
    };
    const send = async (): Promise<Delivery> =>
      await queue.deliver(
        { ...task, ...message, time: task.bundle?.time ?? task.stamp.composedAt },
        record,
      );
    let delivery = await send();
    const isTooLarge = delivery.error?.scope === "size" && delivery.confirmed.length === 0;
    if (isTooLarge && task.bundle !== undefined) {
      message = renderMessage(shortBundle(task.bundle));
      delivery = await send();
    }
    await record(delivery);
    const errors = deliveryErrors(delivery, { ...task, notBefore, isPartial });
    return { sent: isSent, refused: delivery.refused, errors };
  });
}
