import { number, object, parse, string } from "valibot";
import { eventEntryId } from "../core/event_key.ts";
import type {
  ActiveEvent,
  ActiveEvents,
  AlarmRow,
  Detections,
  SafeDetection,
} from "../core/model.ts";
import type { OpenedEvent } from "../core/notice.ts";
import type { Queryable } from "./database.ts";
import { ALARMS_CONTEXT, entryTitle, plainJsonText } from "./entry.ts";
import { CONTENT_MARK } from "./event_texts.ts";

/** Rows per statement: bounds what one statement carries, whatever the number of detections. */
const BATCH = 20_000;
/** Characters of JSON per statement: Postgres takes no more than 256 MB of jsonb. */
const BATCH_SIZE = 16 * 2 ** 20;

/** The rows of the partial unique index; statements repeat its words so that Postgres can use it. */
const ACTIVE = `kind = 'event' AND context_id = '${ALARMS_CONTEXT}' AND archived = false AND deleted_at IS NULL
    AND data->>'clear_time' IS NULL`;

/**
 * The same rows, where their ids are given: in words that no index has, or else Postgres reads all events
 * of all alarms for each statement, as it takes them for few.
 */
const STILL_ACTIVE = `kind || ' ' || context_id = 'event ${ALARMS_CONTEXT}' AND archived = false AND deleted_at IS NULL
    AND coalesce(data->'clear_time', 'null') = 'null'`;

const ActiveRow = object({
  id: string(),
  dedupe_key: string(),
  digest: string(),
  fire_time: number(),
  last_notified: number(),
  clear_held_at: number(),
});

/**
 * All active events of an alarm, in the order of the index that holds them. Rows of other programs may
 * lack times; they count as 0.
 */
export async function activeEvents(db: Queryable, alarmName: string): Promise<ActiveEvents> {
  const events = new Map<string, ActiveEvent>();
  for (let after: string | undefined = ""; after !== undefined; ) {
    const rows = await db.query(
      `SELECT id, data->>'dedupe_key' AS dedupe_key, md5(data->>'dedupe_key') AS digest,
              ${numberAt("fire_time")} AS fire_time, ${numberAt("last_notified")} AS last_notified,
              ${numberAt("clear_held_at")} AS clear_held_at
       FROM entry
       WHERE ${ACTIVE} AND data->>'entry_id' = $1 AND md5(data->>'dedupe_key') > $2
       ORDER BY md5(data->>'dedupe_key') LIMIT ${BATCH}`,
      [eventEntryId(alarmName), after],
    );
    after = undefined;
    for (const row of rows) {
      const { dedupe_key: dedupeKey, digest, ...found } = parse(ActiveRow, row);
      events.set(dedupeKey, {
        id: found.id,
        dedupeKey,
        fireTime: found.fire_time,
        lastNotified: found.last_notified === 0 ? undefined : found.last_notified,
        clearHeldAt: found.clear_held_at === 0 ? undefined : found.clear_held_at,
      });
      if (rows.length === BATCH) after = digest;
    }
  }
  return events;
}

/** What is no number, one beyond all times and counters included, counts as 0. */
export function numberAt(key: string): string {
  return `CASE WHEN jsonb_typeof(data->'${key}') = 'number' THEN
            CASE WHEN abs((data->>'${key}')::numeric) < 1e15 THEN (data->>'${key}')::float8 ELSE 0 END
          ELSE 0 END`;
}

export interface FiringFacts {
  readonly alarm: Pick<AlarmRow, "id" | "name" | "description">;
  readonly detections: Pick<Detections, "get">;
  /** Resolved addresses; an array, because the dashboard joins it. */
  readonly recipients: readonly string[];
  /** The tick's time, so that the tick that fires shows as firing. */
  readonly fireTime: number;
}

/**
 * Makes the rows of newly detected entities. Gives the ids that were made: an entity that another
 * process made active in the meantime is left to it.
 */
export async function openEvents(
  db: Queryable,
  events: readonly OpenedEvent[],
  facts: FiringFacts,
): Promise<ReadonlySet<string>> {
  const made = new Set<string>();
  for (const batch of textBatches(rowTexts(events, facts))) {
    const rows = await db.query(
      `INSERT INTO entry (id, title, content, kind, name, data, priority, status, archived,
                          timestamp_created, timestamp_modified, deleted_at, parent_id, context_id)
       SELECT event.id, event.title, event.content, 'event', NULL, event.data, NULL, 'active', false,
              $2::float8, $2::float8, NULL, NULL, '${ALARMS_CONTEXT}'
       FROM jsonb_to_recordset($1::text::jsonb) AS event (id text, title text, content text, data jsonb)
       ON CONFLICT ((data->>'entry_id'), md5(data->>'dedupe_key')) WHERE ${ACTIVE} DO NOTHING
       RETURNING id`,
      [`[${batch.join(",")}]`, facts.fireTime],
    );
    for (const row of rows) made.add(String(row.id));
  }
  return made;
}

/** One at a time, so that not all of many are in memory; of what is known by its key alone there is no row to make. */
function* rowTexts(events: readonly OpenedEvent[], facts: FiringFacts): Generator<string> {
  for (const { id, dedupeKey } of events) {
    const detection = facts.detections.get(dedupeKey);
    if (detection !== undefined) yield plainJsonText(eventColumns(id, detection, facts));
  }
}

/** The row contract of a new event: the detection's own data first, so that the engine's keys win. */
function eventColumns(
  id: string,
  detection: SafeDetection,
  { alarm, recipients, fireTime }: FiringFacts,
) {
  const head = alarm.description.trimEnd();
  return {
    id,
    title: entryTitle(detection.subject),
    content: head === "" ? detection.body : `${head}${CONTENT_MARK}${detection.body}`,
    data: {
      ...detection.data,
      entry_id: eventEntryId(alarm.name),
      fire_time: fireTime,
      clear_time: null,
      last_seen: fireTime,
      dedupe_key: detection.dedupeKey,
      subject: detection.subject,
      recipients: [...recipients],
      alarm_config_id: alarm.id,
    },
  };
}

/**
 * Notes that the entities were detected again; a clear that was held back is off the table. Gives how many
 * of them are still active.
 */
export async function touchEvents(
  db: Queryable,
  ids: readonly string[],
  now: number,
): Promise<number> {
  let touched = 0;
  for (const batch of batches(ids)) {
    const [row] = await db.query(
      `WITH touched AS (
         UPDATE entry SET data = jsonb_set(data - 'clear_held_at', '{last_seen}', to_jsonb($2::float8)), timestamp_modified = $2
         WHERE id = ANY($1::text[]) AND ${STILL_ACTIVE} RETURNING 1)
       SELECT count(*)::int AS count FROM touched`,
      [batch, now],
    );
    touched += Number(row?.count ?? 0);
  }
  return touched;
}

/** Notes that the clear guard held the events back. */
export async function holdEvents(
  db: Queryable,
  ids: readonly string[],
  now: number,
): Promise<void> {
  for (const batch of batches(ids)) {
    await db.query(
      `UPDATE entry SET data = jsonb_set(data, '{clear_held_at}', to_jsonb($2::float8)), timestamp_modified = $2
       WHERE id = ANY($1::text[]) AND ${STILL_ACTIVE}`,
      [batch, now],
    );
  }
}

export interface ClearFacts {
  readonly reason: string;
  /** Whether the alarm mails: an event that no confirmed mail has named is then owed one. */
  readonly mailOn: boolean;
}

/** Ends the events that are still active. Gives how many were. */
export async function clearEvents(
  db: Queryable,
  ids: readonly string[],
  { reason, mailOn }: ClearFacts,
  now: number,
): Promise<number> {
  let cleared = 0;
  for (const batch of batches(ids)) {
    const rows = await db.query(
      `UPDATE entry SET data = data || jsonb_build_object('clear_time', $2::float8, 'clear_reason', $3::text)
                          || CASE WHEN $4::boolean AND ${numberAt("last_notified")} = 0
                             THEN '{"mail_owed": true}'::jsonb ELSE '{}'::jsonb END,
                        timestamp_modified = $2
       WHERE id = ANY($1::text[]) AND ${STILL_ACTIVE} RETURNING id`,
      [batch, now, reason, mailOn],
    );
    cleared += rows.length;
  }
  return cleared;
}

/** Notes a confirmed mail on every event that it named: nothing of them is owed any more. */
export async function stampNotified(
  db: Queryable,
  ids: readonly string[],
  now: number,
): Promise<void> {
  for (const batch of batches(ids)) {
    await db.query(
      `UPDATE entry SET data = jsonb_set(data - 'mail_owed', '{last_notified}', to_jsonb($2::float8)),
                        timestamp_modified = $2
       WHERE id = ANY($1::text[])`,
      [batch, now],
    );
  }
}

/** Batches of JSON texts, bounded in number and in size. */
function* textBatches(texts: Iterable<string>): Generator<readonly string[]> {
  let batch: string[] = [];
  let size = 0;
  for (const text of texts) {
    if (batch.length === BATCH || (batch.length > 0 && size + text.length > BATCH_SIZE)) {
      yield batch;
      batch = [];
      size = 0;
    }
    batch.push(text);
    size += text.length;
  }
  if (batch.length > 0) yield batch;
}

function* batches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += BATCH) yield items.slice(start, start + BATCH);
}
