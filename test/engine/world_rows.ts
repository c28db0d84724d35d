import type { Queryable } from "../../src/store/database.ts";
import { isJsonObject, type JsonObject } from "../../src/text/json.ts";

/** What the tests of whole courses read of the rows. */

export interface EventRow {
  readonly id: string;
  readonly alarm: string;
  readonly key: string;
  readonly isActive: boolean;
  readonly fireTime: number;
  readonly firstSeen: number | undefined;
  readonly clearTime: number | undefined;
  readonly reason: string | undefined;
  readonly severity: string | undefined;
  readonly stage: string | undefined;
  /** By channel. */
  readonly notified: { readonly [channel: string]: number | undefined };
  /** All that its row says. */
  readonly text: string;
}

export async function readEvents(db: Queryable): Promise<readonly EventRow[]> {
  const rows = await db.query("SELECT id, data FROM entry WHERE kind = 'event' ORDER BY id");
  return rows.map(({ id, data: value }) => {
    const data = objectOf(value);
    const swf = objectOf(data.swf);
    return {
      id: String(id),
      alarm: String(data.entry_id).replace("event_", ""),
      key: String(data.dedupe_key),
      isActive: data.clear_time === null,
      fireTime: Number(data.fire_time),
      firstSeen: numberOf(swf.first_seen),
      clearTime: numberOf(data.clear_time),
      reason: textOf(data.clear_reason),
      severity: textOf(data.severity),
      stage: textOf(data.stage),
      notified: Object.fromEntries(
        Object.entries(objectOf(swf.notified)).map(([name, at]) => [name, Number(at)]),
      ),
      text: JSON.stringify(data),
    };
  });
}

export interface NotificationRow {
  readonly id: string;
  readonly data: JsonObject;
}

/** In the order in which they were made. */
export async function readNotifications(db: Queryable): Promise<readonly NotificationRow[]> {
  const rows = await db.query(
    "SELECT id, data FROM entry WHERE kind = 'notification' ORDER BY timestamp_created, id",
  );
  return rows.map(({ id, data }) => ({ id: String(id), data: objectOf(data) }));
}

/** Whether it waits for a further attempt. */
export function isOpen({ data }: NotificationRow): boolean {
  return "not_before" in data || "pending" in data;
}

/** Lists of a notification, one after the other. */
export function listOf(data: unknown, ...keys: readonly string[]): readonly string[] {
  return keys.flatMap((key) => {
    const list: unknown = Reflect.get(Object(data), key);
    return Array.isArray(list) ? list.map(String) : [];
  });
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
