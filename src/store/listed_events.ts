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
