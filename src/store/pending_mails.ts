import { array, fallback, number, object, safeParse, string } from "valibot";
import type { PendingMail } from "../core/pending.ts";
import type { Queryable } from "./database.ts";
import { jsonText } from "./entry.ts";
import { PENDING_MAIL } from "./unsent.ts";

const addresses = fallback(array(string()), []);

const PendingRow = object({
  id: string(),
  title: string(),
  content: string(),
  data: object({
    attempted_at: number(),
    attempts: fallback(number(), 1),
    recipients: addresses,
    pending: addresses,
    refused: fallback(array(object({ address: string(), reason: string() })), []),
    message_ids: addresses,
    error: fallback(string(), ""),
  }),
});

/** An alarm's mails that have yet to reach some of their recipients, oldest first. */
export async function pendingMails(db: Queryable, alarm: string): Promise<readonly PendingMail[]> {
  const rows = await db.query(
    `SELECT id, title, content, data FROM entry
     WHERE ${PENDING_MAIL} AND data->>'alarm' = $1
     ORDER BY timestamp_created, id`,
    [alarm],
  );
  // What somebody has changed beyond reading is no mail that can be finished.
  return rows.flatMap((row) => {
    const parsed = safeParse(PendingRow, row);
    if (!parsed.success) return [];
    const { id, title, content, data } = parsed.output;
    return [
      {
        id,
        subject: title,
        text: content,
        attemptedAt: data.attempted_at,
        attempts: data.attempts,
        pending: data.pending,
        refused: data.refused,
        messageIds: data.message_ids,
        error: data.error,
      },
    ];
  });
}

/** Records that another attempt is made, before it is: dying in it can repeat the mail to these few. */
export async function beginRetry(
  db: Queryable,
  { id, attempts }: Pick<PendingMail, "id" | "attempts">,
  now: number,
): Promise<void> {
  const data = { attempts: attempts + 1, retry: "unknown", retried_at: now };
  await db.query(
    `UPDATE entry SET data = data || $2::text::jsonb, timestamp_modified = $3 WHERE id = $1`,
    [id, jsonText(data), now],
  );
}

/** What has become of a mail that was pending. */
export interface PendingResult {
  readonly outcome: "delivered" | "partial";
  readonly messageIds: PendingMail["messageIds"];
  readonly refused: PendingMail["refused"];
  /** Empty when nobody waits any more. */
  readonly pending: readonly string[];
  /** Addresses that were waited for in vain. */
  readonly givenUp: readonly string[];
  readonly error: string | undefined;
  readonly retryable: boolean | undefined;
}

/** Records it on the mail's own row. */
export async function closeRetry(
  db: Queryable,
  id: string,
  result: PendingResult,
  now: number,
): Promise<void> {
  const data = {
    outcome: result.outcome,
    finished_at: now,
    message_ids: result.messageIds,
    ...(result.refused.length === 0 ? {} : { refused: result.refused }),
    ...(result.pending.length === 0 ? {} : { pending: result.pending }),
    ...(result.givenUp.length === 0 ? {} : { given_up: result.givenUp }),
    ...(result.error === undefined ? {} : { error: result.error }),
    ...(result.retryable === undefined ? {} : { retryable: result.retryable }),
  };
  await db.query(
    `UPDATE entry SET data = (data - ARRAY['pending', 'retry', 'error', 'retryable']) || $2::text::jsonb,
                      timestamp_modified = $3
     WHERE id = $1`,
    [id, jsonText(data), now],
  );
}
