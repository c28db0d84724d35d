import { randomUUID } from "node:crypto";
import type { Transaction } from "./database.ts";
import { saveState } from "./engine_state.ts";
import { ALARMS_CONTEXT } from "./entry.ts";

/**
 * Begins the next generation: what an earlier tick has not committed by now it cannot commit any more. Waits
 * for a transaction of an earlier tick that is being committed.
 */
export async function nextGeneration(tx: Transaction, now: number): Promise<string> {
  const generation = randomUUID();
  await saveState(tx, "tick", "generation", { generation }, now);
  return generation;
}

/** Whether it is still the newest generation; if so, no other one begins before the transaction ends. */
export async function isNewest(tx: Transaction, generation: string): Promise<boolean> {
  const rows = await tx.query(
    `SELECT 1 AS newest FROM entry
     WHERE context_id = '${ALARMS_CONTEXT}' AND name = 'state:tick:generation' AND data->>'generation' = $1
     FOR SHARE`,
    [generation],
  );
  return rows.length > 0;
}
