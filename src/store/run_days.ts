import { randomUUID } from "node:crypto";
import { fallback, nullable, number, object, optional, parse, safeParse, unknown } from "valibot";
import { type AlarmDay, type DayCounts, mergeDays } from "../core/engine_day.ts";
import { DAY, dayToFold, foldBefore, type Sweep } from "../core/retention.ts";
import { isJsonObject, type JsonObject } from "../text/json.ts";
import type { Database, Queryable } from "./database.ts";
import { ALARMS_CONTEXT, jsonText } from "./entry.ts";
import { numberAt } from "./events.ts";
import { CREATED, type Extent, extent, extentOf, type Step, UNREFERENCED } from "./prune.ts";

/** Runs that one statement removes at most: a day of them every five minutes. */
const RUNS = 300;
/** Runs that dashboards show, and that the engine itself looks back upon. */
const SHOWN = 20;
const LOCK = "swf-alarms retention";

const OF_RUNS = `kind = 'engine_run' AND context_id = '${ALARMS_CONTEXT}'`;
const OF_SKIPS = `kind = 'skipped_tick' AND context_id = '${ALARMS_CONTEXT}'`;
const RUNS_DUE = `${OF_RUNS} AND ${CREATED} AND ${UNREFERENCED}`;
const SKIPS_DUE = `${OF_SKIPS} AND ${CREATED} AND ${UNREFERENCED}`;

/**
 * Puts one row in the place of some runs and skipped ticks of the oldest day. Both happen in one
 * transaction, so that dying in between neither loses a tick nor counts it twice.
 */
export async function foldRuns(db: Database, sweep: Sweep, now: number): Promise<Step> {
  const { from, before } = sweep;
  const day = dayToFold({ ...(await lookAtRuns(db, from, before)), before });
  if (day === undefined) return { removed: {}, reached: before };
  const gone = await db.transaction(async (tx) => {
    // Two that fold the same day, a tick and a command, would each add to what the other has not written yet.
    await tx.query(`SELECT pg_advisory_xact_lock(hashtext('${LOCK}'))`);
    const removed = await removeRuns(tx, day, day + DAY);
    if (removed.ticks + removed.skipped > 0) await addToDay(tx, day, removed, now);
    return removed;
  });
  const isWhole = gone.ticks < RUNS && gone.skipped < RUNS;
  return {
    removed: { "engine runs": gone.ticks, "skipped ticks": gone.skipped },
    reached: isWhole ? day + DAY : day,
  };
}

const LookRow = object({ oldest: nullable(number()), shown_from: nullable(number()) });

async function lookAtRuns(db: Queryable, from: number, before: number) {
  const [row] = await db.query(
    `SELECT least((SELECT min(timestamp_created) FROM entry WHERE ${OF_RUNS} AND ${CREATED}),
                  (SELECT min(timestamp_created) FROM entry WHERE ${OF_SKIPS} AND ${CREATED})) AS oldest,
            (SELECT timestamp_created FROM entry
             WHERE ${OF_RUNS} AND archived = false AND deleted_at IS NULL AND data->'only' IS NULL
             ORDER BY timestamp_created DESC OFFSET ${SHOWN} - 1 LIMIT 1) AS shown_from`,
    [from, before],
  );
  const { oldest, shown_from: shownFrom } = parse(LookRow, row);
  return { oldest: oldest ?? undefined, shownFrom: shownFrom ?? undefined };
}

const count = fallback(number(), 0);
const AlarmDayData = object({
  ticks: count,
  errors: count,
  opened: count,
  cleared: count,
  alarms_seen_most: count,
  alarms_seen_last: count,
  last_at: count,
});
const DayData = object({
  ticks: count,
  crashed: count,
  skipped: count,
  errors: count,
  notifications_sent: count,
  per_alarm: optional(unknown()),
});

async function removeRuns(db: Queryable, from: number, before: number): Promise<DayCounts> {
  const [row] = await db.query(
    `WITH gone AS (
       DELETE FROM entry WHERE id = ANY (ARRAY(
         SELECT id FROM entry WHERE ${RUNS_DUE} ORDER BY timestamp_created LIMIT ${RUNS}))
       RETURNING timestamp_created AS at, data),
     skipped AS (
       DELETE FROM entry WHERE id = ANY (ARRAY(
         SELECT id FROM entry WHERE ${SKIPS_DUE} ORDER BY timestamp_created LIMIT ${RUNS}))
       RETURNING 1),
     noted AS (
       SELECT gone.at, alarm.key AS alarm, alarm.value AS data
       FROM gone CROSS JOIN LATERAL jsonb_each(
         CASE WHEN jsonb_typeof(coalesce(gone.data->'per_alarm', gone.data->'per_check')) = 'object'
           THEN coalesce(gone.data->'per_alarm', gone.data->'per_check') ELSE '{}' END) AS alarm),
     counted AS (
       SELECT alarm, at, ${numberAt("errors")} AS errors, ${numberAt("opened")} AS opened,
              ${numberAt("cleared")} AS cleared, ${numberAt("alarms_seen")} AS seen
       FROM noted),
     alarms AS (
       SELECT alarm, count(*)::int AS ticks, count(*) FILTER (WHERE errors <> 0)::int AS errors,
              sum(opened) AS opened, sum(cleared) AS cleared, max(seen) AS alarms_seen_most,
              (array_agg(seen ORDER BY at DESC, seen DESC))[1] AS alarms_seen_last, max(at) AS last_at
       FROM counted GROUP BY alarm)
     SELECT count(*)::int AS ticks, count(*) FILTER (WHERE data->>'finished_at' IS NULL)::int AS crashed,
            (SELECT count(*)::int FROM skipped) AS skipped,
            coalesce(sum(${numberAt("errors")}), 0) AS errors,
            coalesce(sum(${numberAt("notifications_sent")}), 0) AS notifications_sent,
            (SELECT coalesce(jsonb_object_agg(alarm, to_jsonb(alarms)), '{}') FROM alarms) AS per_alarm
     FROM gone`,
    [from, before],
  );
  return dayCounts(row);
}

/** A day's counters as rows hold them; what cannot be read counts nothing. */
function dayCounts(data: unknown): DayCounts {
  const { notifications_sent: notificationsSent, per_alarm, ...counts } = parse(DayData, data);
  // No schema of a record: those leave out an alarm that is named like an object's own parts.
  const parts = isJsonObject(per_alarm) ? per_alarm : {};
  const alarms = Object.entries(parts).flatMap(([entryId, value]): [string, AlarmDay][] => {
    const { success, output } = safeParse(AlarmDayData, value);
    if (!success) return [];
    const { alarms_seen_most, alarms_seen_last, last_at, ...day } = output;
    const seen = { seenMost: alarms_seen_most, seenLast: alarms_seen_last, lastAt: last_at };
    return [[entryId, { ...day, ...seen }]];
  });
  return { ...counts, notificationsSent, alarms: new Map(alarms) };
}

function dayData({ notificationsSent, alarms, ...counts }: DayCounts): JsonObject {
  const perAlarm = [...alarms].map(([entryId, { seenMost, seenLast, lastAt, ...day }]) => {
    const seen = { alarms_seen_most: seenMost, alarms_seen_last: seenLast, last_at: lastAt };
    return [entryId, { ...day, ...seen }] as const;
  });
  return {
    ...counts,
    notifications_sent: notificationsSent,
    per_alarm: Object.fromEntries(perAlarm),
  };
}

/** Adds to the day's row, or makes it. Throws where another program has a row of its name. */
async function addToDay(db: Queryable, day: number, counts: DayCounts, now: number): Promise<void> {
  const date = new Date(day * 1000).toISOString().slice(0, 10);
  const name = `engine_day:${date}`;
  const [known] = await db.query(
    `SELECT data FROM entry WHERE context_id = '${ALARMS_CONTEXT}' AND name = $1`,
    [name],
  );
  const before = isJsonObject(known?.data) ? known.data : {};
  const data = {
    ...before,
    entry_id: `day_${date}`,
    ...dayData(mergeDays(dayCounts(before), counts)),
  };
  const written = await db.query(
    `INSERT INTO entry (id, title, content, kind, name, data, priority, status, archived,
                        timestamp_created, timestamp_modified, deleted_at, parent_id, context_id)
     VALUES ($1, $2, '', 'engine_day', $3, $4::text::jsonb, NULL, 'done', false, $5, $6, NULL, NULL, '${ALARMS_CONTEXT}')
     ON CONFLICT (context_id, name) WHERE name IS NOT NULL DO UPDATE
       SET data = EXCLUDED.data, timestamp_modified = EXCLUDED.timestamp_modified
       WHERE entry.kind = 'engine_day'
     RETURNING id`,
    [randomUUID(), `Engine day ${date}`, name, jsonText(data), day, now],
  );
  if (written.length === 0)
    throw new Error(
      `cannot keep the counters of ${date}: a row of another kind has the name ${name}; rename it`,
    );
}

export interface RunExtent {
  readonly runs: Extent;
  readonly skipped: Extent;
  /** Days that one row each would stand for. */
  readonly days: number;
}

/** Counts the runs and the skipped ticks of a sweep. */
export async function countRuns(db: Queryable, sweep: Sweep): Promise<RunExtent> {
  const { shownFrom } = await lookAtRuns(db, sweep.from, sweep.before);
  const range = [sweep.from, foldBefore(sweep.before, shownFrom)];
  const runs = extentOf(await db.query(extent(RUNS_DUE), range));
  const skipped = extentOf(await db.query(extent(SKIPS_DUE), range));
  const [days] = await db.query(
    `SELECT count(DISTINCT floor(timestamp_created / 86400))::int AS days
     FROM entry WHERE (${OF_RUNS} OR ${OF_SKIPS}) AND ${CREATED} AND ${UNREFERENCED}`,
    range,
  );
  return { runs, skipped, days: Number(days?.days ?? 0) };
}
