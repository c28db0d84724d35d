import { EMAIL } from "../core/alarm_channels.ts";
import { TOLERANCE } from "../core/clock.ts";
import { ENGINE, eventEntryId } from "../core/event_key.ts";
import type { ActiveEvent, ActiveEvents, AlarmRow, Outcome, SafeDetection } from "../core/model.ts";
import type { OpenedEvent, UnsentClear } from "../core/notice.ts";
import type { Queryable, SqlValue, Transaction } from "./database.ts";
import { ALARMS_CONTEXT, insertEntries, LIVE, type NewEntry } from "./entry.ts";
import { CONTENT_MARK } from "./event_list.ts";
import { noticesReader } from "./notices.ts";

/** UUIDs of event rows. */
type Ids = readonly string[];

/** Ids per statement. */
const BATCH = 20_000;

/** The condition of the partial unique index; statements repeat it so that Postgres can use the index. */
export const ACTIVE = `kind = 'event' AND ${LIVE}
    AND data->>'clear_time' IS NULL`;

/**
 * The same rows when their ids are given, worded so that no index matches: Postgres underestimates how
 * many events are active, and would read all of them instead of looking up the ids.
 */
const STILL_ACTIVE = `kind || ' ' || context_id = 'event ${ALARMS_CONTEXT}' AND archived = false AND deleted_at IS NULL
    AND coalesce(data->'clear_time', 'null') = 'null'`;

/**
 * The condition of the partial index on cleared events that some channels still have to hear of. Earlier versions
 * wrote `mail_owed`.
 */
export const UNSENT_CLEAR = `kind = 'event' AND ${LIVE}
    AND (data->'swf' ? 'unsent' OR data->>'mail_owed' = 'true')`;

/** SQL for what an event's row says about its notifications, as JSON text; `last_notified` counts where nothing else does. */
const NOTICES = `jsonb_build_array(data->'swf', CASE WHEN data->'swf'->'notified' IS NULL THEN data->'last_notified' END,
              data->'mail_owed')::text`;

/** SQL for a number in `data`: 0 if it is missing, has another type, or is too large for a time or a counter. */
function numberAt(key: string, object = "data"): string {
  return `CASE WHEN jsonb_typeof(${object}->'${key}') = 'number' THEN
            CASE WHEN abs((${object}->>'${key}')::numeric) < 1e15 THEN (${object}->>'${key}')::float8 ELSE 0 END
          ELSE 0 END`;
}

/** All active events of an alarm, in the order of their index. */
export async function activeEvents(db: Queryable, alarmName: string): Promise<ActiveEvents> {
  const events = new Map<string, ActiveEvent>();
  const notices = noticesReader();
  for (let after: string | undefined = ""; after !== undefined; ) {
    const rows = await db.query(
      `SELECT id, data->>'dedupe_key' AS "dedupeKey", md5(data->>'dedupe_key') AS digest,
              ${numberAt("fire_time")} AS "fireTime", ${NOTICES} AS notices,
              ${numberAt("clear_held_at")} AS "clearHeldAt"
       FROM entry
       WHERE ${ACTIVE} AND data->>'entry_id' = $1 AND md5(data->>'dedupe_key') > $2
       ORDER BY md5(data->>'dedupe_key') LIMIT ${BATCH}`,
      [eventEntryId(alarmName), after],
    );
    for (const row of rows) {
      const dedupeKey = String(row.dedupeKey);
      events.set(dedupeKey, {
        id: String(row.id),
        dedupeKey,
        fireTime: Number(row.fireTime),
        notices: notices(row.notices),
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
  for (const { id, dedupeKey } of events) {
    const detection = facts.detections.get(dedupeKey);
    if (detection !== undefined) yield newEvent(id, detection, facts);
  }
}

/** JSON leaves them out. */
const NOT_YET = {
  last_notified: undefined,
  mail_owed: undefined,
  clear_held_at: undefined,
  clear_reason: undefined,
};

/** The row contract of a new event: the detection's own data comes first, so that the engine's keys win. */
function newEvent(
  id: string,
  detection: SafeDetection,
  { alarm, recipientsOf, fireTime }: FiringFacts,
): NewEntry {
  const own = detection.recipients;
  const head = alarm.description.trimEnd();
  return {
    id,
    title: detection.subject,
    content: head === "" ? detection.body : `${head}${CONTENT_MARK}${detection.body}`,
    data: {
      ...detection.data,
      // The engine's own keys; a module that breaks the worker's code could send them.
      ...NOT_YET,
      entry_id: eventEntryId(alarm.name),
      fire_time: fireTime,
      clear_time: null,
      last_seen: fireTime,
      dedupe_key: detection.dedupeKey,
      subject: detection.subject,
      recipients: recipientsOf(detection),
      alarm_config_id: alarm.id,
      swf: { news_at: fireTime, news: "fired", ...(own.length > 0 && { recipients: own }) },
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
  ids: Ids,
  /** `unsent`: the channels that have to hear of it. */
  { reason, unsent }: { readonly reason: string; readonly unsent: readonly string[] },
  now: number,
): Promise<void> {
  const data = `jsonb_set(data || jsonb_build_object('clear_time', $2::float8, 'clear_reason', $3::text), '{swf}',
    ${SWF} || jsonb_build_object('news', 'cleared', 'news_at', greatest($2, ${numberAt("last_notified")} + 0.001))
    || CASE WHEN cardinality($4::text[]) > 0 THEN jsonb_build_object('unsent', to_jsonb($4::text[])) ELSE '{}' END)`;
  const seen = numberAt("last_seen");
  const condition = `${STILL_ACTIVE} AND NOT (${seen} > $2 AND ${seen} <= $2 + ${TOLERANCE})`;
  await updateEvents(tx, ids, data, [now, reason, unsent], condition);
}

/** SQL for the object that this engine adds to an event; earlier versions added none. */
const SWF = `CASE WHEN jsonb_typeof(data->'swf') = 'object' THEN data->'swf' ELSE '{}' END`;
/** The same with what counts as `swf.notified` and `swf.unsent` in rows of earlier versions. */
const FULL_SWF = `(CASE WHEN ${numberAt("last_notified")} > 0
         THEN jsonb_build_object('notified', jsonb_build_object('${EMAIL}', data->'last_notified')) ELSE '{}' END
       || CASE WHEN data->>'mail_owed' = 'true' THEN '{"unsent": ["${EMAIL}"]}'::jsonb ELSE '{}' END
       || ${SWF})`;

/** A notification that was delivered, and the events that it named. */
export interface Stamp {
  readonly channel: string;
  /** Epoch seconds of the tick that composed it. */
  readonly composedAt: number;
  readonly to: readonly string[];
  readonly firing: Ids;
  /** Of `firing`, those that it reminded of. */
  readonly reminded: Ids;
  readonly cleared: Ids;
}

/** SQL for the time of the latest news. */
const NEWS_AT = `CASE WHEN data->'swf' ? 'news_at' THEN ${numberAt("news_at", "data->'swf'")} ELSE ${numberAt("fire_time")} END`;

/** Records a delivered notification on every event that it named, cleared ones too; `now` is the tick's time. */
export async function stampNotified(
  tx: Transaction,
  { channel, composedAt, to, firing, reminded, cleared }: Stamp,
  now: number,
): Promise<void> {
  // Times of a clock that was ahead would make each later notification look too old.
  const last = `CASE WHEN ${numberAt("last_notified")} > $2 THEN 0 ELSE ${numberAt("last_notified")} END`;
  const news = `CASE WHEN ${NEWS_AT} > $2 THEN jsonb_build_object('news_at', least($2::float8, $4::float8)) ELSE '{}' END`;
  // Several channels may remind in one tick.
  const stamped = (
    unsent: string,
    reminders: string,
  ) => `jsonb_set(data - 'mail_owed', '{swf}', ${unsent}
      || jsonb_build_object(
        'notified', coalesce(${FULL_SWF}->'notified', '{}') || jsonb_build_object($3::text, $4::float8),
        'to', coalesce(${SWF}->'to', '{}') || jsonb_build_object($3, to_jsonb($5::text[]))${reminders}) || ${news})
    || jsonb_build_object('last_notified', greatest($4, ${last}))`;
  const counted = `, 'reminders', coalesce((data->'swf'->>'reminders')::float8, 0) + CASE WHEN ${last} < $4 THEN 1 ELSE 0 END`;
  const params = [now, channel, composedAt, to];
  const isReminder = new Set(reminded);
  const others = isReminder.size === 0 ? firing : firing.filter((id) => !isReminder.has(id));
  await updateEvents(tx, others, stamped(FULL_SWF, ""), params, "true");
  await updateEvents(tx, reminded, stamped(FULL_SWF, counted), params, "true");
  await updateEvents(tx, cleared, stamped(WITHOUT_CHANNEL, ""), params, "true");
}

/** Without the channel $3 in `unsent`, and without that if it is empty. */
const WITHOUT_CHANNEL = `CASE WHEN (${FULL_SWF}->'unsent') - $3::text = '[]' THEN ${FULL_SWF} - 'unsent'
       WHEN ${FULL_SWF} ? 'unsent' THEN jsonb_set(${FULL_SWF}, '{unsent}', (${FULL_SWF}->'unsent') - $3::text)
       ELSE ${FULL_SWF} END`;

/** A channel no longer has to hear that the events have cleared. */
export async function forgetUnsent(
  tx: Transaction,
  ids: Ids,
  channel: string,
  now: number,
): Promise<void> {
  const data = `jsonb_set(data - 'mail_owed', '{swf}', ${WITHOUT_CHANNEL})`;
  await updateEvents(tx, ids, data, [now, channel], "true");
}

/** Sets `data` to an SQL expression, in batches of ids; `$2`, the first of `params`, is the time. */
async function updateEvents(
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

/** A notification names no more of them; the next one names the rest. */
const UNSENT_CLEARS = 1_000;

/** Cleared events that some channels still have to hear of, oldest first. */
export async function unsentClears(
  db: Queryable,
  alarmName: string,
): Promise<readonly UnsentClear[]> {
  const rows = await db.query(
    `SELECT id, COALESCE(data->>'dedupe_key', id) AS "dedupeKey", ${NOTICES} AS notices,
            ${numberAt("fire_time")} AS "fireTime", ${numberAt("clear_time")} AS "clearTime"
     FROM entry
     WHERE ${UNSENT_CLEAR} AND data->>'entry_id' = $1
     ORDER BY timestamp_created, id LIMIT ${UNSENT_CLEARS}`,
    [eventEntryId(alarmName)],
  );
  const notices = noticesReader();
  return rows.map((row) => {
    const { unsent, ...rest } = notices(row.notices);
    return {
      id: String(row.id),
      dedupeKey: String(row.dedupeKey),
      fireTime: Number(row.fireTime),
      clearTime: Number(row.clearTime),
      notices: rest,
      unsent,
    };
  });
}
