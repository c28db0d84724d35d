import { randomUUID } from "node:crypto";
import { object, parse, string, unknown } from "valibot";
import { isJsonObject, type JsonObject } from "../text/json.ts";
import type { Queryable } from "./database.ts";
import { ALARMS_CONTEXT, jsonText } from "./entry.ts";

/** Opens the record of a tick; `only` names the alarms of one that runs but a few. Gives the row's id. */
export async function openEngineRun(
  db: Queryable,
  startedAt: number,
  only?: readonly string[],
): Promise<string> {
  const id = randomUUID();
  await db.query(
    `INSERT INTO entry (id, title, content, kind, name, data, priority, status, archived,
                        timestamp_created, timestamp_modified, deleted_at, parent_id, context_id)
     VALUES ($1, $2, '', 'engine_run', NULL, $3::text::jsonb, NULL, 'active', false, $4, $4, NULL, NULL, '${ALARMS_CONTEXT}')`,
    [
      id,
      runTitle(startedAt),
      jsonText({
        entry_id: `run_${Math.floor(startedAt)}`,
        started_at: startedAt,
        ...(only === undefined ? {} : { only }),
      }),
      startedAt,
    ],
  );
  return id;
}

/** `Engine run 20261121 03:45:00 UTC` */
function runTitle(startedAt: number): string {
  const [date = "", time = ""] = new Date(startedAt * 1000).toISOString().split("T");
  return `Engine run ${date.replaceAll("-", "")} ${time.slice(0, 8)} UTC`;
}

/** The counters of a finished tick, in the words of the row contract. */
export interface RunSummary {
  readonly finished_at: number;
  readonly alarms_run: number;
  readonly alarms_seen: number;
  readonly notifications_sent: number;
  readonly errors: number;
  readonly error_details: string;
  /** By the alarm's `entry_id`. */
  readonly per_alarm: JsonObject;
}

/** Closes the record of a tick; one that a later tick took for dead has finished after all. */
export async function closeEngineRun(
  db: Queryable,
  id: string,
  summary: RunSummary,
): Promise<void> {
  await db.query(
    `UPDATE entry SET data = (data - 'crashed_at') || $2::text::jsonb, status = 'done', timestamp_modified = $3
     WHERE id = $1`,
    [id, jsonText(summary), summary.finished_at],
  );
}

/** How far back an unfinished run is looked for: each tick closes what the one before it left. */
const LOOK_BACK = 20;

/**
 * Closes the records that dead ticks left open. Call it while holding the lock of the ticks. There is
 * no `finished_at` on them: the dashboards then show "unknown" for that tick, not "clear".
 */
export async function closeCrashedRuns(db: Queryable, now: number, ownId: string): Promise<void> {
  await db.query(
    `UPDATE entry SET data = data || $3::text::jsonb, status = 'done', timestamp_modified = $1
     WHERE id IN (
       SELECT id FROM (
         SELECT id, data FROM entry
         WHERE kind = 'engine_run' AND context_id = '${ALARMS_CONTEXT}' AND deleted_at IS NULL
         ORDER BY timestamp_created DESC LIMIT ${LOOK_BACK}
       ) AS newest
       WHERE id <> $2 AND jsonb_typeof(data) = 'object'
         AND data->>'finished_at' IS NULL AND data->'crashed_at' IS NULL)`,
    [
      now,
      ownId,
      jsonText({
        crashed_at: now,
        errors: 1,
        error_details: `the tick was interrupted before its end; its record was closed by the tick of ${renderTick(now)}`,
      }),
    ],
  );
}

function renderTick(epochSeconds: number): string {
  return `${new Date(epochSeconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** What the last finished tick over all alarms noted of each, by `entry_id`; empty before the first. */
export async function lastPerAlarm(db: Queryable): Promise<JsonObject> {
  const [row] = await db.query(
    `SELECT data->'per_alarm' AS per_alarm FROM entry
     WHERE kind = 'engine_run' AND context_id = '${ALARMS_CONTEXT}'
       AND data->'per_alarm' IS NOT NULL AND data->'only' IS NULL
     ORDER BY timestamp_created DESC LIMIT 1`,
  );
  return isJsonObject(row?.per_alarm) ? row.per_alarm : {};
}

export interface ListedRun {
  readonly id: string;
  readonly startedAt: number | undefined;
  /** Undefined for a tick that never finished. */
  readonly finishedAt: number | undefined;
  /** When a later tick found that it would not. */
  readonly crashedAt: number | undefined;
  readonly alarmsRun: number;
  readonly alarmsSeen: number;
  readonly notificationsSent: number;
  readonly errors: number;
  readonly errorDetails: string;
  readonly perAlarm: JsonObject;
}

const RunRow = object({ id: string(), data: unknown() });

/** Ticks, newest first. */
export async function listEngineRuns(db: Queryable, limit: number): Promise<readonly ListedRun[]> {
  const rows = await db.query(
    `SELECT id, data FROM entry
     WHERE kind = 'engine_run' AND context_id = '${ALARMS_CONTEXT}' AND archived = false AND deleted_at IS NULL
     ORDER BY timestamp_created DESC LIMIT $1::int`,
    [limit],
  );
  return rows.map((row) => {
    const { id, data: raw } = parse(RunRow, row);
    const data = isJsonObject(raw) ? raw : {};
    const number = (value: unknown): number | undefined =>
      typeof value === "number" ? value : undefined;
    return {
      id,
      startedAt: number(data.started_at),
      finishedAt: number(data.finished_at),
      crashedAt: number(data.crashed_at),
      alarmsRun: number(data.alarms_run) ?? 0,
      alarmsSeen: number(data.alarms_seen) ?? 0,
      notificationsSent: number(data.notifications_sent) ?? 0,
      errors: number(data.errors) ?? 0,
      errorDetails: typeof data.error_details === "string" ? data.error_details : "",
      perAlarm: isJsonObject(data.per_alarm) ? data.per_alarm : {},
    };
  });
}
