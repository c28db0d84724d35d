import { number, object, parse, string } from "valibot";
import { eventEntryId } from "../core/event_key.ts";
import type { UnsentClear } from "../core/notice.ts";
import type { Queryable } from "./database.ts";
import { ALARMS_CONTEXT } from "./entry.ts";
import { numberAt } from "./events.ts";

/** The rows of two partial indexes; statements repeat their words so that Postgres can use them. */
const OWED_CLEAR = `kind = 'event' AND context_id = '${ALARMS_CONTEXT}' AND archived = false AND deleted_at IS NULL
       AND data->>'mail_owed' = 'true'`;
export const PENDING_MAIL = `kind = 'notification' AND context_id = '${ALARMS_CONTEXT}' AND data ? 'pending'`;

/** Who is owed something by earlier ticks: in most ticks nobody is, and no alarm need be asked for. */
export interface UnsentMail {
  /** Whether events of the alarm cleared before a confirmed mail named them. */
  hasClears(alarmName: string): boolean;
  /** Whether a mail of the alarm, by its `entry_id`, has yet to reach some of its recipients. */
  hasPending(alarmEntryId: string): boolean;
}

/** One question for all alarms of a tick. */
export async function readUnsentMail(db: Queryable): Promise<UnsentMail> {
  const rows = await db.query(
    `SELECT DISTINCT 'clear ' || (data->>'entry_id') AS owed FROM entry WHERE ${OWED_CLEAR}
     UNION ALL
     SELECT DISTINCT 'pending ' || (data->>'alarm') FROM entry WHERE ${PENDING_MAIL}`,
  );
  const owed = new Set(rows.map((row) => row.owed));
  return {
    hasClears: (alarmName) => owed.has(`clear ${eventEntryId(alarmName)}`),
    hasPending: (alarmEntryId) => owed.has(`pending ${alarmEntryId}`),
  };
}

/** One mail tells of no more; the next one tells of the rest. */
const OWED_CLEARS = 1_000;

const OwedClearRow = object({
  id: string(),
  dedupe_key: string(),
  fire_time: number(),
  clear_time: number(),
});

/** Events that cleared before a confirmed mail named them, oldest first. */
export async function unsentClears(
  db: Queryable,
  alarmName: string,
): Promise<readonly UnsentClear[]> {
  const rows = await db.query(
    `SELECT id, COALESCE(data->>'dedupe_key', id) AS dedupe_key,
            ${numberAt("fire_time")} AS fire_time, ${numberAt("clear_time")} AS clear_time
     FROM entry
     WHERE ${OWED_CLEAR} AND data->>'entry_id' = $1
     ORDER BY timestamp_created, id LIMIT ${OWED_CLEARS}`,
    [eventEntryId(alarmName)],
  );
  return rows.map((row) => {
    const { id, dedupe_key: dedupeKey, ...times } = parse(OwedClearRow, row);
    return { id, dedupeKey, fireTime: times.fire_time, clearTime: times.clear_time };
  });
}
