import type { AlarmRow } from "../core/model.ts";
import type { Queryable, Transaction } from "./database.ts";
import { insertEntries, LIVE, REPLACE_NAMED, readData } from "./entry.ts";

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

/** What the module of an alarm remembered last; undefined if that is nothing, or the row is unreadable. */
export async function readMemory(
  db: Queryable,
  { id }: Pick<AlarmRow, "id">,
): Promise<AlarmMemory | undefined> {
  const rows = await db.query(
    `SELECT data FROM entry WHERE kind = '${MEMORY_KIND}' AND name = $1 AND ${LIVE}`,
    [MEMORY_NAME + id],
  );
  const data = readData(rows[0]?.data);
  const [at, text] = [data.number("at"), data.text("value")];
  return at === undefined || text === undefined ? undefined : { at, text };
}

/** Replaces what the module of an alarm remembers. */
export async function saveMemory(
  tx: Transaction,
  { id, name }: Pick<AlarmRow, "id" | "name">,
  { at, text }: AlarmMemory,
): Promise<void> {
  const set = { kind: MEMORY_KIND, status: "active", at, onConflict: REPLACE_NAMED } as const;
  // As text: what JSON allows in strings and jsonb does not (NUL, lone surrogates) stays as it is.
  const data = { entry_id: `memory_${name}`, alarm: name, at, value: text };
  await insertEntries(tx, set, [{ name: MEMORY_NAME + id, title: `Memory of ${name}`, data }]);
}
