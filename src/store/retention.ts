import { nullable, number, object, parse } from "valibot";
import { type PrunedKind, pruneLimits, type Removed, type Retention } from "../core/retention.ts";
import { errorText } from "../text/describe.ts";
import { DatabaseError, type Queryable } from "./database.ts";
import { isMissingRight } from "./database_error.ts";
import { ALARMS_CONTEXT } from "./entry.ts";

/** Rows that one statement removes at most, so that it is quick. */
const ROWS = 1_000;
/** Runs that dashboards show. */
const SHOWN_RUNS = 20;

/** Rows with versions or entries below them stay: a person put these there, and the foreign keys would refuse. */
const OLD = `context_id = '${ALARMS_CONTEXT}' AND timestamp_created < $1::float8
  AND NOT EXISTS (SELECT 1 FROM entry_version WHERE entry_version.entry_id = entry.id)
  AND NOT EXISTS (SELECT 1 FROM entry AS child WHERE child.parent_id = entry.id)`;

const OLD_RUNS = `kind = 'engine_run' AND ${OLD} AND id <> ALL (ARRAY(
    SELECT id FROM entry WHERE kind = 'engine_run' AND context_id = '${ALARMS_CONTEXT}'
      AND archived = false AND deleted_at IS NULL AND data->'only' IS NULL
    ORDER BY timestamp_created DESC LIMIT ${SHOWN_RUNS}))`;

const OLD_SKIPS = `kind = 'skipped_tick' AND ${OLD}`;

/** `clear_time` is never before the row was created, so the index on kind and time finds them. Unsent events stay. */
const OLD_EVENTS = `kind = 'event' AND ${OLD}
  AND CASE WHEN jsonb_typeof(data->'clear_time') = 'number' THEN (data->>'clear_time')::numeric < $1::float8::numeric
      ELSE false END
  AND data->>'mail_owed' IS DISTINCT FROM 'true'`;

/**
 * Pending mails stay, and those with an unknown delivery state while an event that they name is unsent: the
 * next mail says because of them that it may be a repeat (`maybeMailed`). `IS NOT TRUE` also tells Postgres
 * that most rows are not pending, so that it reads them in the order of the index and stops at the limit.
 */
const OLD_NOTIFICATIONS = `kind = 'notification' AND ${OLD} AND (data ? 'pending') IS NOT TRUE
  AND NOT ((coalesce(data->>'outcome', '') IN ('unknown', 'interrupted')
            OR coalesce(data->>'may_have_been_sent', '') = 'true') AND EXISTS (
    SELECT 1 FROM entry AS event WHERE event.id IN (
        SELECT jsonb_array_elements_text(
          jsonb_path_query_array(entry.data, '$.new_event_ids[*]')
          || jsonb_path_query_array(entry.data, '$.continuing_event_ids[*]')
          || jsonb_path_query_array(entry.data, '$.cleared_event_ids[*]')))
      AND (event.data->>'mail_owed' = 'true'
           OR (event.data->>'clear_time' IS NULL AND jsonb_typeof(event.data->'last_notified') IS DISTINCT FROM 'number'))))`;

const CONDITIONS: { readonly [kind in PrunedKind]: string } = {
  "engine runs": OLD_RUNS,
  "skipped ticks": OLD_SKIPS,
  "cleared events": OLD_EVENTS,
  notifications: OLD_NOTIFICATIONS,
};

/**
 * Removes some of the rows that are older than `[retention]` keeps them, the oldest first: a bounded number
 * of each kind. Nothing is left to remove once it returns an empty map.
 */
export async function pruneSome(
  db: Queryable,
  retention: Retention,
  now: number,
): Promise<Removed> {
  const removed = new Map<PrunedKind, number>();
  for (const [kind, before] of pruneLimits(retention, now)) {
    const rows = await removeOldest(db, kind, before);
    if (rows > 0) removed.set(kind, rows);
  }
  return removed;
}

/** Rows that another process removes at this moment are skipped. */
async function removeOldest(db: Queryable, kind: PrunedKind, before: number): Promise<number> {
  try {
    const rows = await db.query(
      `DELETE FROM entry WHERE id = ANY (ARRAY(
         SELECT id FROM entry WHERE ${CONDITIONS[kind]}
         ORDER BY timestamp_created LIMIT ${ROWS} FOR UPDATE OF entry SKIP LOCKED)) RETURNING id`,
      [before],
    );
    return rows.length;
  } catch (error) {
    const forever = isMissingRight(error) ? ', or set "forever" in [retention]' : "";
    throw new DatabaseError(`cannot remove old ${kind}: ${errorText(error)}${forever}`, {
      cause: error,
    });
  }
}

/** What there is to remove of one kind. */
export interface OldRows {
  readonly kind: PrunedKind;
  readonly rows: number;
  /** Epoch seconds of creation. */
  readonly oldest: number | undefined;
  readonly newest: number | undefined;
}

const OldRow = object({ rows: number(), oldest: nullable(number()), newest: nullable(number()) });

/** Counts all rows that are older than `[retention]` keeps them. */
export async function countOld(
  db: Queryable,
  retention: Retention,
  now: number,
): Promise<readonly OldRows[]> {
  const found: OldRows[] = [];
  for (const [kind, before] of pruneLimits(retention, now)) {
    const [row] = await db.query(
      `SELECT count(*)::int AS rows, min(timestamp_created) AS oldest, max(timestamp_created) AS newest
       FROM entry WHERE ${CONDITIONS[kind]}`,
      [before],
    );
    const { rows, oldest, newest } = parse(OldRow, row);
    found.push({ kind, rows, oldest: oldest ?? undefined, newest: newest ?? undefined });
  }
  return found;
}
