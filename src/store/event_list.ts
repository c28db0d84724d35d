import { type EventTexts, metricText } from "../core/bundle.ts";
import { ENGINE_KEYS } from "../core/detection.ts";
import { eventEntryId } from "../core/event_key.ts";
import { type Level, NO_LEVEL } from "../core/level.ts";
import { isJsonObject, type JsonObject } from "../text/json.ts";
import type { Queryable, Row } from "./database.ts";
import { LIVE, readData } from "./entry.ts";
import { LEVEL, levelReader, NOTICES, type ReadSwf, swfReader } from "./notices.ts";

/** The condition of the partial indexes on events; that on active events has one more part. */
const LIVE_EVENT = `kind = 'event' AND ${LIVE}`;

export interface EventFilter {
  readonly alarm: string | undefined;
  /** Cleared ones too. */
  readonly all: boolean;
  readonly limit: number;
}

const COLUMNS = `id, title, data, ${NOTICES} AS notices, ${LEVEL} AS level`;

const NEWEST = `SELECT ${COLUMNS} FROM entry
     WHERE ${LIVE_EVENT} AND ($1::text IS NULL OR data->'entry_id' = to_jsonb($1))
     ORDER BY timestamp_created DESC, id LIMIT $2::int`;

/** All active events are found first and then sorted: a search from the newest event on could read the whole history. */
const NEWEST_ACTIVE = `WITH active AS MATERIALIZED (
       SELECT id, title, data, timestamp_created FROM entry
       WHERE ${LIVE_EVENT} AND data->>'clear_time' IS NULL AND ($1::text IS NULL OR data->>'entry_id' = $1))
     SELECT ${COLUMNS} FROM active ORDER BY timestamp_created DESC, id LIMIT $2::int`;

/** Events for people to read, newest first; all of them with the limit 0. */
export async function listEvents(
  db: Queryable,
  { alarm, all, limit }: EventFilter,
): Promise<readonly ListedEvent[]> {
  const entryId = alarm === undefined ? null : eventEntryId(alarm);
  const rows = await db.query(all ? NEWEST : NEWEST_ACTIVE, [entryId, limit || null]);
  return rows.map(eventReader());
}

/** The events of an entity, newest first; `key` is a dedupe key. */
export async function eventsOf(
  db: Queryable,
  alarm: string,
  key: string,
  limit: number,
): Promise<readonly ListedEvent[]> {
  const rows = await db.query(
    `SELECT ${COLUMNS} FROM entry
     WHERE ${LIVE_EVENT} AND data->'entry_id' = to_jsonb($1::text) AND data->>'dedupe_key' = $2
     ORDER BY timestamp_created DESC, id LIMIT $3::int`,
    [eventEntryId(alarm), key, limit],
  );
  return rows.map(eventReader());
}

/** The events with these ids that are still kept. */
export async function eventsById(
  db: Queryable,
  ids: readonly string[],
): Promise<readonly ListedEvent[]> {
  const rows = await db.query(`SELECT ${COLUMNS} FROM entry WHERE id = ANY($1::text[])`, [ids]);
  return rows.map(eventReader());
}

export interface FoundEvent {
  readonly id: string;
  /** The alarm's name. */
  readonly alarm: string;
}

/** The events that a person may mean: one by the beginning of its id, else those of the alarms with this key. */
export async function findEvents(
  db: Queryable,
  typed: string,
  alarms: readonly string[],
): Promise<readonly FoundEvent[]> {
  const isId = /^[0-9a-f-]{8,36}$/.test(typed);
  const byId = isId
    ? await db.query(
        `SELECT id, data->>'entry_id' AS entry_id FROM entry
         WHERE id LIKE $1::text || '%' AND ${LIVE_EVENT}`,
        [typed],
      )
    : [];
  const rows =
    byId.length > 0
      ? byId
      : await db.query(
          `SELECT id, data->>'entry_id' AS entry_id FROM entry
           WHERE ${LIVE_EVENT} AND data->'entry_id' = ANY($1::text[]::jsonb[]) AND data->>'dedupe_key' = $2`,
          [alarms.map((name) => JSON.stringify(eventEntryId(name))), typed],
        );
  return rows.map((row) => {
    return { id: String(row.id), alarm: String(row.entry_id).replace(/^event_/, "") };
  });
}

/** How many there are to list; with `all`, Postgres reads the whole history. */
export async function countEvents(db: Queryable, { alarm, all }: Omit<EventFilter, "limit">) {
  const [row] = await db.query(
    `SELECT count(*) FROM entry WHERE ${LIVE_EVENT} AND ($1::text IS NULL OR data->'entry_id' = to_jsonb($1))
       AND ($2::boolean OR data->>'clear_time' IS NULL)`,
    [alarm === undefined ? null : eventEntryId(alarm), all],
  );
  return Number(row?.count);
}

export interface ListedEvent extends Pick<ReadSwf, "notices" | "unsent" | "peak" | "fired"> {
  readonly id: string;
  /** The alarm's name. */
  readonly alarm: string;
  readonly dedupeKey: string;
  readonly subject: string;
  readonly level: Level;
  readonly fireTime: number | undefined;
  /** When it was first detected; its `fireTime` unless it had to settle. */
  readonly firstSeen: number | undefined;
  readonly lastSeen: number | undefined;
  readonly clearTime: number | undefined;
  readonly clearReason: string | undefined;
  /** When the clear guard held its clear. */
  readonly clearHeldAt: number | undefined;
  readonly lastNotified: number | undefined;
  /** What its detection said. */
  readonly data: JsonObject;
}

function eventReader(): (row: Row) => ListedEvent {
  const read = swfReader();
  const levelOf = levelReader();
  return (row) => {
    const data = readData(row.data);
    const { firstSeen, ...swf } = read(row.notices);
    const fireTime = data.number("fire_time");
    return {
      ...swf,
      id: String(row.id),
      alarm: (data.text("entry_id") ?? "").replace(/^event_/, ""),
      dedupeKey: data.text("dedupe_key") ?? "",
      subject: data.text("subject") ?? String(row.title),
      level: levelOf(row.level).level ?? NO_LEVEL,
      fireTime,
      firstSeen: firstSeen ?? fireTime,
      lastSeen: data.number("last_seen"),
      clearTime: data.number("clear_time"),
      clearReason: data.text("clear_reason"),
      clearHeldAt: data.number("clear_held_at"),
      lastNotified: data.number("last_notified"),
      data: withoutEngineKeys(row.data),
    };
  };
}

/** The facts of its detection. */
function withoutEngineKeys(data: unknown): JsonObject {
  const entries = Object.entries(isJsonObject(data) ? data : {});
  return Object.fromEntries(entries.filter(([key]) => !ENGINE_KEYS.has(key)));
}

/** How many events of each alarm are active, and how many of these a mail has yet to name; by the alarm's name. */
export async function eventCounts(db: Queryable) {
  const rows = await db.query(
    `SELECT data->>'entry_id' AS entry_id, count(*)::int AS active,
            count(*) FILTER (WHERE data->>'dedupe_key' IS NOT NULL AND jsonb_typeof(data->'last_notified') IS DISTINCT FROM 'number')::int AS unsent
     FROM entry
     WHERE ${LIVE_EVENT} AND data->>'clear_time' IS NULL AND data->>'entry_id' IS NOT NULL
     GROUP BY 1`,
  );
  return new Map(
    rows.map((row) => {
      const counts = { active: Number(row.active), unsent: Number(row.unsent) };
      return [String(row.entry_id).replace(/^event_/, ""), counts];
    }),
  );
}

/** Separates the alarm's description from the detection's body; the dashboards split there too. */
export const CONTENT_MARK = "\n\n---\n\n";

/** The stored texts of events, by id; the body is what follows the alarm's description. */
export async function eventTexts(
  db: Queryable,
  ids: readonly string[],
  description: string,
): Promise<ReadonlyMap<string, EventTexts>> {
  if (ids.length === 0) return new Map();
  const rows = await db.query(`SELECT ${COLUMNS}, content FROM entry WHERE id = ANY($1::text[])`, [
    ids,
  ]);
  const read = eventReader();
  return new Map(
    rows.map((row) => {
      const { id, subject, data, fired } = read(row);
      const metric = metricText(data.metric);
      return [
        id,
        {
          subject,
          body: bodyOf(String(row.content), description),
          ...(metric !== undefined && { metric }),
          ...(fired && { fired }),
        },
      ];
    }),
  );
}

/** The description may contain the mark, so the present one is tried first; the event may have fired under another. */
function bodyOf(content: string, description: string): string {
  const head = `${description.trimEnd()}${CONTENT_MARK}`;
  if (content.startsWith(head)) return content.slice(head.length);
  const mark = content.indexOf(CONTENT_MARK);
  return (mark < 0 ? "" : content.slice(mark + CONTENT_MARK.length)) || content;
}
