import { randomUUID } from "node:crypto";
import { TOLERANCE } from "../core/clock.ts";
import { isJsonObject, type JsonObject } from "../text/json.ts";
import type { Queryable, Row, Transaction } from "./database.ts";
import { ALARMS_CONTEXT, insertEntries, jsonText, LIVE, readData } from "./entry.ts";

const RUN = `kind = 'engine_run' AND context_id = '${ALARMS_CONTEXT}'`;
const LIVE_RUN = `kind = 'engine_run' AND ${LIVE}`;

/** Opens the record of a tick; `only` names the alarms of a tick that does not run all. Returns the row's id. */
export async function openEngineRun(
  tx: Transaction,
  startedAt: number,
  only?: readonly string[],
): Promise<string> {
  const id = randomUUID();
  const [date = "", time = ""] = new Date(startedAt * 1000).toISOString().split("T");
  const title = `Engine run ${date.replaceAll("-", "")} ${time.slice(0, 8)} UTC`;
  const data = { entry_id: `run_${Math.floor(startedAt)}`, started_at: startedAt, only };
  await insertEntries(tx, { kind: "engine_run", status: "active", at: startedAt }, [
    { id, title, data },
  ]);
  return id;
}

/** The counters of a finished tick, named as in the row contract. */
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

/** Closes the record of a tick. A later tick may have closed it as crashed; it has finished after all. */
export async function closeEngineRun(
  tx: Transaction,
  id: string,
  summary: RunSummary,
): Promise<void> {
  await tx.query(
    `UPDATE entry SET data = (data - 'crashed_at') || $2::text::jsonb, status = 'done', timestamp_modified = $3
     WHERE id = $1`,
    [id, jsonText(summary), summary.finished_at],
  );
}

/** How many runs are searched for unfinished ones: each tick closes what the one before it left. */
const LOOK_BACK = 20;

/**
 * Closes the records that crashed ticks left open. Call it while holding the tick lock. They get no
 * `finished_at`, so that the dashboards show "unknown" for that tick, not "clear". Returns when those ticks started, and
 * those before them that a crashed tick has closed.
 */
export async function closeCrashedRuns(
  tx: Transaction,
  now: number,
  ownId: string,
): Promise<readonly number[]> {
  const time = `${new Date(now * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const rows = await tx.query(
    `UPDATE entry SET data = data || $3::text::jsonb, status = 'done', timestamp_modified = $1
     WHERE id IN (
       SELECT id FROM (
         SELECT id, data FROM entry WHERE ${RUN} AND deleted_at IS NULL AND timestamp_created <= $4::float8
         ORDER BY timestamp_created DESC LIMIT ${LOOK_BACK}
       ) AS newest
       WHERE id <> $2 AND jsonb_typeof(data) = 'object'
         AND data->>'finished_at' IS NULL AND data->'crashed_at' IS NULL)
     RETURNING id`,
    [
      now,
      ownId,
      jsonText({
        crashed_at: now,
        errors: 1,
        error_details: `the tick was interrupted before its end; its record was closed by the tick of ${time}`,
      }),
      now + TOLERANCE,
    ],
  );
  if (rows.length === 0) return [];
  const newest = await tx.query(
    `SELECT timestamp_created AS at, data->>'finished_at' IS NOT NULL AS finished FROM entry
     WHERE ${RUN} AND deleted_at IS NULL AND timestamp_created <= $2::float8 AND id <> $1
     ORDER BY timestamp_created DESC LIMIT ${LOOK_BACK}`,
    [ownId, now + TOLERANCE],
  );
  const last = newest.findIndex(({ finished }) => finished === true);
  const crashed = last < 0 ? newest : newest.slice(0, last);
  return crashed.map(({ at }) => Number(at)).reverse();
}

/** What the last ticks recorded of each alarm: the last one over all alarms, and later ones over some of them. */
export async function latestPerAlarm(db: Queryable, now: number): Promise<JsonObject> {
  const rows = await db.query(
    `SELECT data->'per_alarm' AS per_alarm FROM entry
     WHERE ${LIVE_RUN} AND jsonb_typeof(data->'per_alarm') = 'object'
       AND timestamp_created <= $1::float8 AND timestamp_created >= coalesce(
         (SELECT max(timestamp_created) FROM entry
          WHERE ${LIVE_RUN} AND jsonb_typeof(data->'per_alarm') = 'object' AND data->'only' IS NULL
            AND timestamp_created <= $1::float8), 0)
     ORDER BY timestamp_created`,
    [now + TOLERANCE],
  );
  const latest: JsonObject = {};
  for (const { per_alarm: perAlarm } of rows)
    if (isJsonObject(perAlarm)) Object.assign(latest, perAlarm);
  return latest;
}

/** Runs that are searched for one of an alarm. */
const SEARCHED = 1_000;

/** When the newest finished tick started that has the alarm; `entryId` is that of its row. */
export async function lastRunOf(db: Queryable, entryId: string): Promise<number | undefined> {
  const [row] = await db.query(
    `SELECT started_at FROM (
       SELECT timestamp_created AS started_at, data FROM entry WHERE ${LIVE_RUN}
       ORDER BY timestamp_created DESC LIMIT ${SEARCHED}) AS newest
     WHERE data->'per_alarm' ? $1 ORDER BY started_at DESC LIMIT 1`,
    [entryId],
  );
  return row === undefined ? undefined : Number(row.started_at);
}

/** The last ticks, newest first, with or without their alarms' parts; all of them with the limit 0. */
export async function listEngineRuns(
  db: Queryable,
  limit: number,
  withAlarms: boolean,
): Promise<readonly ListedRun[]> {
  const rows = await db.query(
    `SELECT id, timestamp_created,
            CASE WHEN jsonb_typeof(data) = 'object' AND NOT $2::boolean THEN data - 'per_alarm' ELSE data END AS data
     FROM entry WHERE ${LIVE_RUN} ORDER BY timestamp_created DESC LIMIT $1::int`,
    [limit || null, withAlarms],
  );
  return rows.map(listedRun);
}

export type ListedRun = ReturnType<typeof listedRun>;

function listedRun(row: Row) {
  const data = readData(row.data);
  return {
    id: String(row.id),
    startedAt: Number(row.timestamp_created),
    finishedAt: data.number("finished_at"),
    /** When a later tick found that it would not finish. */
    crashedAt: data.number("crashed_at"),
    alarmsRun: data.number("alarms_run") ?? 0,
    alarmsSeen: data.number("alarms_seen") ?? 0,
    notificationsSent: data.number("notifications_sent") ?? 0,
    errors: data.number("errors") ?? 0,
    errorDetails: data.text("error_details") ?? "",
    partial: data.has("only"),
    /** Empty if listed without them. */
    perAlarm: data.object("per_alarm"),
  };
}

/** Starts of ticks that show how often they run. */
const STARTS = 13;

/**
 * The last certain time, while the clock is in doubt, the time of the newest run or event, and when the last ticks
 * started, newest first.
 */
export async function lastTimes(db: Queryable) {
  const [row] = await db.query(
    `SELECT (SELECT data->'certain_at' FROM entry WHERE name = 'state:clock:engine' AND status = 'active' AND ${LIVE}) AS certain,
            coalesce((SELECT max(timestamp_created) FROM entry WHERE ${LIVE_RUN}),
                     (SELECT max(timestamp_created) FROM entry WHERE kind = 'event' AND ${LIVE})) AS newest,
            ARRAY((SELECT timestamp_created FROM entry WHERE ${LIVE_RUN} AND data->'only' IS NULL
                   ORDER BY timestamp_created DESC LIMIT ${STARTS})
                  UNION ALL
                  (SELECT timestamp_created FROM entry WHERE kind = 'skipped_tick' AND ${LIVE}
                   ORDER BY timestamp_created DESC LIMIT ${STARTS})) AS starts`,
  );
  const time = (value: unknown) => (typeof value === "number" ? value : undefined);
  const starts: readonly unknown[] = Array.isArray(row?.starts) ? row.starts : [];
  return {
    certain: time(row?.certain),
    newest: time(row?.newest),
    starts: starts
      .map(Number)
      .sort((a, b) => b - a)
      .slice(0, STARTS),
  };
}

/**
 * Marks the records of a clock that was ahead as deleted: until their time comes, lists and dashboards would show
 * them as the last ticks.
 */
export async function setAside(tx: Transaction, after: number, now: number): Promise<void> {
  await tx.query(
    `UPDATE entry SET deleted_at = $1::float8, timestamp_modified = $1::float8
     WHERE kind IN ('engine_run', 'skipped_tick') AND context_id = '${ALARMS_CONTEXT}' AND deleted_at IS NULL
       AND timestamp_created > $2::float8`,
    [now, after + TOLERANCE],
  );
}
