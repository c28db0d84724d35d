import type { OpenNotification } from "../core/notification.ts";
import type { Transaction } from "../store/database.ts";
import { forgetUnsent } from "../store/events.ts";
import { closeNotification } from "../store/notifications.ts";

/** Records that a notification is not tried any more, so that the channel does not have to hear of the clears in it. */
export async function giveUp(
  tx: Transaction,
  row: OpenNotification,
  reason: string,
  now: number,
): Promise<void> {
  const { refused, messageIds, unknown, pending } = row;
  const isPartial = pending.length > 0;
  const result = {
    state: "given_up",
    outcome: isPartial ? "partial" : "failed",
    refused,
    pending: [],
    givenUp: isPartial ? pending : row.recipients,
    messageIds,
    unknown,
    notBefore: undefined,
    error: `gave up, ${reason}: ${row.error}`,
    retryable: false,
  } as const;
  await closeNotification(tx, row.id, result, now);
  // Others may be the recipients now: they get the clears in the next notification.
  if (reason !== "no longer recipients of the alarm")
    await forgetUnsent(tx, row.clearedEventIds, row.channel, now);
}
