import { nullable, number, object, parse } from "valibot";
import type { Sweep } from "../core/retention.ts";
import type { Queryable, Row } from "./database.ts";
import { ALARMS_CONTEXT } from "./entry.ts";

/** Rows that one statement removes at most, so that it is done in a moment and holds nobody up. */
const ROWS = 1_000;

/**
 * Another row may hang on a row: its versions, or entries below it. What somebody has put there is not
 * ours to remove, and the foreign keys would refuse the whole step.
 */
export const UNREFERENCED = `NOT EXISTS (SELECT 1 FROM entry_version WHERE entry_version.entry_id = entry.id)
  AND NOT EXISTS (SELECT 1 FROM entry AS child WHERE child.parent_id = entry.id)`;

/** Rows of a sweep, which comes as `$1` and `$2`. */
export const CREATED = "timestamp_created >= $1::float8 AND timestamp_created < $2::float8";

/**
 * Cleared events of a sweep. `clear_time` is never before the row was made, so that the index on kind and
 * time finds them; the mail that an event is owed may take longer than any limit.
 */
const CLEARED = `kind = 'event' AND context_id = '${ALARMS_CONTEXT}' AND ${CREATED}
  AND CASE WHEN jsonb_typeof(data->'clear_time') = 'number' THEN (data->>'clear_time')::numeric < $2::float8::numeric
      ELSE false END
  AND data->>'mail_owed' IS DISTINCT FROM 'true' AND ${UNREFERENCED}`;

/**
 * Notifications of a sweep. One that is pending is yet to be finished; one of unknown fate is why the next
 * mail about an event that it names says that it may be a repeat (`maybeMailed`). `IS NOT TRUE` tells Postgres,
 * too, that most rows are not pending: it then takes them in the order of the index, and stops after a step.
 */
const NOTIFIED = `kind = 'notification' AND context_id = '${ALARMS_CONTEXT}' AND ${CREATED}
  AND (data ? 'pending') IS NOT TRUE
  AND NOT ((coalesce(data->>'outcome', '') IN ('unknown', 'interrupted')
            OR coalesce(data->>'may_have_been_sent', '') = 'true') AND EXISTS (
    SELECT 1 FROM entry AS event WHERE event.id IN (
        SELECT jsonb_array_elements_text(
          jsonb_path_query_array(entry.data, '$.new_event_ids[*]')
          || jsonb_path_query_array(entry.data, '$.continuing_event_ids[*]')
          || jsonb_path_query_array(entry.data, '$.cleared_event_ids[*]')))
      AND (event.data->>'mail_owed' = 'true'
           OR (event.data->>'clear_time' IS NULL AND jsonb_typeof(event.data->'last_notified') IS DISTINCT FROM 'number'))))
  AND ${UNREFERENCED}`;

/** What a step of a sweep did. */
export interface Step {
  /** Rows, by what they were, in words and the plural. */
  readonly removed: { readonly [what: string]: number };
  /** Where the next step begins; the end of the sweep where there is none. */
  readonly reached: number;
}

/** Removes some of the cleared events, the oldest first. */
export async function removeClearedEvents(db: Queryable, sweep: Sweep): Promise<Step> {
  const [row] = await db.query(removal(CLEARED), [sweep.from, sweep.before]);
  return stepOf("cleared events", row, sweep);
}

/** Removes some of the notifications, the oldest first. */
export async function removeNotifications(db: Queryable, sweep: Sweep): Promise<Step> {
  const [row] = await db.query(removal(NOTIFIED), [sweep.from, sweep.before]);
  return stepOf("notifications", row, sweep);
}

/**
 * What tells whether the sweep goes on is the rows that are due, not those that were removed: where another
 * process removes the same rows, this one waits for it and finds them gone, and more may be left behind them.
 */
function removal(rows: string): string {
  return `WITH due AS MATERIALIZED (
       SELECT id, timestamp_created FROM entry WHERE ${rows} ORDER BY timestamp_created LIMIT ${ROWS}),
     gone AS (
       DELETE FROM entry WHERE id = ANY (ARRAY(SELECT id FROM due)) RETURNING 1)
     SELECT count(*)::int AS due, max(timestamp_created) AS last, (SELECT count(*)::int FROM gone) AS removed
     FROM due`;
}

const StepRow = object({ due: number(), last: nullable(number()), removed: number() });

function stepOf(what: string, row: unknown, { before }: Sweep): Step {
  const { due, last, removed } = parse(StepRow, row);
  return { removed: { [what]: removed }, reached: due < ROWS || last === null ? before : last };
}

/** What a sweep would remove. */
export interface Extent {
  readonly rows: number;
  /** Epoch seconds. */
  readonly oldest: number | undefined;
  readonly newest: number | undefined;
}

const ExtentRow = object({
  rows: number(),
  oldest: nullable(number()),
  newest: nullable(number()),
});

/** Counts the cleared events of a sweep. */
export async function countClearedEvents(db: Queryable, sweep: Sweep): Promise<Extent> {
  return extentOf(await db.query(extent(CLEARED), [sweep.from, sweep.before]));
}

/** Counts the notifications of a sweep. */
export async function countNotifications(db: Queryable, sweep: Sweep): Promise<Extent> {
  return extentOf(await db.query(extent(NOTIFIED), [sweep.from, sweep.before]));
}

/** The statement that `extentOf` reads. */
export function extent(rows: string): string {
  return `SELECT count(*)::int AS rows, min(timestamp_created) AS oldest, max(timestamp_created) AS newest
     FROM entry WHERE ${rows}`;
}

export function extentOf([row]: readonly Row[]): Extent {
  const { rows, oldest, newest } = parse(ExtentRow, row);
  return { rows, oldest: oldest ?? undefined, newest: newest ?? undefined };
}
