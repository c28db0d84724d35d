import { pruneLimits, type Removed, type Retention } from "../core/retention.ts";
import { errorText } from "../text/describe.ts";
import { MEMORY_KIND, MEMORY_NAME } from "./alarm_memory.ts";
import { DatabaseError, type Queryable, type Transaction } from "./database.ts";
import { asDatabaseError, isMissingRight } from "./database_error.ts";
import { ALARMS_CONTEXT, LIVE } from "./entry.ts";

/** Rows of a kind that one statement removes at most, so that it is quick. */
const ROWS = 1_000;
/** Runs that dashboards show. */
const SHOWN_RUNS = 20;

/** Rows with versions or entries below them stay: a person put these there, and the foreign keys would refuse. */
const UNREFERENCED = `context_id = '${ALARMS_CONTEXT}'
  AND NOT EXISTS (SELECT 1 FROM entry_version WHERE entry_version.entry_id = entry.id)
  AND NOT EXISTS (SELECT 1 FROM entry AS child WHERE child.parent_id = entry.id)`;

const OLD_RUNS = `kind = 'engine_run' AND timestamp_created < $1::float8 AND ${UNREFERENCED}
  AND id <> ALL (ARRAY(
    SELECT id FROM entry WHERE kind = 'engine_run' AND ${LIVE} AND data->'only' IS NULL
    ORDER BY timestamp_created DESC LIMIT ${SHOWN_RUNS}))`;

const OLD_SKIPS = `kind = 'skipped_tick' AND timestamp_created < $2::float8 AND ${UNREFERENCED}`;

/** `clear_time` is never before the row was created, so the index on kind and time finds them. Unsent events stay. */
const OLD_EVENTS = `kind = 'event' AND timestamp_created < $3::float8 AND ${UNREFERENCED}
  AND CASE WHEN jsonb_typeof(data->'clear_time') = 'number' THEN (data->>'clear_time')::numeric < $3::float8::numeric
      ELSE false END
  AND data->>'mail_owed' IS DISTINCT FROM 'true' AND (data->'swf' ? 'unsent') IS NOT TRUE`;

/**
 * Open ones stay, and those with an unknown delivery state while an event that they name is unsent, because
 * `maybeNotified` reads them. `IS NOT TRUE` tells Postgres that most rows are not open, so that it reads them in
 * the order of the index and stops at the limit.
 */
const OLD_NOTIFICATIONS = `kind = 'notification' AND timestamp_created < $4::float8 AND ${UNREFERENCED}
  AND (data ?| '{not_before,pending}') IS NOT TRUE
  AND NOT ((coalesce(data->>'outcome', '') IN ('unknown', 'interrupted')
            OR coalesce(data->>'may_have_been_sent', '') = 'true') AND EXISTS (
    SELECT 1 FROM entry AS event WHERE event.id IN (
        SELECT jsonb_array_elements_text(
          jsonb_path_query_array(entry.data, '$.new_event_ids[*]')
          || jsonb_path_query_array(entry.data, '$.continuing_event_ids[*]')
          || jsonb_path_query_array(entry.data, '$.cleared_event_ids[*]')))
      AND (event.data->>'mail_owed' = 'true' OR event.data->'swf' ? 'unsent'
           OR (event.data->>'clear_time' IS NULL AND jsonb_typeof(event.data->'last_notified') IS DISTINCT FROM 'number')
           OR (event.data->>'clear_time' IS NULL AND event.data->'swf' ? 'notified'
               AND (event.data->'swf'->'notified' ? CASE WHEN entry.data ? 'state' THEN entry.data->>'channel' ELSE 'email' END) IS NOT TRUE))))`;

/** What deleted alarms remember; that of an alarm whose row exists stays, also while it is archived. */
const OLD_MEMORY = `kind = '${MEMORY_KIND}' AND timestamp_created < $5::float8 AND ${UNREFERENCED}
  AND timestamp_modified < $5::float8 AND name LIKE '${MEMORY_NAME}%'
  AND NOT EXISTS (SELECT 1 FROM entry AS alarm WHERE alarm.kind = 'alarm' AND alarm.deleted_at IS NULL
    AND '${MEMORY_NAME}' || alarm.id = entry.name)`;

/** Rows that another process removes at this moment are skipped. */
const OLDEST = `ORDER BY timestamp_created LIMIT ${ROWS} FOR UPDATE OF entry SKIP LOCKED`;

/** The parameters are the limits in the order of `pruneLimits`; nothing is older than NULL. */
const PRUNE = `WITH removed AS (
    DELETE FROM entry WHERE id = ANY (
      ARRAY(SELECT id FROM entry WHERE ${OLD_RUNS} ${OLDEST})
      || ARRAY(SELECT id FROM entry WHERE ${OLD_SKIPS} ${OLDEST})
      || ARRAY(SELECT id FROM entry WHERE ${OLD_EVENTS} ${OLDEST})
      || ARRAY(SELECT id FROM entry WHERE ${OLD_NOTIFICATIONS} ${OLDEST})
      || ARRAY(SELECT id FROM entry WHERE ${OLD_MEMORY} ${OLDEST}))
    RETURNING kind)
  SELECT count(*) FILTER (WHERE kind = 'engine_run')::int AS "engine runs",
         count(*) FILTER (WHERE kind = 'skipped_tick')::int AS "skipped ticks",
         count(*) FILTER (WHERE kind = 'event')::int AS "cleared events",
         count(*) FILTER (WHERE kind = 'notification')::int AS "notifications",
         count(*) FILTER (WHERE kind = '${MEMORY_KIND}')::int AS "memory rows"
  FROM removed`;

const COUNTS =
  "count(*)::int AS rows, min(timestamp_created) AS oldest, max(timestamp_created) AS newest";

const COUNT = `
  SELECT 1 AS place, ${COUNTS} FROM entry WHERE ${OLD_RUNS} UNION ALL
  SELECT 2, ${COUNTS} FROM entry WHERE ${OLD_SKIPS} UNION ALL
  SELECT 3, ${COUNTS} FROM entry WHERE ${OLD_EVENTS} UNION ALL
  SELECT 4, ${COUNTS} FROM entry WHERE ${OLD_NOTIFICATIONS} UNION ALL
  SELECT 5, ${COUNTS} FROM entry WHERE ${OLD_MEMORY} ORDER BY place`;

/**
 * Removes some of the rows that are older than `[retention]` allows, the oldest first: a bounded number
 * of each kind. Nothing is left to remove once it returns an empty map.
 */
export async function pruneSome(
  tx: Transaction,
  retention: Retention,
  now: number,
): Promise<Removed> {
  const limits = pruneLimits(retention, now);
  // Postgres would require the right to delete even so.
  if (limits.every(([, before]) => before === null)) return new Map();
  try {
    const befores = limits.map(([, before]) => before);
    const [row] = await tx.query(PRUNE, befores);
    const removed = limits.map(([kind]) => [kind, Number(row?.[kind])] as const);
    return new Map(removed.filter(([, rows]) => rows > 0));
  } catch (error) {
    const forever = isMissingRight(error) ? ', or set "forever" in [retention]' : "";
    const message = `cannot remove old rows: ${errorText(asDatabaseError(error))}${forever}`;
    throw new DatabaseError(message, { cause: error });
  }
}

/** Counts all rows that are older than `[retention]` allows, by kind; times of creation are in epoch seconds. */
export async function countOld(db: Queryable, retention: Retention, now: number) {
  const limits = pruneLimits(retention, now);
  const befores = limits.map(([, before]) => before);
  const rows = await db.query(COUNT, befores);
  return limits.flatMap(([kind, before], index) => {
    if (before === null) return [];
    const { rows: count, oldest, newest } = rows[index] ?? {};
    const time = (value: unknown) => (typeof value === "number" ? value : null);
    return [{ kind, rows: Number(count), oldest: time(oldest), newest: time(newest) }];
  });
}
