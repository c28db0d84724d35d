import { CORRECT_ADDRESS, type Delivery, judgeDelivery, listed } from "./delivery.ts";
import { mailbox } from "./recipients.ts";
import { isPaused, type UnknownAttempts } from "./repeats.ts";

/** Seconds after the first attempt. */
const GIVE_UP_AFTER = 24 * 3600;

/** A mail that was sent to some of its recipients, and not yet to others. */
export interface PendingMail extends Pick<Delivery, "pending" | "refused" | "messageIds"> {
  /** UUID of its notification row. */
  readonly id: string;
  readonly subject: string;
  readonly text: string;
  readonly attemptedAt: number;
  readonly attempts: number;
  readonly error: string;
  /** Attempts that may have reached some of those that are pending. */
  readonly unknown: UnknownAttempts | undefined;
}

export type PendingPlan =
  | { readonly kind: "deliver"; readonly to: readonly string[]; readonly reason: "still pending" }
  | {
      readonly kind: "wait";
      readonly reason: "mail is off" | "mail is not configured" | "may have been mailed";
    }
  | {
      readonly kind: "give up";
      readonly reason: "waited for 24 hours" | "no longer recipients of the alarm";
    };

export interface PendingFacts {
  readonly mail: PendingMail;
  readonly mailOn: boolean;
  readonly mailConfigured: boolean;
  /** The alarm's addresses now. */
  readonly recipients: readonly string[];
  readonly now: number;
}

/** Decides which recipients a pending mail is still sent to: those that the alarm still has. */
export function planPending(facts: PendingFacts): PendingPlan {
  const { mail, mailOn, mailConfigured, recipients, now } = facts;
  if (now - mail.attemptedAt >= GIVE_UP_AFTER)
    return { kind: "give up", reason: "waited for 24 hours" };
  if (!mailOn) return { kind: "wait", reason: "mail is off" };
  if (!mailConfigured) return { kind: "wait", reason: "mail is not configured" };
  if (isPaused(mail.unknown, now)) return { kind: "wait", reason: "may have been mailed" };
  const current = new Set(recipients.map((address) => address.toLowerCase()));
  const to = mail.pending.filter((typed) => current.has((mailbox(typed) ?? typed).toLowerCase()));
  if (to.length === 0) return { kind: "give up", reason: "no longer recipients of the alarm" };
  return { kind: "deliver", to, reason: "still pending" };
}

/** The errors to report about another attempt at a pending mail. */
export function retryErrors(mail: PendingMail, delivery: Delivery): readonly string[] {
  const { error, retryable } = judgeDelivery(delivery);
  if (error === undefined) return [];
  const name = `the mail ${JSON.stringify(mail.subject)}`;
  if (delivery.pending.length === 0) return [`${name} was refused: ${error}; ${CORRECT_ADDRESS}`];
  const waits = mail.unknown !== undefined && delivery.error?.mayBeDelivered === true;
  const usual = retryable ? "every tick" : "fix the cause; every tick";
  const next = waits ? "after a pause the engine" : usual;
  return [
    `${name} not yet sent to ${listed(delivery.pending)} after ${mail.attempts + 1} attempts: ${error}; ${next} tries again, for 24 hours`,
  ];
}

export function givenUpError(mail: PendingMail): string {
  return `gave up sending the mail ${JSON.stringify(mail.subject)} to ${listed(mail.pending)} after 24 hours: ${mail.error}; inform them, and check the mail service`;
}
