import { EMAIL } from "../core/alarm_channels.ts";
import type { Attempted } from "../core/attempt.ts";
import type { Bundle } from "../core/bundle.ts";
import type { OpenNotification } from "../core/notification.ts";
import { repeatPause } from "../core/repeats.ts";
import { safeText } from "../text/json.ts";
import type { Transaction } from "./database.ts";
import { ALARMS_CONTEXT, insertEntries, jsonText, numberAt } from "./entry.ts";

/** The SQL condition of notifications. */
export const NOTIFICATION = `kind = 'notification' AND context_id = '${ALARMS_CONTEXT}'`;
/**
 * The condition of the partial index on open ones; earlier versions wrote `pending` alone. Statements repeat it so that
 * Postgres can use the index.
 */
export const OPEN = `${NOTIFICATION} AND data ?| '{not_before,pending}'`;

/** The SQL text of a notification's channel; rows of earlier versions have the type of the provider there. */
export const CHANNEL = `CASE WHEN data ? 'state' THEN data->>'channel' ELSE '${EMAIL}' END`;

/** The text is that of a mail, so that the record can be read without the channel. */
type Named = Pick<
  OpenNotification,
  | "id"
  | "channel"
  | "composedAt"
  | "to"
  | "own"
  | "recipients"
  | "newEventIds"
  | "continuingEventIds"
  | "clearedEventIds"
  | "subject"
  | "text"
>;

/** A notification before its first attempt. */
export interface NewNotification extends Named {
  /** The alarm's `entry_id`. */
  readonly alarm: string;
  /** Id of the engine run; undefined for a test of the channel. */
  readonly runId: string | undefined;
  /** The type of the channel. */
  readonly type: string;
  readonly bundle: Bundle;
  /** Open ones that it replaces. */
  readonly supersedes: readonly string[];
  /** Attempts of these with an unknown result. */
  readonly unknownBefore: number;
}

/** Records a notification before its first attempt: if the engine dies in between, the row says `unknown`. */
export async function openNotification(
  tx: Transaction,
  notification: NewNotification,
  now: number,
): Promise<void> {
  const { id, alarm, runId, channel, type, bundle } = notification;
  const data = {
    entry_id: `notification_${alarm}`,
    alarm,
    run_id: runId,
    channel,
    type,
    composed_at: notification.composedAt,
    attempted_at: now,
    to: notification.to,
    own: notification.own.length === 0 ? undefined : notification.own,
    recipients: notification.recipients,
    new_event_ids: notification.newEventIds,
    continuing_event_ids: notification.continuingEventIds,
    cleared_event_ids: notification.clearedEventIds,
    ...beginning(now, notification.unknownBefore),
    outcome: "unknown",
    // A test of a channel is never repeated by a tick, which would also say that it was interrupted.
    ...(bundle.isTest ? { about: "test", state: "unknown", not_before: undefined } : { bundle }),
  };
  await insertEntries(tx, { kind: "notification", status: "active", at: now }, [
    { id, title: notification.subject, content: notification.text, data },
  ]);
  if (notification.supersedes.length > 0)
    await supersede(tx, notification.supersedes, { superseded_by: id }, now);
}

/** Ends open notifications that need not be delivered any more. */
export async function supersede(
  tx: Transaction,
  ids: readonly string[],
  why: { readonly superseded_by: string } | { readonly superseded_because: string },
  now: number,
): Promise<void> {
  await tx.query(`${SUPERSEDE} WHERE id = ANY($1::text[])`, [ids, jsonText(why), now]);
}

const SUPERSEDE = `UPDATE entry SET data = data - ARRAY['not_before', 'bundle'] || '{"state": "superseded"}' || $2::text::jsonb, status = 'done', timestamp_modified = $3`;

/**
 * Ends the open notifications that a clock which was ahead has composed, or a tick in the same second: delivered later,
 * they would seem to tell the news of this tick. Their events stay unsent, and are named anew. What has reached some of
 * its recipients is stamped already, and goes to the others.
 */
export async function supersedeAhead(tx: Transaction, now: number): Promise<void> {
  const why = { superseded_because: "the clock was set back" };
  await tx.query(
    `${SUPERSEDE} WHERE ${OPEN} AND NOT data ? 'pending' AND ${numberAt("composed_at")} >= $1::float8`,
    [now, jsonText(why), now],
  );
}

/** What is on record while an attempt is made: that of one whose result stays unknown. */
function beginning(now: number, unknownBefore: number) {
  const unknown = { count: unknownBefore + 1, last: now };
  return {
    state: "sending",
    attempts: 1,
    not_before: now + repeatPause(unknown.count),
    unknown_attempts: unknown,
  };
}

/** Records another attempt before it is made. */
export async function beginAttempt(
  tx: Transaction,
  { id, attempts, unknown, pending }: OpenNotification,
  now: number,
): Promise<void> {
  const data = {
    ...beginning(now, unknown?.count ?? 0),
    attempts: attempts + 1,
    retry: "unknown",
    retried_at: now,
    ...(pending.length === 0 ? { outcome: "unknown" } : {}),
  };
  await tx.query(
    `UPDATE entry SET timestamp_modified = $3, data = data || $2::text::jsonb
       -- A first attempt in the future would keep it from ever being given up.
       || jsonb_build_object('attempted_at', least((data->>'attempted_at')::float8, $3::float8))
     WHERE id = $1`,
    [id, jsonText(data), now],
  );
}

/** Records that the engine died in attempts that are open as if they were still made. */
export async function endInterrupted(tx: Transaction, now: number): Promise<void> {
  await tx.query(
    `UPDATE entry SET data = data || '{"state": "unknown"}', timestamp_modified = $1
     WHERE ${OPEN} AND data->>'state' = 'sending'`,
    [now],
  );
}

/** What is recorded after an attempt. */
export interface NotificationResult extends Attempted {
  /** Addresses that are no longer tried. */
  readonly givenUp: readonly string[];
  /** The text that was sent instead, if the service found the first one too large. */
  readonly shortened?: string | undefined;
}

/** Records how an attempt ended. */
export async function closeNotification(
  tx: Transaction,
  id: string,
  result: NotificationResult,
  now: number,
): Promise<void> {
  const { state, outcome, refused, pending, givenUp, unknown, shortened, notBefore } = result;
  const isOpen = notBefore !== undefined;
  const isDone = !isOpen && state !== "given_up";
  const data = {
    state,
    outcome,
    finished_at: now,
    message_ids: result.messageIds,
    refused: refused.length === 0 ? undefined : refused,
    pending: pending.length === 0 ? undefined : pending,
    given_up: givenUp.length === 0 ? undefined : givenUp,
    error: result.error,
    retryable: result.retryable,
    may_have_been_sent: unknown === undefined || isDone ? undefined : true,
    unknown_attempts: unknown,
    not_before: notBefore,
    shortened: shortened === undefined ? undefined : true,
  };
  // A person may send one again that was given up.
  const removed = isDone ? [...PER_ATTEMPT, "bundle"] : PER_ATTEMPT;
  await tx.query(
    `UPDATE entry SET data = (data - $5::text[]) || $2::text::jsonb,
                      status = $6, timestamp_modified = $3, content = COALESCE($4, content)
     WHERE id = $1`,
    [
      id,
      jsonText(data),
      now,
      shortened === undefined ? null : safeText(shortened),
      removed,
      isOpen ? "active" : "done",
    ],
  );
}

const PER_ATTEMPT = [
  "pending",
  "retry",
  "error",
  "retryable",
  "may_have_been_sent",
  "unknown_attempts",
  "not_before",
];

/** Begins the 24 hours of a notification anew. */
export async function extendNotification(tx: Transaction, id: string, now: number): Promise<void> {
  await tx.query(
    "UPDATE entry SET data = data || jsonb_build_object('since', $2::float8), timestamp_modified = $2 WHERE id = $1",
    [id, now],
  );
}

/**
 * Lets the next tick attempt a notification again, for 24 hours; one that had reached some of its recipients goes to the
 * others alone. Returns whether there is one that can be.
 */
export async function reopenNotification(
  tx: Transaction,
  id: string,
  now: number,
): Promise<boolean> {
  const data = { state: "queued", not_before: now, since: now };
  const rows = await tx.query(
    `UPDATE entry SET status = 'active', timestamp_modified = $3,
       data = (data - 'given_up') || $2::text::jsonb
         || CASE WHEN data->>'outcome' = 'partial' AND NOT data ? 'pending' AND data ? 'given_up'
              THEN jsonb_build_object('pending', data->'given_up') ELSE '{}'::jsonb END
     WHERE id = $1 AND ${NOTIFICATION} AND data ? 'bundle' RETURNING id`,
    [id, jsonText(data), now],
  );
  return rows.length > 0;
}
