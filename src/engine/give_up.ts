import type { OpenNotification } from "../core/notification.ts";
import type { Transaction } from "../store/database.ts";
import { closeNotification } from "../store/notifications.ts";
import { forgetUnsent } from "../store/stamps.ts";

/**
 * Records that a notification is not tried any more. What has cleared is given up with it, unless it goes to other
 * recipients.
 */
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
  if (reason !== "no longer recipients of the alarm")
    await forgetUnsent(tx, row.clearedEventIds, row.channel, now);
}
