import { detectionData } from "../core/detection.ts";
import type { ActiveEvents, FiringEvent } from "../core/model.ts";
import { isJsonObject, type JsonObject } from "../text/json.ts";
import type { Queryable } from "./database.ts";
import { BATCH } from "./events.ts";

/** Reads what the detections of active events said of them. */
export async function firingEvents(
  db: Queryable,
  active: ActiveEvents,
): Promise<readonly FiringEvent[]> {
  const events = [...active.values()];
  const read = new Map<string, JsonObject>();
  for (let start = 0; start < events.length; start += BATCH) {
    const ids = events.slice(start, start + BATCH).map(({ id }) => id);
    const rows = await db.query("SELECT id, data FROM entry WHERE id = ANY($1::text[])", [ids]);
    for (const { id, data } of rows) if (isJsonObject(data)) read.set(String(id), data);
  }
  return events.map(({ id, dedupeKey, fireTime: since, level }) => {
    const data = detectionData(read.get(id) ?? {});
    return { dedupeKey, since, severity: level?.severity, stage: level?.stage, data };
  });
}
