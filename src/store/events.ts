import { TOLERANCE } from "../core/clock.ts";
import { ENGINE, eventEntryId } from "../core/event_key.ts";
import { NO_LEVEL } from "../core/level.ts";
import type { ActiveEvent, ActiveEvents, AlarmRow, Outcome, SafeDetection } from "../core/model.ts";
import type { OpenedEvent } from "../core/notice.ts";
import { RECOVERED } from "../core/reconcile.ts";
import type { Queryable, SqlValue, Transaction } from "./database.ts";
import { ALARMS_CONTEXT, insertEntries, jsonText, LIVE, type NewEntry, numberAt } from "./entry.ts";
import { CONTENT_MARK } from "./event_list.ts";
import { LEVEL, levelReader, NOTICES, SWF, swfReader } from "./notices.ts";

/** UUIDs of event rows. */
export type Ids = readonly string[];

/** Ids per statement. */
export const BATCH = 20_000;

/** The condition of the partial unique index; statements repeat it so that Postgres can use the index. */
export const ACTIVE = `kind = 'event' AND ${LIVE}
    AND data->>'clear_time' IS NULL`;

/**
 * The same rows when their ids are given, worded so that no index matches: Postgres underestimates how
 * many events are active, and would read all of them instead of looking up the ids.
 */
export const STILL_ACTIVE = `kind || ' ' || context_id = 'event ${ALARMS_CONTEXT}' AND archived = false AND deleted_at IS NULL
    AND coalesce(data->'clear_time', 'null') = 'null'`;

/** All active events of an alarm, in the order of their index. */
export async function activeEvents(db: Queryable, alarmName: string): Promise<ActiveEvents> {
  const events = new Map<string, ActiveEvent>();
  const read = swfReader();
  const levelOf = levelReader();
  for (let after: string | undefined = ""; after !== undefined; ) {
    const rows = await db.query(
      `SELECT id, data->>'dedupe_key' AS "dedupeKey", md5(data->>'dedupe_key') AS digest,
              ${numberAt("fire_time")} AS "fireTime", ${NOTICES} AS notices, ${LEVEL} AS level,
              ${numberAt("clear_held_at")} AS "clearHeldAt"
       FROM entry
       WHERE ${ACTIVE} AND data->>'entry_id' = $1 AND md5(data->>'dedupe_key') > $2
       ORDER BY md5(data->>'dedupe_key') LIMIT ${BATCH}`,
      [eventEntryId(alarmName), after],
    );
    for (const row of rows) {
      const dedupeKey = String(row.dedupeKey);
      const { notices, peak, firstSeen } = read(row.notices);
      events.set(dedupeKey, {
        id: String(row.id),
        dedupeKey,
        fireTime: Number(row.fireTime),
        notices,
        ...levelOf(row.level),
        peak,
        firstSeen,
        // 0 is none.
        clearHeldAt: Number(row.clearHeldAt) || undefined,
      });
    }
    after = rows.length === BATCH ? String(rows.at(-1)?.digest) : undefined;
  }
  return events;
}

/** Faults that are reported one by one. */
const REPORTED = 10;
/** The time, in the statements that people run. */
const SECONDS = "extract(epoch FROM now())";

/** What is wrong with active events of other programs, and how to repair them: one line for each alarm and fault. */
export async function eventFaults(db: Queryable, now: number): Promise<readonly string[]> {
  const rows = await db.query(
    `WITH faulty AS (
       SELECT data->>'entry_id' AS entry_id, key, count(*) FROM entry, LATERAL (VALUES
         ('entry_id', data->>'entry_id' IS NULL), ('dedupe_key', data->>'dedupe_key' IS NULL),
         ('fire_time', (data->'fire_time' BETWEEN '1' AND to_jsonb($1::float8)) IS NOT TRUE)) AS judged (key, is_wrong)
       WHERE ${ACTIVE} AND is_wrong
         -- Those that the engine makes while its clock is ahead end when it is right again.
         AND data->>'entry_id' IS DISTINCT FROM '${eventEntryId(ENGINE)}' GROUP BY 1, 2)
     SELECT regexp_replace(entry_id, '^event_', '') AS name, key, count, count(*) OVER () AS faults, quote_nullable(entry_id) AS id,
            (pg_identify_object('pg_class'::regclass, 'entry'::regclass, 0)).identity AS table
     FROM faulty ORDER BY entry_id, key LIMIT ${REPORTED}`,
    [now + TOLERANCE],
  );
  const lines = rows.map(({ name, key, count, id, table }) => {
    const isTime = key === "fire_time";
    const fault = isTime
      ? "a fire_time that is not a time in epoch seconds, or in the future"
      : `no ${key}, so that nothing mails or clears them`;
    const change = isTime
      ? `'fire_time', CASE WHEN timestamp_created BETWEEN 1 AND ${SECONDS} THEN timestamp_created ELSE ${SECONDS} END`
      : `'clear_time', ${SECONDS}`;
    const wrong = isTime
      ? `(data->'fire_time' BETWEEN '1' AND to_jsonb(${SECONDS})) IS NOT TRUE`
      : `data->>'${key}' IS NULL`;
    return `${name ?? "(no alarm)"}: ${count} active event(s) have ${fault}; to repair them run: UPDATE ${table} SET data = data || jsonb_build_object(${change}) WHERE kind = 'event' AND data->>'clear_time' IS NULL AND data->>'entry_id' IS NOT DISTINCT FROM ${id} AND ${wrong}`;
  });
  const more = Number(rows[0]?.faults ?? 0) - rows.length;
  return more > 0 ? [...lines, `and ${more} more faults of active events`] : lines;
}

export interface FiringFacts {
  readonly alarm: Pick<AlarmRow, "id" | "name" | "description">;
  readonly detections: Outcome["detections"];
  /** The addresses of the alarm and of the detection; an array, because the dashboard joins it. */
  readonly recipientsOf: (detection: SafeDetection) => readonly string[];
  /** The tick's time. */
  readonly fireTime: number;
}

/**
 * Inserts the events of newly detected entities. Returns the ids that were inserted: if another process
 * opened an entity's event first, that event stands.
 */
export async function openEvents(
  tx: Transaction,
  events: readonly OpenedEvent[],
  facts: FiringFacts,
): Promise<ReadonlySet<string>> {
  return await insertEntries(
    tx,
    {
      kind: "event",
      status: "active",
      at: facts.fireTime,
      onConflict: `ON CONFLICT ((data->>'entry_id'), md5(data->>'dedupe_key')) WHERE ${ACTIVE} DO NOTHING`,
    },
    newEvents(events, facts),
  );
}

function* newEvents(events: readonly OpenedEvent[], facts: FiringFacts): Generator<NewEntry> {
  for (const event of events) {
    const detection = facts.detections.get(event.dedupeKey);
    if (detection !== undefined) yield newEvent(event, detection, facts);
  }
}

/** JSON leaves them out. */
const NOT_YET = {
  last_notified: undefined,
  mail_owed: undefined,
  clear_held_at: undefined,
  clear_reason: undefined,
  severity: undefined,
  stage: undefined,
};

/** The row contract of a new event: the detection's own data comes first, so that the engine's keys win. */
function newEvent(
  { id, level = NO_LEVEL, firstSeen }: OpenedEvent,
  detection: SafeDetection,
  { alarm, recipientsOf, fireTime }: FiringFacts,
): NewEntry {
  const own = detection.recipients;
  const { severity, stage } = level;
  const current = { ...(severity && { severity }), ...(stage !== undefined && { stage }) };
  const head = alarm.description.trimEnd();
  return {
    id,
    title: detection.subject,
    content: head === "" ? detection.body : `${head}${CONTENT_MARK}${detection.body}`,
    data: {
      ...detection.data,
      // The engine's own keys; a module that breaks the worker's code could send them.
      ...NOT_YET,
      ...current,
      entry_id: eventEntryId(alarm.name),
      fire_time: fireTime,
      clear_time: null,
      last_seen: fireTime,
      dedupe_key: detection.dedupeKey,
      subject: detection.subject,
      recipients: recipientsOf(detection),
      alarm_config_id: alarm.id,
      swf: {
        news_at: fireTime,
        news: "fired",
        ...(Object.keys(current).length > 0 && { peak: current }),
        ...(firstSeen !== undefined && { first_seen: firstSeen }),
        ...(own.length > 0 && { recipients: own }),
      },
    },
  };
}

/** Records that the entities were detected again, which also ends a held clear. */
export async function touchEvents(tx: Transaction, ids: Ids, now: number): Promise<void> {
  const data = "jsonb_set(data - 'clear_held_at', '{last_seen}', to_jsonb($2::float8))";
  await updateEvents(tx, ids, data, [now], STILL_ACTIVE);
}

/** Records that the clear guard held the events back. */
export async function holdEvents(tx: Transaction, ids: Ids, now: number): Promise<void> {
  const data = "jsonb_set(data, '{clear_held_at}', to_jsonb($2::float8))";
  await updateEvents(tx, ids, data, [now], STILL_ACTIVE);
}

/** Ends those of the events that are still active and that no later tick has seen, except by a clock that was ahead. */
export async function clearEvents(
  tx: Transaction,
  clears: readonly { readonly id: string; readonly reason: string }[],
  /** The channels that have to hear of it. */
  unsent: readonly string[],
  now: number,
): Promise<void> {
  const news = { news: "cleared", news_at: now, ...(unsent.length > 0 && { unsent }) };
  // News is later than every notification of the event, also one of a clock that was ahead.
  const data = `data || jsonb_build_object('clear_time', $2::float8, 'clear_reason', coalesce($3::text::jsonb->>id, $4::text),
      'swf', ${SWF} || $5::text::jsonb || CASE WHEN data->'last_notified' >= to_jsonb($2)
        THEN jsonb_build_object('news_at', greatest($2, ${numberAt("last_notified")} + 0.001)) ELSE '{}' END)`;
  const seen = numberAt("last_seen");
  const condition = `${STILL_ACTIVE} AND NOT (${seen} > $2 AND ${seen} <= $2 + ${TOLERANCE})`;
  for (let start = 0; start < clears.length; start += BATCH) {
    const batch = clears.slice(start, start + BATCH);
    const stated = batch.filter(({ reason }) => reason !== RECOVERED);
    const reasons = Object.fromEntries(stated.map(({ id, reason }) => [id, reason]));
    const params = [now, jsonText(reasons), RECOVERED, jsonText(news)];
    const ids = batch.map(({ id }) => id);
    await updateEvents(tx, ids, data, params, condition);
  }
}

/** Sets `data` to an SQL expression, in batches of ids; `$2`, the first of `params`, is the time. */
export async function updateEvents(
  tx: Transaction,
  ids: Ids,
  data: string,
  params: readonly SqlValue[],
  condition: string,
): Promise<void> {
  for (let start = 0; start < ids.length; start += BATCH)
    await tx.query(
      `UPDATE entry SET data = ${data}, timestamp_modified = $2
       WHERE id = ANY($1::text[]) AND ${condition}`,
      [ids.slice(start, start + BATCH), ...params],
    );
}
