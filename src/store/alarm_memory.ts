import type { AlarmRow } from "../core/model.ts";
import { isJsonObject } from "../text/json.ts";
import type { Queryable, Transaction } from "./database.ts";
import { insertEntries, LIVE, readData } from "./entry.ts";

export const MEMORY_KIND = "alarm_memory";
/** What the name of the row begins with; the id of the alarm's own row follows, so that each alarm has one. */
export const MEMORY_NAME = "memory:";

/** What a module remembered. */
export interface AlarmMemory {
  /** Epoch seconds of the tick. */
  readonly at: number;
  /** JSON. */
  readonly text: string;
}

/** The position in the spool of a source is a key of its own, so that one is written without the others. */
const POSITION_KEY = "position:";

/** Keys that a tick does not write stay as they are, unless a person archived or deleted the row. */
const MERGE_NAMED = `ON CONFLICT (context_id, name) WHERE name IS NOT NULL DO UPDATE
  SET data = CASE WHEN entry.archived OR entry.deleted_at IS NOT NULL OR jsonb_typeof(entry.data) <> 'object'
                  THEN EXCLUDED.data ELSE coalesce(entry.data, '{}') || EXCLUDED.data END,
      status = EXCLUDED.status, kind = EXCLUDED.kind, archived = false, deleted_at = NULL,
      timestamp_modified = EXCLUDED.timestamp_modified`;

/** What the module of an alarm remembered last; undefined if that is nothing, or the row is unreadable. */
export async function readMemory(
  db: Queryable,
  alarm: Pick<AlarmRow, "id">,
): Promise<AlarmMemory | undefined> {
  const data = readData(await readRow(db, alarm));
  const [at, text] = [data.number("at"), data.text("value")];
  return at === undefined || text === undefined ? undefined : { at, text };
}

/** How far an alarm has read its spools, by the name of the source. */
export async function readPositions(
  db: Queryable,
  alarm: Pick<AlarmRow, "id">,
): Promise<{ readonly [source: string]: string }> {
  const data = await readRow(db, alarm);
  const positions = Object.entries(isJsonObject(data) ? data : {}).flatMap(([key, text]) =>
    key.startsWith(POSITION_KEY) && typeof text === "string"
      ? [[key.slice(POSITION_KEY.length), text] as const]
      : [],
  );
  return Object.fromEntries(positions);
}

async function readRow(db: Queryable, { id }: Pick<AlarmRow, "id">): Promise<unknown> {
  const rows = await db.query(
    `SELECT data FROM entry WHERE kind = '${MEMORY_KIND}' AND name = $1 AND ${LIVE}`,
    [MEMORY_NAME + id],
  );
  return rows[0]?.data;
}

export interface NewMemory {
  /** Epoch seconds of the tick. */
  readonly at: number;
  /** JSON; undefined leaves what is remembered. */
  readonly text: string | undefined;
  /** As `readPositions` returns them; the others stay. */
  readonly positions?: ReadonlyMap<string, string>;
}

/** Replaces what the module of an alarm remembers, and the positions that are news. */
export async function saveMemory(
  tx: Transaction,
  { id, name }: Pick<AlarmRow, "id" | "name">,
  { at, text, positions = new Map() }: NewMemory,
): Promise<void> {
  const set = { kind: MEMORY_KIND, status: "active", at, onConflict: MERGE_NAMED } as const;
  const spools = [...positions].map(([source, position]) => [POSITION_KEY + source, position]);
  // As text: what JSON allows in strings and jsonb does not (NUL, lone surrogates) stays as it is.
  const data = {
    entry_id: `memory_${name}`,
    alarm: name,
    ...(text !== undefined && { at, value: text }),
    ...Object.fromEntries(spools),
  };
  await insertEntries(tx, set, [{ name: MEMORY_NAME + id, title: `Memory of ${name}`, data }]);
}
