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

const ENTRY_KINDS: { readonly [kind in PrunedKind]: string } = {
  "engine runs": "engine_run",
  "skipped ticks": "skipped_tick",
  "cleared events": "event",
  notifications: "notification",
};

/** What each kind must meet besides its age; `before` is a parameter such as `$1`. */
const CONDITIONS: { readonly [kind in PrunedKind]: (before: string) => string } = {
  "engine runs": () => `id <> ALL (ARRAY(
    SELECT id FROM entry WHERE kind = 'engine_run' AND context_id = '${ALARMS_CONTEXT}'
      AND archived = false AND deleted_at IS NULL AND data->'only' IS NULL
    ORDER BY timestamp_created DESC LIMIT ${SHOWN_RUNS}))`,

  "skipped ticks": () => "true",

  "cleared events": (before) => `data->>'mail_owed' IS DISTINCT FROM 'true'
    AND CASE WHEN jsonb_typeof(data->'clear_time') = 'number'
        THEN (data->>'clear_time')::numeric < ${before}::float8::numeric ELSE false END`,

  // Mails with an unknown delivery state stay while an event that they name is unsent, because `maybeMailed`
  // reads them. `IS NOT TRUE` tells Postgres that most rows are not pending, so that it stops at the limit.
  notifications: () => `(data ? 'pending') IS NOT TRUE
    AND NOT ((coalesce(data->>'outcome', '') IN ('unknown', 'interrupted')
              OR coalesce(data->>'may_have_been_sent', '') = 'true') AND EXISTS (
      SELECT 1 FROM entry AS event WHERE event.id IN (
          SELECT jsonb_array_elements_text(
            jsonb_path_query_array(entry.data, '$.new_event_ids[*]')
            || jsonb_path_query_array(entry.data, '$.continuing_event_ids[*]')
            || jsonb_path_query_array(entry.data, '$.cleared_event_ids[*]')))
        AND (event.data->>'mail_owed' = 'true'
             OR (event.data->>'clear_time' IS NULL AND jsonb_typeof(event.data->'last_notified') IS DISTINCT FROM 'number'))))`,
};

/** Rows with versions or entries below them stay: a person put these there, and the foreign keys would refuse. */
function isOld(kind: PrunedKind, before: string): string {
  return `kind = '${ENTRY_KINDS[kind]}' AND context_id = '${ALARMS_CONTEXT}'
    AND timestamp_created < ${before}::float8
    AND NOT EXISTS (SELECT 1 FROM entry_version WHERE entry_version.entry_id = entry.id)
    AND NOT EXISTS (SELECT 1 FROM entry AS child WHERE child.parent_id = entry.id)
    AND ${CONDITIONS[kind](before)}`;
}

/**
 * Removes some of the rows that are older than `[retention]` keeps them, the oldest first: a bounded number
 * of each kind. Rows that another process removes at this moment are skipped. Nothing is left to remove once
 * it returns an empty map.
 */
export async function pruneSome(
  db: Queryable,
  retention: Retention,
  now: number,
): Promise<Removed> {
  const limits = pruneLimits(retention, now);
  if (limits.length === 0) return new Map();
  const oldest = limits.map(
    ([kind], index) => `ARRAY(
      SELECT id FROM entry WHERE ${isOld(kind, `$${index + 1}`)}
      ORDER BY timestamp_created LIMIT ${ROWS} FOR UPDATE OF entry SKIP LOCKED)`,
  );
  const sql = `DELETE FROM entry WHERE id = ANY (${oldest.join(" || ")}) RETURNING kind`;
  const before = limits.map(([, time]) => time);
  const rows = await db.query(sql, before).catch((error: unknown) => {
    const forever = isMissingRight(error) ? ', or set "forever" in [retention]' : "";
    throw new DatabaseError(`cannot remove old rows: ${errorText(error)}${forever}`, {
      cause: error,
    });
  });
  const removed = limits.map(([kind]) => {
    const count = rows.filter((row) => row.kind === ENTRY_KINDS[kind]).length;
    return [kind, count] as const;
  });
  return new Map(removed.filter(([, count]) => count > 0));
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
       FROM entry WHERE ${isOld(kind, "$1")}`,
      [before],
    );
    const { rows, oldest, newest } = parse(OldRow, row);
    found.push({ kind, rows, oldest: oldest ?? undefined, newest: newest ?? undefined });
  }
  return found;
}
