import { type Delivery, judgeDelivery, type Refused } from "./delivery.ts";
import { MAX_DELAY, type NotificationState, type OpenNotification } from "./notification.ts";
import { repeatPause, type UnknownAttempts } from "./repeats.ts";

/** What an attempt made of a notification. */
export interface Attempted {
  readonly state: NotificationState;
  readonly outcome: "delivered" | "partial" | "failed";
  readonly refused: readonly Refused[];
  /** Only of one that has reached others. */
  readonly pending: readonly string[];
  readonly messageIds: readonly string[];
  readonly unknown: UnknownAttempts | undefined;
  /** Epoch seconds of the next attempt; undefined once there is none. */
  readonly notBefore: number | undefined;
  readonly error: string | undefined;
  readonly retryable: boolean | undefined;
}

export type Earlier = Pick<OpenNotification, "refused" | "messageIds" | "unknown"> & {
  /** Whether it has reached some of its recipients. */
  readonly isPartial: boolean;
  /** Recipients that are no longer tried. */
  readonly givenUp: readonly string[];
};

/** The state of a notification after an attempt at `now`; `earlier` is what attempts before had reached. */
export function judgeAttempt(delivery: Delivery, earlier: Earlier, now: number): Attempted {
  const { confirmed, pending, error } = delivery;
  // Without `isPartial`, all of its recipients were attempted again.
  const refused = [...(earlier.isPartial ? earlier.refused : []), ...delivery.refused];
  const messageIds = [...earlier.messageIds, ...delivery.messageIds];
  const judged = judgeDelivery({ ...delivery, refused });
  const { error: text, retryable } = judged;
  const shared = { refused, messageIds, error: text, retryable };
  const reached = earlier.isPartial || confirmed.length > 0;
  if (pending.length === 0 && (reached || refused.length === 0)) {
    const missed = refused.length + earlier.givenUp.length;
    const outcome = missed === 0 ? "delivered" : "partial";
    return {
      ...shared,
      state: outcome,
      outcome,
      pending,
      unknown: earlier.unknown,
      notBefore: undefined,
    };
  }
  const isUnknown = error?.mayBeDelivered === true;
  const unknownBefore = confirmed.length > 0 ? 0 : (earlier.unknown?.count ?? 0);
  const unknown = isUnknown ? { count: unknownBefore + 1, last: now } : earlier.unknown;
  const delay = isUnknown
    ? repeatPause(unknown?.count ?? 1)
    : Math.min(error?.retryAfter ?? 0, MAX_DELAY);
  const notBefore = now + delay;
  if (reached)
    return { ...shared, state: "partial", outcome: "partial", pending, unknown, notBefore };
  const state = isUnknown ? "unknown" : error?.retryAfter === undefined ? "failed" : "queued";
  return { ...shared, state, outcome: "failed", pending: [], unknown, notBefore };
}

/** The same of a notification that is attempted once: it waits for nothing. */
export function withoutRepeat(attempted: Attempted): Attempted {
  const state = attempted.state === "queued" ? "failed" : attempted.state;
  return { ...attempted, state, pending: [], notBefore: undefined };
}
