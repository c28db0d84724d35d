import type { Channel } from "../channel/channel.ts";
import { composeBundle, listedMentions } from "../core/bundle.ts";
import type { AlarmRow, Outcome } from "../core/model.ts";
import type { Notice } from "../core/notice.ts";
import type { Redact } from "../core/redact.ts";
import { type Message, renderMessage } from "../message/render.ts";
import type { Database } from "../store/database.ts";
import { eventTexts, stampNotified } from "../store/events.ts";
import { closeNotification, openNotification } from "../store/notifications.ts";

export interface NotifyFacts {
  readonly alarm: AlarmRow;
  readonly outcome: Outcome;
  readonly notice: Notice;
  readonly recipients: readonly string[];
  readonly runId: string;
  readonly now: number;
  /** Epoch seconds at this moment, for the stamp. */
  readonly clock: () => number;
  readonly redact: Redact;
}

/** What became of the alarm's mail. */
export interface NotifyResult {
  readonly sent: boolean;
  /** Undefined when nothing was attempted, or it went well. */
  readonly error: string | undefined;
}

/** The mail that a notice means, without sending it. */
export async function composeMessage(
  db: Database,
  facts: Pick<NotifyFacts, "alarm" | "outcome" | "notice" | "now">,
): Promise<Message> {
  const { alarm, outcome, notice, now } = facts;
  const unseen = listedMentions(notice).continuing.filter(
    ({ detection }) => detection === undefined,
  );
  const stored = await eventTexts(
    db,
    unseen.map(({ eventId }) => eventId),
  );
  return renderMessage(
    composeBundle({
      entryId: alarm.entryId,
      title: alarm.title,
      description: alarm.description,
      time: now,
      notice,
      stored,
      caveats: outcome.reasons,
    }),
  );
}

/**
 * Delivers the alarm's bundle: the attempt is on record before it is made, and events are stamped only
 * after the channel confirmed. Dying in between can repeat a mail, never lose one. Never throws.
 */
export async function deliverNotice(
  db: Database,
  channel: Channel,
  facts: NotifyFacts,
): Promise<NotifyResult> {
  try {
    return await attemptDelivery(db, channel, facts);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { sent: false, error: `cannot record the mail: ${reason}; its events stay owed` };
  }
}

async function attemptDelivery(
  db: Database,
  channel: Channel,
  facts: NotifyFacts,
): Promise<NotifyResult> {
  const { alarm, notice, recipients, clock } = facts;
  const message = await composeMessage(db, facts);
  const newEventIds = notice.fresh.map(({ eventId }) => eventId);
  const continuingEventIds = notice.continuing.map(({ eventId }) => eventId);
  const attempt = await openNotification(
    db,
    {
      alarm: alarm.entryId,
      runId: facts.runId,
      channel: channel.name,
      subject: message.subject,
      text: message.text,
      recipients,
      newEventIds,
      continuingEventIds,
    },
    clock(),
  );
  const delivery = await channel.deliver({
    ...message,
    alarm: alarm.entryId,
    time: facts.now,
    recipients,
  });
  const confirmedAt = clock();
  await db.transaction(async (tx) => {
    if (delivery.ok) await stampNotified(tx, [...newEventIds, ...continuingEventIds], confirmedAt);
    await closeNotification(
      tx,
      attempt,
      {
        outcome: delivery.ok ? "delivered" : "failed",
        messageIds: delivery.messageIds,
        error: delivery.ok ? undefined : facts.redact(delivery.error),
        retryable: delivery.ok ? undefined : delivery.retryable,
      },
      confirmedAt,
    );
  });
  if (delivery.ok) return { sent: true, error: undefined };
  const next = delivery.retryable
    ? "the next tick tries again"
    : "it needs somebody to look; every tick tries again";
  return { sent: false, error: `mail not sent: ${delivery.error}; ${next}` };
}
