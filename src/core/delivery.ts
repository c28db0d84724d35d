/** An address that the service will not take, whatever is tried. */
export interface Refused {
  readonly address: string;
  readonly reason: string;
}

/** Why a mail, or a part of it, did not go out. */
export interface DeliveryError {
  readonly message: string;
  /** Whether trying again may help without anybody's doing. */
  readonly retryable: boolean;
  /** `channel`: no other mail gets through either; `size`: the service takes no mail as large as this. */
  readonly scope: "channel" | "size";
  /** The service had the mail and did not answer: it may have gone out all the same. */
  readonly mayBeDelivered: boolean;
}

/** How a delivery ended, for each recipient: every one of them is in exactly one of the three lists. */
export interface Delivery {
  readonly confirmed: readonly string[];
  readonly refused: readonly Refused[];
  /** Not told yet. */
  readonly pending: readonly string[];
  /** The service's own ids of the messages that it took. */
  readonly messageIds: readonly string[];
  /** Why some are pending; undefined when none is. */
  readonly error: DeliveryError | undefined;
}

/** Nobody was told, and nobody in particular is to blame. */
export function undelivered(recipients: readonly string[], trouble: DeliveryError): Delivery {
  return { confirmed: [], refused: [], pending: recipients, messageIds: [], error: trouble };
}

/** What a delivery means for the record and for people. */
export interface Verdict {
  /** `partial`: somebody was told, but not everybody. */
  readonly outcome: "delivered" | "partial" | "failed";
  /** Undefined when everybody was told. */
  readonly error: string | undefined;
  readonly retryable: boolean | undefined;
}

/** Counts a mail as sent once anybody was told, and as well only when everybody was. */
export function judgeDelivery({ confirmed, refused, pending, error: trouble }: Delivery): Verdict {
  const reasons = [...(trouble === undefined ? [] : [trouble.message]), ...refusals(refused)];
  if (reasons.length === 0) return { outcome: "delivered", error: undefined, retryable: undefined };
  const error = reasons.join("; ");
  const retryable = trouble?.retryable ?? false;
  if (confirmed.length === 0) return { outcome: "failed", error, retryable };
  return { outcome: "partial", error, retryable: pending.length > 0 && retryable };
}

/** What to tell people about a delivery, one text for each thing to do; none when all is well. */
export function deliveryErrors(delivery: Delivery): readonly string[] {
  const { confirmed, refused, pending, error: trouble } = delivery;
  const { outcome, error, retryable } = judgeDelivery(delivery);
  if (outcome === "delivered") return [];
  if (outcome === "failed") {
    const next = retryable
      ? "the next tick tries again"
      : "it needs somebody to look; every tick tries again";
    return [`mail not sent: ${error}; ${next}`];
  }
  const of = `${confirmed.length} of ${confirmed.length + refused.length + pending.length}`;
  const errors: string[] = [];
  if (refused.length > 0)
    errors.push(
      `mail sent to ${of} recipients; ${refusals(refused).join("; ")}; correct or remove the address in the alarm's recipients or its team`,
    );
  if (trouble !== undefined)
    errors.push(
      `mail sent to ${of} recipients; not yet to ${listed(pending)}: ${trouble.message}; the next tick tries these again`,
    );
  return errors;
}

/** The refused addresses, those with the same reason together. */
function refusals(refused: readonly Refused[]): readonly string[] {
  const byReason = new Map<string, string[]>();
  for (const { address, reason } of refused)
    byReason.set(reason, [...(byReason.get(reason) ?? []), address]);
  return [...byReason].map(([reason, addresses]) => `${reason} (refused: ${listed(addresses)})`);
}

const SHOWN = 5;

/** A few addresses by name, the others by their number. */
export function listed(addresses: readonly string[]): string {
  const more = addresses.length - SHOWN;
  const shown = addresses.slice(0, SHOWN).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}
