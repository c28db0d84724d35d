import { type Delivery, judgeDelivery, listed, type Refused } from "./delivery.ts";

/** How long a mail is tried for those that it did not reach. */
export const PATIENCE = 24 * 3600;

/** A mail that reached some of its recipients, and has yet to reach others. */
export interface PendingMail {
  /** UUID of its notification row. */
  readonly id: string;
  readonly subject: string;
  readonly text: string;
  readonly attemptedAt: number;
  readonly attempts: number;
  readonly pending: readonly string[];
  readonly refused: readonly Refused[];
  readonly messageIds: readonly string[];
  /** Why it did not reach them. */
  readonly error: string;
}

export type PendingPlan =
  | { readonly kind: "deliver"; readonly to: readonly string[]; readonly reason: "still pending" }
  | { readonly kind: "wait"; readonly reason: "mail is off" | "mail is not configured" }
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

/** Whom an unfinished mail still goes to. Nobody gets it who was taken off the alarm meanwhile. */
export function planPending(facts: PendingFacts): PendingPlan {
  const { mail, mailOn, mailConfigured, recipients, now } = facts;
  if (now - mail.attemptedAt >= PATIENCE) return { kind: "give up", reason: "waited for 24 hours" };
  if (!mailOn) return { kind: "wait", reason: "mail is off" };
  if (!mailConfigured) return { kind: "wait", reason: "mail is not configured" };
  const current = new Set(recipients.map((address) => address.toLowerCase()));
  const to = mail.pending.filter((address) => current.has(address.toLowerCase()));
  if (to.length === 0) return { kind: "give up", reason: "no longer recipients of the alarm" };
  return { kind: "deliver", to, reason: "still pending" };
}

/** What to tell people about an earlier mail that was tried again; none when all is well now. */
export function retryErrors(mail: PendingMail, delivery: Delivery): readonly string[] {
  const { error } = judgeDelivery(delivery);
  if (error === undefined) return [];
  const name = `the mail ${JSON.stringify(mail.subject)}`;
  if (delivery.pending.length === 0)
    return [
      `${name} is refused for good: ${error}; correct or remove the address in the alarm's recipients or its team`,
    ];
  return [
    `${name} has not reached ${listed(delivery.pending)} after ${mail.attempts + 1} attempts: ${error}; every tick tries again, for 24 hours`,
  ];
}

/** What to tell people about a mail that is given up. */
export function givenUpError(mail: PendingMail): string {
  return `gave up the mail ${JSON.stringify(mail.subject)} for ${listed(mail.pending)} after 24 hours: ${mail.error}; tell them, and look at the mail service`;
}
