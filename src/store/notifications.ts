import { randomUUID } from "node:crypto";
import { safeText } from "../core/json.ts";
import type { Queryable } from "./database.ts";
import { ALARMS_CONTEXT, entryTitle, jsonText } from "./entry.ts";

/** One attempt to deliver a bundle, before it is made. */
export interface NewNotification {
  /** The alarm's `entry_id`. */
  readonly alarm: string;
  /** Id of the engine run. */
  readonly runId: string;
  readonly channel: string;
  readonly subject: string;
  /** The mail's text, so that the record can be read without the mail. */
  readonly text: string;
  readonly recipients: readonly string[];
  readonly newEventIds: readonly string[];
  readonly continuingEventIds: readonly string[];
  /** What it is about, where it is no bundle of events. */
  readonly about?: string;
}

/**
 * Records the attempt before it is made: if the engine dies in between, the row says `unknown` instead
 * of nothing. Gives the row's id.
 */
export async function openNotification(
  db: Queryable,
  attempt: NewNotification,
  now: number,
): Promise<string> {
  const id = randomUUID();
  const data = {
    entry_id: `notification_${attempt.alarm}`,
    alarm: attempt.alarm,
    run_id: attempt.runId,
    channel: attempt.channel,
    attempted_at: now,
    recipients: attempt.recipients,
    new_event_ids: attempt.newEventIds,
    continuing_event_ids: attempt.continuingEventIds,
    outcome: "unknown",
    ...(attempt.about === undefined ? {} : { about: attempt.about }),
  };
  await db.query(
    `INSERT INTO entry (id, title, content, kind, name, data, priority, status, archived,
                        timestamp_created, timestamp_modified, deleted_at, parent_id, context_id)
     VALUES ($1, $2, $3, 'notification', NULL, $4::text::jsonb, NULL, 'active', false, $5, $5, NULL, NULL, '${ALARMS_CONTEXT}')`,
    [id, entryTitle(attempt.subject), safeText(attempt.text), jsonText(data), now],
  );
  return id;
}

/** How an attempt ended. */
export interface NotificationResult {
  readonly outcome: "delivered" | "failed";
  /** The service's own ids of the messages, as SES's MessageId. */
  readonly messageIds: readonly string[];
  readonly error: string | undefined;
  /** Whether another attempt may help. */
  readonly retryable: boolean | undefined;
}

/** Records how the attempt ended. */
export async function closeNotification(
  db: Queryable,
  id: string,
  result: NotificationResult,
  now: number,
): Promise<void> {
  const data = {
    outcome: result.outcome,
    finished_at: now,
    message_ids: result.messageIds,
    ...(result.error === undefined ? {} : { error: result.error }),
    ...(result.retryable === undefined ? {} : { retryable: result.retryable }),
  };
  await db.query(
    `UPDATE entry SET data = data || $2::text::jsonb, status = 'done', timestamp_modified = $3 WHERE id = $1`,
    [id, jsonText(data), now],
  );
}
