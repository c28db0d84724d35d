import { ENGINE, eventEntryId } from "../core/event_key.ts";
import type { DueItem, UnsentClear } from "../core/notice.ts";
import type { OpenNotification } from "../core/notification.ts";
import type { Queryable } from "./database.ts";
import { LIVE, numberAt } from "./entry.ts";
import { ACTIVE } from "./events.ts";
import { LEVEL, levelReader, NOTICES, swfReader } from "./notices.ts";
import { CHANNEL, NOTIFICATION, OPEN } from "./notifications.ts";
import { readOpen } from "./open_notification.ts";

/**
 * The condition of the partial index on cleared events that some channels still have to hear of. Earlier versions
 * wrote `mail_owed`.
 */
export const UNSENT_CLEAR = `kind = 'event' AND ${LIVE}
    AND (data->'swf' ? 'unsent' OR data->>'mail_owed' = 'true')`;

export type Unsent = Awaited<ReturnType<typeof readUnsent>>;

/**
 * What earlier ticks could not deliver, whether they found trouble of the engine, and which of the alarms that were
 * `stopped` still have active events; usually nothing. One statement for all alarms of a tick.
 */
export async function readUnsent(db: Queryable, stopped: readonly string[] = []) {
  const rows = await db.query(
    `SELECT DISTINCT 'clear ' || (data->>'entry_id') AS unsent, NULL::float8 AS until FROM entry WHERE ${UNSENT_CLEAR}
     UNION ALL
     SELECT 'open ' || (data->>'alarm'), NULL FROM entry WHERE ${OPEN} GROUP BY 1
     UNION ALL
     SELECT 'queued ' || (data->>'channel'), max(CASE WHEN jsonb_typeof(data->'not_before') = 'number' THEN (data->>'not_before')::float8 END)
     FROM entry WHERE ${OPEN} AND data->>'state' = 'queued' GROUP BY 1
     UNION ALL
     (SELECT 'engine', NULL FROM entry WHERE ${ACTIVE} AND data->>'entry_id' = '${eventEntryId(ENGINE)}' LIMIT 1)
     UNION ALL
     SELECT DISTINCT 'active ' || (data->>'entry_id'), NULL::float8 FROM entry WHERE ${ACTIVE} AND data->>'entry_id' = ANY($1::text[])`,
    [stopped.map(eventEntryId)],
  );
  const unsent = new Map(rows.map((row) => [String(row.unsent), Number(row.until)]));
  return {
    /** Whether some channels still have to hear that events of the alarm have cleared. */
    hasClears: (alarmName: string): boolean => unsent.has(`clear ${eventEntryId(alarmName)}`),
    /** Whether one of the alarms that no longer run has active events. */
    isActive: (alarmName: string): boolean => unsent.has(`active ${eventEntryId(alarmName)}`),
    /** Whether a notification of the alarm is open. */
    hasOpen: (alarmEntryId: string): boolean => unsent.has(`open ${alarmEntryId}`),
    /** Epoch seconds until which the channel accepts nothing; 0 if it did not say so. */
    queuedUntil: (channel: string): number => unsent.get(`queued ${channel}`) ?? 0,
    /** Whether the alarm `engine` has active events. */
    hasEngineEvents: unsent.has("engine"),
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

/**
 * For each set of channels: what waits for a channel that is down must not hide what another one has to hear. The next
 * notification names the rest.
 */
const UNSENT_CLEARS = 1_000;

/** Cleared events that some channels still have to hear of, oldest first. */
export async function unsentClears(
  db: Queryable,
  alarmName: string,
): Promise<readonly UnsentClear[]> {
  const rows = await db.query(
    `SELECT id, COALESCE(data->>'dedupe_key', id) AS "dedupeKey", ${NOTICES} AS notices,
            ${LEVEL} AS level, data->>'clear_reason' AS reason, ${numberAt("fire_time")} AS "fireTime", ${numberAt("clear_time")} AS "clearTime"
     FROM (SELECT DISTINCT data->'swf'->'unsent' AS channels FROM entry
           WHERE ${UNSENT_CLEAR} AND data->>'entry_id' = $1) AS found
     CROSS JOIN LATERAL (SELECT * FROM entry
       WHERE ${UNSENT_CLEAR} AND data->>'entry_id' = $1 AND data->'swf'->'unsent' IS NOT DISTINCT FROM channels
       ORDER BY timestamp_created, id LIMIT ${UNSENT_CLEARS}) AS entry
     ORDER BY timestamp_created, id`,
    [eventEntryId(alarmName)],
  );
  const read = swfReader();
  const levelOf = levelReader();
  return rows.map((row) => {
    const { notices, unsent, firstSeen } = read(row.notices);
    return {
      id: String(row.id),
      dedupeKey: String(row.dedupeKey),
      fireTime: Number(row.fireTime),
      clearTime: Number(row.clearTime),
      notices,
      unsent,
      ...levelOf(row.level),
      firstSeen,
      ...(typeof row.reason === "string" && { clearReason: row.reason }),
    };
  });
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
             AND ${CHANNEL} = $5
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
