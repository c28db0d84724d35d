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
   * `channel`: no other mail can be sent either; `size`: the service rejects mail as large as this; `message`: it
   * rejects this one.
   */
  readonly scope: "channel" | "size" | "message";
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

/** The errors to report, one for each thing to do. A repeat that may have been delivered is followed by a pause. */
export function deliveryErrors(delivery: Delivery, isRepeat = false): readonly string[] {
  const { confirmed, refused, pending, error } = delivery;
  const state = judgeDelivery(delivery);
  const usual = state.retryable ? "the next tick" : "fix the cause; every tick";
  if (state.outcome === "failed") {
    const waits = isRepeat && error?.mayBeDelivered === true;
    const next = waits ? "after a pause the engine" : usual;
    return [`mail not sent: ${state.error}; ${next} tries again`];
  }
  const total = confirmed.length + refused.length + pending.length;
  const sent = `mail sent to ${confirmed.length} of ${total} recipients`;
  const errors: string[] = [];
  if (refused.length > 0)
    errors.push(`${sent}; ${refusedTexts(refused).join("; ")}; ${CORRECT_ADDRESS}`);
  if (error !== undefined)
    errors.push(
      `${sent}; not yet to ${listed(pending)}: ${error.message}; ${usual} tries these again`,
    );
  return errors;
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
