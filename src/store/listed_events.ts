import * as v from "valibot";
import { eventEntryId } from "../core/event_key.ts";
import { isJsonObject } from "../core/json.ts";
import type { Queryable } from "./database.ts";
import { ALARMS_CONTEXT } from "./entry.ts";

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

const ListedRow = v.object({ id: v.string(), title: v.string(), data: v.unknown() });

/** Events for people to read, newest first. */
export async function listEvents(
  db: Queryable,
  filter: EventFilter,
): Promise<readonly ListedEvent[]> {
  const rows = await db.query(
    `SELECT id, title, data FROM entry
     WHERE kind = 'event' AND context_id = '${ALARMS_CONTEXT}' AND archived = false AND deleted_at IS NULL
       AND ($1::text IS NULL OR data->>'entry_id' = $1) AND ($2::boolean OR data->>'clear_time' IS NULL)
     ORDER BY timestamp_created DESC, id LIMIT $3::int`,
    [filter.alarm === undefined ? null : eventEntryId(filter.alarm), filter.all, filter.limit],
  );
  return rows.map((row) => {
    const { id, title, data: raw } = v.parse(ListedRow, row);
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

export interface EventCounts {
  readonly active: number;
  /** Active ones that no confirmed mail has named. */
  readonly owed: number;
}

/** How many events of each alarm are active and how many of them are owed a mail, by the alarm's name. */
export async function eventCounts(db: Queryable): Promise<ReadonlyMap<string, EventCounts>> {
  const rows = await db.query(
    `SELECT data->>'entry_id' AS entry_id, count(*)::int AS active,
            count(*) FILTER (WHERE jsonb_typeof(data->'last_notified') IS DISTINCT FROM 'number')::int AS owed
     FROM entry
     WHERE kind = 'event' AND context_id = '${ALARMS_CONTEXT}' AND archived = false AND deleted_at IS NULL
       AND data->>'clear_time' IS NULL AND data->>'entry_id' IS NOT NULL
     GROUP BY 1`,
  );
  return new Map(
    rows.map((row) => [
      String(row.entry_id).replace(/^event_/, ""),
      { active: Number(row.active), owed: Number(row.owed) },
    ]),
  );
}
