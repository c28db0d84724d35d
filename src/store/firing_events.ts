import { detectionData } from "../core/detection.ts";
import type { ActiveEvents, FiringEvent } from "../core/model.ts";
import { isJsonObject, type JsonObject } from "../text/json.ts";
import type { Queryable } from "./database.ts";
import { BATCH } from "./events.ts";

/** Bytes of the data of all active events of one alarm: the engine and the worker hold it several times. */
const MAX_READ = 64 * 2 ** 20;

/** Reads what the detections of active events said of them. Throws if that is too much. */
export async function firingEvents(
  db: Queryable,
  active: ActiveEvents,
  maxRead = MAX_READ,
): Promise<readonly FiringEvent[]> {
  const events = [...active.values()];
  const read = new Map<string, JsonObject>();
  let left = maxRead;
  for (let start = 0; start < events.length; start += BATCH) {
    const ids = events.slice(start, start + BATCH).map(({ id }) => id);
    const [sum] = await db.query(
      "SELECT sum(octet_length(data::text))::float8 AS bytes FROM entry WHERE id = ANY($1::text[])",
      [ids],
    );
    left -= Number(sum?.bytes);
    if (left < 0)
      throw new Error(
        `the data of the ${events.length} active events is over ${maxRead / 2 ** 20} MiB; use client.firing, or yield less data`,
      );
    const rows = await db.query("SELECT id, data FROM entry WHERE id = ANY($1::text[])", [ids]);
    for (const { id, data } of rows) if (isJsonObject(data)) read.set(String(id), data);
  }
  return events.map(({ id, dedupeKey, fireTime: since, level }) => {
    const data = detectionData(read.get(id) ?? {});
    return { dedupeKey, since, severity: level?.severity, stage: level?.stage, data };
  });
}
