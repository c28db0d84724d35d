import { createHash, randomUUID } from "node:crypto";
import { object, parse, string, unknown } from "valibot";
import { isJsonObject, type JsonObject, safeText } from "../text/json.ts";
import type { Queryable } from "./database.ts";
import { ALARMS_CONTEXT, entryTitle, jsonText } from "./entry.ts";

/** Longest `name` that the column takes. */
const MAX_NAME = 255;

/** `state:<what>:<id>`, the row's name; an id that does not fit is cut, and told apart by its digest. */
export function stateName(what: string, id: string): string {
  const name = safeText(`state:${what}:${id}`);
  if ([...name].length <= MAX_NAME) return name;
  const digest = createHash("sha256").update(name).digest("hex");
  return `${[...name].slice(0, MAX_NAME - digest.length - 1).join("")}…${digest}`;
}

const StateRow = object({ name: string(), data: unknown() });

/** All that the engine remembers between ticks, by the row's name. What cannot be read is no memory. */
export async function readStates(db: Queryable): Promise<ReadonlyMap<string, JsonObject>> {
  const rows = await db.query(
    `SELECT name, data FROM entry
     WHERE context_id = '${ALARMS_CONTEXT}' AND kind = 'engine_state' AND name IS NOT NULL
       AND status = 'active' AND archived = false AND deleted_at IS NULL`,
  );
  const states = new Map<string, JsonObject>();
  for (const row of rows) {
    const { name, data } = parse(StateRow, row);
    if (isJsonObject(data)) states.set(name, data);
  }
  return states;
}

/** Writes what is to be remembered; undefined empties the row, which stays for the next time. */
export async function saveState(
  db: Queryable,
  what: string,
  id: string,
  state: JsonObject | undefined,
  now: number,
): Promise<void> {
  await db.query(
    `INSERT INTO entry (id, title, content, kind, name, data, priority, status, archived,
                        timestamp_created, timestamp_modified, deleted_at, parent_id, context_id)
     VALUES ($1, $2, '', 'engine_state', $3, $4::text::jsonb, NULL, $5, false, $6, $6, NULL, NULL, '${ALARMS_CONTEXT}')
     ON CONFLICT (context_id, name) WHERE name IS NOT NULL DO UPDATE
       SET data = EXCLUDED.data, status = EXCLUDED.status, kind = EXCLUDED.kind, archived = false,
           deleted_at = NULL, timestamp_modified = EXCLUDED.timestamp_modified`,
    [
      randomUUID(),
      entryTitle(`State of ${what} ${id}`),
      stateName(what, id),
      jsonText({ entry_id: `state_${what}_${id}`, ...state }),
      state === undefined ? "done" : "active",
      now,
    ],
  );
}
