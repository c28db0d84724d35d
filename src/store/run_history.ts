import { boolean, nullable, number, object, parse, string } from "valibot";
import { isJsonObject, type JsonObject } from "../text/json.ts";
import type { Queryable } from "./database.ts";
import { ALARMS_CONTEXT } from "./entry.ts";

/** A tick's record without its alarms' parts. */
export interface PastRun {
  readonly startedAt: number;
  /** Undefined for one that is at work, or that never finished. */
  readonly finishedAt: number | undefined;
  readonly errors: number;
  readonly errorDetails: string;
  /** Whether it ran a few alarms by name. */
  readonly partial: boolean;
}

const PastRunRow = object({
  started_at: number(),
  finished_at: nullable(number()),
  errors: nullable(number()),
  error_details: nullable(string()),
  partial: boolean(),
});

/** The ticks since then, newest first, and at most so many. */
export async function pastRuns(
  db: Queryable,
  since: number,
  limit: number,
): Promise<readonly PastRun[]> {
  const rows = await db.query(
    `SELECT timestamp_created AS started_at, ${numberAt("finished_at")} AS finished_at,
            ${numberAt("errors")} AS errors, data->>'error_details' AS error_details,
            coalesce(jsonb_typeof(data->'only') = 'array', false) AS partial
     FROM entry
     WHERE kind = 'engine_run' AND context_id = '${ALARMS_CONTEXT}' AND archived = false AND deleted_at IS NULL
       AND timestamp_created >= $1::float8
     ORDER BY timestamp_created DESC LIMIT $2::int`,
    [since, limit],
  );
  return rows.map((row) => {
    const run = parse(PastRunRow, row);
    return {
      startedAt: run.started_at,
      finishedAt: run.finished_at ?? undefined,
      errors: run.errors ?? 0,
      errorDetails: run.error_details ?? "",
      partial: run.partial,
    };
  });
}

function numberAt(key: string): string {
  return `CASE WHEN jsonb_typeof(data->'${key}') = 'number' THEN (data->>'${key}')::float8 END`;
}

/**
 * What the last ticks noted of each alarm, by `entry_id`: the last one over all alarms, and over it
 * what was run by name since.
 */
export async function latestPerAlarm(db: Queryable): Promise<JsonObject> {
  const rows = await db.query(
    `SELECT data->'per_alarm' AS per_alarm FROM entry
     WHERE kind = 'engine_run' AND context_id = '${ALARMS_CONTEXT}' AND archived = false AND deleted_at IS NULL
       AND jsonb_typeof(data->'per_alarm') = 'object'
       AND timestamp_created >= coalesce(
         (SELECT max(timestamp_created) FROM entry
          WHERE kind = 'engine_run' AND context_id = '${ALARMS_CONTEXT}' AND archived = false AND deleted_at IS NULL
            AND jsonb_typeof(data->'per_alarm') = 'object' AND data->'only' IS NULL), 0)
     ORDER BY timestamp_created`,
  );
  const latest: JsonObject = {};
  for (const { per_alarm: perAlarm } of rows) {
    if (isJsonObject(perAlarm)) Object.assign(latest, perAlarm);
  }
  return latest;
}

/**
 * Whether somebody holds the named lock now, without taking it, as that could make a tick skip. On the
 * embedded database whoever looks has the folder, so nobody else is at work.
 */
export async function isLockHeld(db: Queryable, name: string): Promise<boolean> {
  const rows = await db.query(
    `SELECT 1 AS held FROM pg_locks
     WHERE locktype = 'advisory' AND granted AND objsubid = 1
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND ((classid::bigint << 32) | objid::bigint) = hashtext($1)::bigint`,
    [name],
  );
  return rows.length > 0;
}
