import { EMAIL } from "../core/alarm_channels.ts";
import type { Bundle } from "../core/bundle.ts";
import { eventEntryId } from "../core/event_key.ts";
import type { DueItem } from "../core/notice.ts";
import type { Attempted, OpenNotification } from "../core/notification.ts";
import { repeatPause } from "../core/repeats.ts";
import { safeText } from "../text/json.ts";
import type { Queryable, Transaction } from "./database.ts";
import { ALARMS_CONTEXT, insertEntries, jsonText } from "./entry.ts";
import { UNSENT_CLEAR } from "./events.ts";
import { readOpen } from "./open_notification.ts";

/** The SQL condition of notifications. */
export const NOTIFICATION = `kind = 'notification' AND context_id = '${ALARMS_CONTEXT}'`;
/**
 * The condition of the partial index on open ones; earlier versions wrote `pending` alone. Statements repeat it so that
 * Postgres can use the index.
 */
const OPEN = `${NOTIFICATION} AND data ?| '{not_before,pending}'`;

/** A notification before its first attempt. */
export interface NewNotification {
  readonly id: string;
  /** The alarm's `entry_id`. */
  readonly alarm: string;
  /** Id of the engine run; undefined for a test of the channel. */
  readonly runId: string | undefined;
  readonly channel: string;
  /** The type of the channel. */
  readonly type: string;
  /** Epoch seconds of the tick that composed it. */
  readonly composedAt: number;
  readonly to: readonly string[];
  readonly own: readonly string[];
  readonly recipients: readonly string[];
  readonly newEventIds: readonly string[];
  readonly continuingEventIds: readonly string[];
  readonly clearedEventIds: readonly string[];
  readonly subject: string;
  /** As a mail, so that the record can be read without the channel. */
  readonly text: string;
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
    // A test of a channel is never repeated by a tick.
    ...(bundle.isTest === true ? { about: "test", not_before: undefined } : { bundle }),
  };
  await insertEntries(tx, { kind: "notification", status: "active", at: now }, [
    { id, title: notification.subject, content: notification.text, data },
  ]);
  if (notification.supersedes.length > 0)
    await tx.query(
      `UPDATE entry SET data = data - ARRAY['not_before', 'bundle'] || $2::text::jsonb, status = 'done', timestamp_modified = $3
       WHERE id = ANY($1::text[])`,
      [notification.supersedes, jsonText({ state: "superseded", superseded_by: id }), now],
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
    may_have_been_sent: unknown === undefined ? undefined : true,
    unknown_attempts: unknown,
    not_before: notBefore,
    shortened: shortened === undefined ? undefined : true,
  };
  const isOpen = notBefore !== undefined;
  // A person may send one again that was given up.
  const removed = isOpen || state === "given_up" ? PER_ATTEMPT : [...PER_ATTEMPT, "bundle"];
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

/** Lets the next tick attempt a notification again, for 24 hours. Returns whether there is one that can be. */
export async function reopenNotification(tx: Transaction, id: string, now: number) {
  const data = { state: "queued", not_before: now, since: now };
  const rows = await tx.query(
    `UPDATE entry SET status = 'active', timestamp_modified = $3, data = (data - 'given_up') || $2::text::jsonb
       -- Those whom it had reached do not get it again.
       || CASE WHEN data->>'outcome' = 'partial' AND data ? 'given_up'
            THEN jsonb_build_object('pending', data->'given_up') ELSE '{}' END
     WHERE id = $1 AND ${NOTIFICATION} AND data ? 'bundle' RETURNING id`,
    [id, jsonText(data), now],
  );
  return rows.length > 0;
}

/**
 * Of these events, those that a notification on the channel names which may have been delivered: the engine died
 * while it was sent, or its response was lost. Only attempts after an event's last delivered one count.
 */
export async function maybeNotified(
  db: Queryable,
  { alarm, channel }: { readonly alarm: string; readonly channel: string },
  items: readonly DueItem[],
  now: number,
): Promise<ReadonlySet<string>> {
  if (items.length === 0) return new Set();
  const begins = items.map(({ notices: { notified }, fireTime }) => {
    const last = Object.hasOwn(notified, channel) ? notified[channel] : undefined;
    // An event that began while the clock was ahead seems younger than its notifications.
    return last === undefined || last > now ? Math.min(fireTime, now - 24 * 3600) : last;
  });
  const rows = await db.query(
    `SELECT DISTINCT named.id
     FROM (SELECT data, timestamp_created AS at FROM entry
           WHERE ${NOTIFICATION} AND timestamp_created >= $4::float8 AND data->>'alarm' = $1
             AND CASE WHEN data ? 'state' THEN data->>'channel' ELSE '${EMAIL}' END = $5
             AND (data->>'outcome' IN ('unknown', 'interrupted') OR data->>'may_have_been_sent' = 'true')) AS attempt
     CROSS JOIN LATERAL jsonb_array_elements_text(
       jsonb_path_query_array(attempt.data, '$.new_event_ids[*]')
       || jsonb_path_query_array(attempt.data, '$.continuing_event_ids[*]')
       || jsonb_path_query_array(attempt.data, '$.cleared_event_ids[*]')) AS named(id)
     JOIN unnest($2::text[], $3::text[]) AS event(id, since) ON event.id = named.id
     WHERE attempt.at >= event.since::float8`,
    [
      alarm,
      items.map(({ eventId }) => eventId),
      begins.map(String),
      begins.reduce((least, begin) => Math.min(least, begin), Number.MAX_VALUE),
      channel,
    ],
  );
  return new Set(rows.map(({ id }) => String(id)));
}

export type Unsent = Awaited<ReturnType<typeof readUnsent>>;

/** What earlier ticks could not deliver; usually nothing. One statement for all alarms of a tick. */
export async function readUnsent(db: Queryable) {
  const rows = await db.query(
    `SELECT DISTINCT 'clear ' || (data->>'entry_id') AS unsent, NULL::float8 AS until FROM entry WHERE ${UNSENT_CLEAR}
     UNION ALL
     SELECT 'open ' || (data->>'alarm'), NULL FROM entry WHERE ${OPEN} GROUP BY 1
     UNION ALL
     SELECT 'queued ' || (data->>'channel'), max(CASE WHEN jsonb_typeof(data->'not_before') = 'number' THEN (data->>'not_before')::float8 END)
     FROM entry WHERE ${OPEN} AND data->>'state' = 'queued' GROUP BY 1`,
  );
  const unsent = new Map(rows.map((row) => [String(row.unsent), Number(row.until)]));
  return {
    /** Whether some channels still have to hear that events of the alarm have cleared. */
    hasClears: (alarmName: string): boolean => unsent.has(`clear ${eventEntryId(alarmName)}`),
    /** Whether a notification of the alarm is open. */
    hasOpen: (alarmEntryId: string): boolean => unsent.has(`open ${alarmEntryId}`),
    /** Epoch seconds until which the channel accepts nothing; 0 if it did not say so. */
    queuedUntil: (channel: string): number => unsent.get(`queued ${channel}`) ?? 0,
  };
}

/** An alarm's open notifications, oldest first; unreadable rows are skipped. */
export async function openNotifications(
  db: Queryable,
  alarm: string,
): Promise<readonly OpenNotification[]> {
  const rows = await db.query(
    `SELECT id, title, content, data FROM entry
     WHERE ${OPEN} AND data->>'alarm' = $1
     ORDER BY timestamp_created, id`,
    [alarm],
  );
  return rows.flatMap((row) => readOpen(row) ?? []);
}
