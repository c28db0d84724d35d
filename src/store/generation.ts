import { number, object, parse } from "valibot";
import type { Row, Transaction } from "./database.ts";
import { ALARMS_CONTEXT, insertEntries } from "./entry.ts";
import { numberAt } from "./events.ts";

const NAME = "state:tick:generation";
const OF_TICKS = `context_id = '${ALARMS_CONTEXT}' AND name = '${NAME}'`;

const GenerationRow = object({ generation: number() });

/**
 * Begins the next generation: what an earlier tick has not committed by now it cannot commit any more. Waits
 * for a transaction of an earlier tick that is being committed.
 */
export async function nextGeneration(tx: Transaction, now: number): Promise<number> {
  const rows = await raise(tx, now);
  if (rows.length > 0) return parse(GenerationRow, rows[0]).generation;
  const onConflict = "ON CONFLICT (context_id, name) WHERE name IS NOT NULL DO NOTHING";
  const title = "Generation of ticks: only the newest one may write";
  const data = { entry_id: "state_tick_generation", generation: 0 };
  await insertEntries(tx, { kind: "engine_state", status: "active", at: now, onConflict }, [
    { name: NAME, title, data },
  ]);
  return parse(GenerationRow, (await raise(tx, now))[0]).generation;
}

async function raise(tx: Transaction, now: number): Promise<readonly Row[]> {
  return await tx.query(
    `UPDATE entry SET data = jsonb_set(CASE WHEN jsonb_typeof(data) = 'object' THEN data ELSE '{}' END,
                                       '{generation}', to_jsonb(${numberAt("generation")} + 1)), timestamp_modified = $1
     WHERE ${OF_TICKS} RETURNING ${numberAt("generation")} AS generation`,
    [now],
  );
}

/** Whether it is still the newest generation; if so, no other one begins before the transaction ends. */
export async function isNewest(tx: Transaction, generation: number): Promise<boolean> {
  const rows = await tx.query(
    `SELECT 1 AS newest FROM entry WHERE ${OF_TICKS} AND ${numberAt("generation")} = $1::float8 FOR SHARE`,
    [generation],
  );
  return rows.length > 0;
}
