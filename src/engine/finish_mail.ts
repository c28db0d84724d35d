import { judgeDelivery } from "../core/delivery.ts";
import type { AlarmRow } from "../core/model.ts";
import { givenUpError, type PendingMail, planPending, retryErrors } from "../core/pending.ts";
import { storedMessage } from "../message/render.ts";
import type { Database } from "../store/database.ts";
import { beginRetry, closeRetry, pendingMails } from "../store/pending_mails.ts";
import type { UnsentMail } from "../store/unsent.ts";
import type { Mailing } from "./mailing.ts";

export interface MailFacts {
  readonly alarm: AlarmRow;
  /** Resolved addresses. */
  readonly recipients: readonly string[];
  readonly mailing: Mailing;
  readonly owedMail: UnsentMail;
  readonly mailConfigured: boolean;
  readonly now: number;
  /** Epoch seconds at this moment, for the record. */
  readonly clock: () => number;
}

/**
 * Delivers the alarm's earlier mails to those that they have not reached, before there is a new one.
 * Who has them gets no second copy. Gives what went wrong, in words.
 */
export async function finishMails(db: Database, facts: MailFacts): Promise<readonly string[]> {
  if (!facts.owedMail.hasPending(facts.alarm.entryId)) return [];
  const errors: string[] = [];
  for (const mail of await pendingMails(db, facts.alarm.entryId))
    errors.push(...(await finishMail(db, mail, facts)));
  return errors;
}

async function finishMail(
  db: Database,
  mail: PendingMail,
  facts: MailFacts,
): Promise<readonly string[]> {
  const plan = planPending({
    mail,
    mailOn: facts.alarm.enabled,
    mailConfigured: facts.mailConfigured,
    recipients: facts.recipients,
    now: facts.now,
  });
  switch (plan.kind) {
    case "wait":
      return [];
    case "give up":
      await giveUp(db, mail, plan.reason, facts.clock());
      return plan.reason === "waited for 24 hours" ? [givenUpError(mail)] : [];
    case "deliver":
      return await facts.mailing.inTurn(() => retry(db, mail, plan.to, facts));
  }
}

async function giveUp(db: Database, mail: PendingMail, reason: string, now: number): Promise<void> {
  await closeRetry(
    db,
    mail.id,
    {
      outcome: "partial",
      messageIds: mail.messageIds,
      refused: mail.refused,
      pending: [],
      givenUp: mail.pending,
      error: `gave up, ${reason}: ${mail.error}`,
      retryable: false,
    },
    now,
  );
}

async function retry(
  db: Database,
  mail: PendingMail,
  to: readonly string[],
  { alarm, mailing, now, clock }: MailFacts,
): Promise<readonly string[]> {
  const channel = await mailing.channel();
  if (channel === undefined) return [];
  await beginRetry(db, mail, clock());
  const delivery = await mailing.deliver(channel, {
    ...storedMessage(mail.subject, mail.text),
    alarm: alarm.entryId,
    time: now,
    recipients: to,
  });
  const { error, retryable } = judgeDelivery(delivery);
  const refused = [...mail.refused, ...delivery.refused];
  const givenUp = mail.pending.filter((address) => !to.includes(address));
  const isWhole = delivery.pending.length + refused.length + givenUp.length === 0;
  await closeRetry(
    db,
    mail.id,
    {
      outcome: isWhole ? "delivered" : "partial",
      messageIds: [...mail.messageIds, ...delivery.messageIds],
      refused,
      pending: delivery.pending,
      givenUp,
      error,
      retryable,
    },
    clock(),
  );
  return retryErrors(mail, delivery);
}
