import { utcMinute } from "../text/utc.ts";
import { EMAIL } from "./alarm_channels.ts";

/** An address that the service rejects for good. */
export interface Refused {
  readonly address: string;
  readonly reason: string;
}

/** Why a mail was not sent to some or all of its recipients. */
export interface DeliveryError {
  readonly message: string;
  /** Whether a later tick may succeed without a correction. */
  readonly retryable: boolean;
  /**
   * `channel`: no other notification can be sent either; `notification`: it is about this one alone; `size`: the service
   * rejects what is as large as this.
   */
  readonly scope: "channel" | "notification" | "size";
  /** The service may have accepted the mail although it did not confirm it. */
  readonly mayBeDelivered: boolean;
  /** Seconds for which the service accepts nothing more; undefined if it did not say so. */
  readonly retryAfter?: number | undefined;
}

/** The result of a delivery; each recipient is in one of the first three lists. */
export interface Delivery {
  readonly confirmed: readonly string[];
  readonly refused: readonly Refused[];
  /** To be sent later. */
  readonly pending: readonly string[];
  /** The service's ids of the messages that it accepted. */
  readonly messageIds: readonly string[];
  /** Why some are pending; undefined if none is. */
  readonly error: DeliveryError | undefined;
}

export function delivered(
  recipients: readonly string[],
  messageIds: readonly string[] = [],
): Delivery {
  return { confirmed: recipients, refused: [], pending: [], messageIds, error: undefined };
}

export function undelivered(recipients: readonly string[], error: DeliveryError): Delivery {
  return { confirmed: [], refused: [], pending: recipients, messageIds: [], error };
}

/** Why the rest is pending while the next call is made: this is on record if the engine ends in it. */
export const UNFINISHED: DeliveryError = {
  message: "the engine ended before the rest was sent",
  retryable: true,
  scope: "channel",
  mayBeDelivered: true,
};

/** The state of a delivery, for its record. `partial`: sent to some of the recipients. */
export function judgeDelivery({ confirmed, refused, error }: Delivery) {
  const reasons = [...(error === undefined ? [] : [error.message]), ...refusedTexts(refused)];
  if (reasons.length === 0)
    return { outcome: "delivered", error: undefined, retryable: undefined } as const;
  const outcome = confirmed.length === 0 ? "failed" : "partial";
  return { outcome, error: reasons.join("; "), retryable: error?.retryable ?? false } as const;
}

/** A notification, for messages. */
export interface Named {
  /** The channel. */
  readonly channel: string;
  readonly subject: string;
  /** Attempts, this one included. */
  readonly attempts: number;
  /** When the next attempt is made at the earliest, if not in the next tick; epoch seconds. */
  readonly notBefore: number | undefined;
  /** Whether earlier attempts have reached some of its recipients. */
  readonly isPartial?: boolean;
}

/** The errors to report about an attempt, one for each thing to do. */
export function deliveryErrors(delivery: Delivery, named: Named): readonly string[] {
  const { confirmed, refused, pending, error } = delivery;
  const state = judgeDelivery(delivery);
  if (state.outcome === "delivered") return [];
  const what = nameOf(named);
  const next = nextAttempt(state.retryable, named.notBefore);
  const left = named.isPartial === true ? ` yet sent to ${listed(pending)}` : " sent";
  if (state.outcome === "failed") return [`${what} not${left}: ${state.error}; ${next}`];
  const total = confirmed.length + refused.length + pending.length;
  const sent = `${what} sent to ${confirmed.length} of ${total} recipients`;
  const errors: string[] = [];
  if (refused.length > 0)
    errors.push(`${sent}; ${refusedTexts(refused).join("; ")}; ${CORRECT_ADDRESS}`);
  if (error !== undefined)
    errors.push(
      `${sent}; not yet to ${listed(pending)}: ${error.message}; ${next.replace("tries again", "tries these again")}`,
    );
  return errors;
}

function nameOf({ channel, subject, attempts }: Named): string {
  const what = kindOf({ channel });
  return attempts > 1 ? `the ${what} ${JSON.stringify(subject)} (attempt ${attempts})` : what;
}

function kindOf({ channel }: Pick<Named, "channel">): string {
  return channel === EMAIL ? "mail" : `notification on ${channel}`;
}

function nextAttempt(retryable: boolean, notBefore: number | undefined): string {
  if (notBefore !== undefined) return `the engine tries again after ${utcMinute(notBefore)}`;
  return retryable ? "the next tick tries again" : "fix the cause; every tick tries again";
}

/** What to report of a notification that did not reach all recipients in 24 hours. */
export function givenUpError(named: Named, to: readonly string[], error: string): string {
  return `gave up sending the ${kindOf(named)} ${JSON.stringify(named.subject)} to ${listed(to)} after 24 hours: ${error}; inform them, and check the service`;
}

export const CORRECT_ADDRESS =
  "correct or remove the address in the alarm's recipients or its team";

function refusedTexts(refused: readonly Refused[]): readonly string[] {
  const byReason = new Map<string, string[]>();
  for (const { address, reason } of refused)
    byReason.set(reason, [...(byReason.get(reason) ?? []), address]);
  return [...byReason].map(([reason, addresses]) => `${reason} (refused: ${listed(addresses)})`);
}

/** The first five addresses and the number of the others. */
export function listed(addresses: readonly string[]): string {
  const shown = addresses.slice(0, 5).join(", ");
  return addresses.length > 5 ? `${shown} and ${addresses.length - 5} more` : shown;
}
