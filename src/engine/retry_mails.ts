import { type Delivery, judgeDelivery } from "../core/delivery.ts";
import type { AlarmRow } from "../core/model.ts";
import { givenUpError, type PendingMail, planPending, retryErrors } from "../core/pending.ts";
import type { UnknownAttempts } from "../core/repeats.ts";
import { storedMessage } from "../message/render.ts";
import { beginRetry, closeNotification, pendingMails } from "../store/notifications.ts";
import type { DeliverFacts } from "./deliver.ts";

export interface MailFacts extends DeliverFacts {
  /** Resolved addresses. */
  readonly recipients: readonly string[];
  readonly mailConfigured: boolean;
}

/**
 * Delivers the alarm's earlier mails to the recipients that they have not reached yet. Returns what went
 * wrong.
 */
export async function retryMails(alarm: AlarmRow, facts: MailFacts): Promise<readonly string[]> {
  const errors: string[] = [];
  for (const mail of await pendingMails(facts.db, alarm.entryId))
    errors.push(...(await retryMail(alarm, mail, facts)));
  return errors;
}

async function retryMail(
  alarm: AlarmRow,
  mail: PendingMail,
  { db, mailing, run: { now, clock, clockCheck }, recipients, mailConfigured }: MailFacts,
): Promise<readonly string[]> {
  // A clock in doubt must not make the mail look old.
  const facts = { mail, mailOn: alarm.enabled, mailConfigured, recipients };
  const plan = planPending({ ...facts, now: Math.min(now, clockCheck.certainAt) });
  if (plan.kind === "wait") return [];
  if (plan.kind === "give up") {
    const { messageIds, refused, unknown, pending: givenUp } = mail;
    const error = `gave up, ${plan.reason}: ${mail.error}`;
    const left = { refused, pending: [], givenUp, unknown };
    const result = { outcome: "partial", messageIds, ...left, error, retryable: false } as const;
    await db.transaction((tx) => closeNotification(tx, mail.id, result, clock()));
    return plan.reason === "waited for 24 hours" ? [givenUpError(mail)] : [];
  }
  const channel = await mailing.channel();
  if (channel === undefined) return [];
  return await mailing.inTurn(async () => {
    const unknown = { count: (mail.unknown?.count ?? 0) + 1, last: clock() };
    await db.transaction((tx) => beginRetry(tx, mail, unknown));
    const record = async (delivery: Delivery, attempts?: UnknownAttempts): Promise<void> => {
      const refused = [...mail.refused, ...delivery.refused];
      const { pending } = delivery;
      const givenUp = mail.pending.filter((address) => !plan.to.includes(address));
      const { error, retryable } = judgeDelivery(delivery);
      const outcome =
        pending.length + refused.length + givenUp.length === 0 ? "delivered" : "partial";
      const messageIds = [...mail.messageIds, ...delivery.messageIds];
      const left = { refused, pending, givenUp, unknown: attempts };
      const result = { outcome, messageIds, ...left, error, retryable } as const;
      await db.transaction((tx) => closeNotification(tx, mail.id, result, clock()));
    };
    const delivery = await mailing.deliver(
      channel,
      {
        ...storedMessage(mail.subject, mail.text, mail.unknown !== undefined),
        alarm: alarm.entryId,
        time: now,
        recipients: plan.to,
      },
      (soFar) => record(soFar, { count: 1, last: clock() }),
    );
    await record(delivery, delivery.error?.mayBeDelivered === true ? unknown : mail.unknown);
    return retryErrors(mail, delivery);
  });
}
