import { randomUUID } from "node:crypto";
import { array, fallback, number, object, optional, safeParse, string } from "valibot";
import type { Refused } from "../core/delivery.ts";
import { eventEntryId } from "../core/event_key.ts";
import type { BundleItem } from "../core/notice.ts";
import type { PendingMail } from "../core/pending.ts";
import type { UnknownAttempts } from "../core/repeats.ts";
import { safeText } from "../text/json.ts";
import type { Queryable, Transaction } from "./database.ts";
import { ALARMS_CONTEXT, insertEntries, jsonText } from "./entry.ts";
import { UNSENT_CLEAR } from "./events.ts";

/** The SQL condition of mails. */
export const NOTIFICATION = `kind = 'notification' AND context_id = '${ALARMS_CONTEXT}'`;
/** The condition of a partial index; statements repeat it so that Postgres can use the index. */
const PENDING_MAIL = `${NOTIFICATION} AND data ? 'pending'`;

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
  readonly newEventIds?: readonly string[];
  readonly continuingEventIds?: readonly string[];
  /** Events that had already cleared. */
  readonly clearedEventIds?: readonly string[];
  /** What it is about, if not a bundle of events. */
  readonly about?: string;
  /** Identifies what it announces, if not events. */
  readonly announces?: string;
}

/**
 * Records the attempt before it is made: if the engine dies in between, the row says `unknown`. Returns
 * the row's id.
 */
export async function openNotification(
  tx: Transaction,
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
    new_event_ids: attempt.newEventIds ?? [],
    continuing_event_ids: attempt.continuingEventIds ?? [],
    cleared_event_ids: attempt.clearedEventIds ?? [],
    attempts: 1,
    outcome: "unknown",
    about: attempt.about,
    announces: attempt.announces,
  };
  await insertEntries(tx, { kind: "notification", status: "active", at: now }, [
    { id, title: attempt.subject, content: attempt.text, data },
  ]);
  return id;
}

/** How an attempt to deliver a mail ended. */
export interface NotificationResult {
  /** `partial`: delivered to some recipients only. */
  readonly outcome: "delivered" | "partial" | "failed";
  /** The service's own ids of the messages, such as the MessageId of SES. */
  readonly messageIds: readonly string[];
  /** Addresses that the service does not accept. */
  readonly refused: readonly Refused[];
  /** Addresses that later ticks deliver this mail to. */
  readonly pending: readonly string[];
  /** Addresses that are no longer tried. */
  readonly givenUp?: readonly string[];
  readonly error: string | undefined;
  /** Whether another attempt may help. */
  readonly retryable: boolean | undefined;
  /** Attempts that the service may have accepted although it did not confirm them. */
  readonly unknown?: UnknownAttempts | undefined;
  /** The text that was sent instead, if the service found the first one too large. */
  readonly shortened?: string | undefined;
}

/** Records how the first or a later attempt ended. */
export async function closeNotification(
  tx: Transaction,
  id: string,
  result: NotificationResult,
  now: number,
): Promise<void> {
  const { refused, pending, givenUp = [], unknown, shortened } = result;
  const data = {
    outcome: result.outcome,
    finished_at: now,
    message_ids: result.messageIds,
    refused: refused.length === 0 ? undefined : refused,
    pending: pending.length === 0 ? undefined : pending,
    given_up: givenUp.length === 0 ? undefined : givenUp,
    error: result.error,
    retryable: result.retryable,
    may_have_been_sent: unknown === undefined ? undefined : true,
    unknown_attempts: unknown,
    shortened: shortened === undefined ? undefined : true,
  };
  await tx.query(
    `UPDATE entry SET data = (data - ARRAY['pending', 'retry', 'error', 'retryable', 'may_have_been_sent', 'unknown_attempts'])
                             || $2::text::jsonb,
                      status = 'done', timestamp_modified = $3, content = COALESCE($4, content)
     WHERE id = $1`,
    [id, jsonText(data), now, shortened === undefined ? null : safeText(shortened)],
  );
}

/** What mails may have named: an event, or the id of an announcement. */
type Named = Pick<BundleItem, "eventId" | "since">;

/**
 * For those that mails with an unknown result name: how many mails, and when the last one was. They may have
 * been sent before the engine died, lost its database, or got no response.
 */
export async function unknownAttempts(
  db: Queryable,
  alarm: string,
  named: readonly Named[],
): Promise<ReadonlyMap<string, UnknownAttempts>> {
  if (named.length === 0) return new Map();
  const since = named.reduce((least, item) => Math.min(least, item.since), Number.MAX_VALUE);
  const rows = await db.query(
    `SELECT named.id, count(*)::int AS count, max(attempt.at)::float8 AS last
     FROM (SELECT data, timestamp_created AS at FROM entry
           WHERE ${NOTIFICATION} AND timestamp_created >= $4::float8 AND data->>'alarm' = $1
             AND (data->>'outcome' IN ('unknown', 'interrupted') OR data->>'may_have_been_sent' = 'true')) AS attempt
     CROSS JOIN LATERAL jsonb_array_elements_text(
       jsonb_path_query_array(attempt.data, '$.new_event_ids[*]')
       || jsonb_path_query_array(attempt.data, '$.continuing_event_ids[*]')
       || jsonb_path_query_array(attempt.data, '$.cleared_event_ids[*]')
       || jsonb_path_query_array(attempt.data, '$.announces')) AS named(id)
     JOIN unnest($2::text[], $3::text[]) AS event(id, since) ON event.id = named.id
     WHERE attempt.at >= event.since::float8
     GROUP BY named.id`,
    [alarm, named.map(({ eventId }) => eventId), named.map((item) => String(item.since)), since],
  );
  return new Map(
    rows.map(({ id, count, last }) => [String(id), { count: Number(count), last: Number(last) }]),
  );
}

export type UnsentMail = Awaited<ReturnType<typeof readUnsentMail>>;

/** Which alarms have unsent mail from earlier ticks; usually none has. One statement for all alarms of a tick. */
export async function readUnsentMail(db: Queryable) {
  const rows = await db.query(
    `SELECT DISTINCT 'clear ' || (data->>'entry_id') AS unsent FROM entry WHERE ${UNSENT_CLEAR}
     UNION ALL
     SELECT DISTINCT 'pending ' || (data->>'alarm') FROM entry WHERE ${PENDING_MAIL}`,
  );
  const unsent = new Set(rows.map((row) => row.unsent));
  return {
    /** Whether events of the alarm cleared before a confirmed mail named them. */
    hasClears: (alarmName: string): boolean => unsent.has(`clear ${eventEntryId(alarmName)}`),
    /** Whether a mail of the alarm has not reached some of its recipients yet. */
    hasPending: (alarmEntryId: string): boolean => unsent.has(`pending ${alarmEntryId}`),
  };
}

const addresses = fallback(array(string()), []);

const PendingRow = object({
  id: string(),
  title: string(),
  content: string(),
  data: object({
    attempted_at: number(),
    attempts: fallback(number(), 1),
    pending: addresses,
    refused: fallback(array(object({ address: string(), reason: string() })), []),
    message_ids: addresses,
    error: fallback(string(), ""),
    unknown_attempts: fallback(optional(object({ count: number(), last: number() })), undefined),
  }),
});

/** An alarm's mails that have not reached some of their recipients yet, oldest first; unreadable rows are skipped. */
export async function pendingMails(db: Queryable, alarm: string): Promise<readonly PendingMail[]> {
  const rows = await db.query(
    `SELECT id, title, content, data FROM entry
     WHERE ${PENDING_MAIL} AND data->>'alarm' = $1
     ORDER BY timestamp_created, id`,
    [alarm],
  );
  return rows.flatMap((row) => {
    const parsed = safeParse(PendingRow, row);
    if (!parsed.success) return [];
    const { id, title: subject, content: text, data } = parsed.output;
    const { attempted_at: attemptedAt, message_ids: messageIds, ...others } = data;
    const { unknown_attempts: unknown, ...rest } = others;
    return [{ id, subject, text, attemptedAt, messageIds, unknown, ...rest }];
  });
}

/** Records another attempt before it is made: a crash in between can repeat the mail to its pending recipients. */
export async function beginRetry(
  tx: Transaction,
  { id, attempts }: Pick<PendingMail, "id" | "attempts">,
  unknown: UnknownAttempts,
): Promise<void> {
  const now = unknown.last;
  const retry = { retry: "unknown", retried_at: now, unknown_attempts: unknown };
  await tx.query(
    `UPDATE entry SET timestamp_modified = $3, data = data || $2::text::jsonb
       -- A first attempt in the future would keep it from ever being given up.
       || jsonb_build_object('attempted_at', least((data->>'attempted_at')::float8, $3::float8))
     WHERE id = $1`,
    [id, jsonText({ attempts: attempts + 1, ...retry }), now],
  );
}
