import { randomUUID } from "node:crypto";
import type { Refused } from "../core/delivery.ts";
import { safeText } from "../text/json.ts";
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
  /** Events that were over already. */
  readonly clearedEventIds: readonly string[];
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
    cleared_event_ids: attempt.clearedEventIds,
    attempts: 1,
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
  /** `partial`: some recipients were told, others were not. */
  readonly outcome: "delivered" | "partial" | "failed";
  /** The service's own ids of the messages, as SES's MessageId. */
  readonly messageIds: readonly string[];
  /** Addresses that the service will not take. */
  readonly refused: readonly Refused[];
  /** Addresses that later ticks deliver this mail to; none where nobody was told. */
  readonly pending: readonly string[];
  readonly error: string | undefined;
  /** Whether another attempt may help. */
  readonly retryable: boolean | undefined;
  /** The service did not answer, so the mail may have gone out all the same. */
  readonly mayBeSent: boolean;
  /** The text that went out instead, where the service found the first one too large. */
  readonly shortened: string | undefined;
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
    ...(result.refused.length === 0 ? {} : { refused: result.refused }),
    ...(result.pending.length === 0 ? {} : { pending: result.pending }),
    ...(result.error === undefined ? {} : { error: result.error }),
    ...(result.retryable === undefined ? {} : { retryable: result.retryable }),
    ...(result.mayBeSent ? { may_have_been_sent: true } : {}),
    ...(result.shortened === undefined ? {} : { shortened: true }),
  };
  await db.query(
    `UPDATE entry SET data = data || $2::text::jsonb, status = 'done', timestamp_modified = $3,
                      content = COALESCE($4, content)
     WHERE id = $1`,
    [id, jsonText(data), now, result.shortened === undefined ? null : safeText(result.shortened)],
  );
}

/** Mails that are looked at for one whose fate nobody knows; older ones than these are history. */
const LOOKED_AT = 20;

/**
 * Those of the events that a mail of unknown fate names: it may have gone out before the engine died,
 * lost its database, or got no answer. `since` is when the first of them fired.
 */
export async function maybeMailed(
  db: Queryable,
  alarm: string,
  eventIds: readonly string[],
  since: number,
): Promise<ReadonlySet<string>> {
  if (eventIds.length === 0) return new Set();
  const rows = await db.query(
    `SELECT DISTINCT named.id
     FROM (SELECT data FROM entry
           WHERE context_id = '${ALARMS_CONTEXT}' AND kind = 'notification'
             AND timestamp_created >= $3 AND data->>'alarm' = $1
           ORDER BY timestamp_created DESC LIMIT ${LOOKED_AT}) AS attempt
     CROSS JOIN LATERAL jsonb_array_elements_text(
       jsonb_path_query_array(attempt.data, '$.new_event_ids[*]')
       || jsonb_path_query_array(attempt.data, '$.continuing_event_ids[*]')
       || jsonb_path_query_array(attempt.data, '$.cleared_event_ids[*]')) AS named(id)
     WHERE (attempt.data->>'outcome' IN ('unknown', 'interrupted')
            OR attempt.data->>'may_have_been_sent' = 'true')
       AND named.id = ANY($2::text[])`,
    [alarm, eventIds, since],
  );
  return new Set(rows.map(({ id }) => String(id)));
}
