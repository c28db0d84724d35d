import { object, parse, string, unknown } from "valibot";
import { eventEntryId } from "../core/event_key.ts";
import { isJsonObject } from "../text/json.ts";
import type { Queryable, Row } from "./database.ts";
import { ALARMS_CONTEXT } from "./entry.ts";

/** The words of the partial indexes on events; the one of active events has one more. */
const LIVE = `kind = 'event' AND context_id = '${ALARMS_CONTEXT}' AND archived = false AND deleted_at IS NULL`;

export interface EventFilter {
  readonly alarm: string | undefined;
  /** Cleared ones too. */
  readonly all: boolean;
  readonly limit: number;
}

export interface ListedEvent {
  readonly id: string;
  readonly alarm: string;
  readonly dedupeKey: string;
  readonly subject: string;
  readonly fireTime: number | undefined;
  readonly lastSeen: number | undefined;
  readonly clearTime: number | undefined;
  readonly clearReason: string | undefined;
  readonly lastNotified: number | undefined;
}

const ListedRow = object({ id: string(), title: string(), data: unknown() });

/** Events for people to read, newest first. */
export async function listEvents(
  db: Queryable,
  filter: EventFilter,
): Promise<readonly ListedEvent[]> {
  const rows = filter.all ? await newestOf(db, filter) : await newestActive(db, filter);
  return rows.map((row) => {
    const { id, title, data: raw } = parse(ListedRow, row);
    const data = isJsonObject(raw) ? raw : {};
    const text = (value: unknown): string | undefined =>
      typeof value === "string" ? value : undefined;
    const time = (value: unknown): number | undefined =>
      typeof value === "number" ? value : undefined;
    return {
      id,
      alarm: (text(data.entry_id) ?? "").replace(/^event_/, ""),
      dedupeKey: text(data.dedupe_key) ?? "",
      subject: text(data.subject) ?? title,
      fireTime: time(data.fire_time),
      lastSeen: time(data.last_seen),
      clearTime: time(data.clear_time),
      clearReason: text(data.clear_reason),
      lastNotified: time(data.last_notified),
    };
  });
}

function newestOf(db: Queryable, { alarm, limit }: EventFilter): Promise<readonly Row[]> {
  return db.query(
    `SELECT id, title, data FROM entry
     WHERE ${LIVE} AND ($1::text IS NULL OR data->'entry_id' = to_jsonb($1))
     ORDER BY timestamp_created DESC, id LIMIT $2::int`,
    [entryIdOf(alarm), limit],
  );
}

/** Found first and sorted then: looking for them from the newest event on could read the whole history. */
function newestActive(db: Queryable, { alarm, limit }: EventFilter): Promise<readonly Row[]> {
  return db.query(
    `WITH active AS MATERIALIZED (
       SELECT id, title, data, timestamp_created FROM entry
       WHERE ${LIVE} AND data->>'clear_time' IS NULL AND ($1::text IS NULL OR data->>'entry_id' = $1))
     SELECT id, title, data FROM active ORDER BY timestamp_created DESC, id LIMIT $2::int`,
    [entryIdOf(alarm), limit],
  );
}

function entryIdOf(alarm: string | undefined): string | null {
  return alarm === undefined ? null : eventEntryId(alarm);
}

export interface EventCounts {
  readonly active: number;
  /** Active ones that no confirmed mail has named. */
  readonly unsent: number;
}

/** How many events of each alarm are active and how many of them are owed a mail, by the alarm's name. */
export async function eventCounts(db: Queryable): Promise<ReadonlyMap<string, EventCounts>> {
  const rows = await db.query(
    `SELECT data->>'entry_id' AS entry_id, count(*)::int AS active,
            count(*) FILTER (WHERE jsonb_typeof(data->'last_notified') IS DISTINCT FROM 'number')::int AS unsent
     FROM entry
     WHERE ${LIVE} AND data->>'clear_time' IS NULL AND data->>'entry_id' IS NOT NULL
     GROUP BY 1`,
  );
  return new Map(
    rows.map((row) => [
      String(row.entry_id).replace(/^event_/, ""),
      { active: Number(row.active), unsent: Number(row.unsent) },
    ]),
  );
}
