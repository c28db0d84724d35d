import { hostname } from "node:os";
import type { Queryable, Row, Transaction } from "./database.ts";
import { insertEntries, LIVE, readData } from "./entry.ts";

const LIVE_SKIP = `kind = 'skipped_tick' AND ${LIVE}`;

/** Records that this process skips a tick. */
export async function recordSkipped(tx: Transaction, at: number, reason: string): Promise<void> {
  const entryId = `skipped_${Math.floor(at)}`;
  const data = { entry_id: entryId, at, host: hostname(), pid: process.pid, reason };
  const title = `Tick skipped: ${reason}`;
  await insertEntries(tx, { kind: "skipped_tick", status: "done", at }, [{ title, data }]);
}

/** Skipped ticks, newest first, all of them with the limit 0; unreadable rows are left out. */
export async function listSkipped(db: Queryable, limit: number): Promise<readonly ListedSkip[]> {
  const rows = await db.query(
    `SELECT id, data FROM entry WHERE ${LIVE_SKIP} ORDER BY timestamp_created DESC LIMIT $1::int`,
    [limit || null],
  );
  return rows.map(listedSkip).filter(({ at }) => at > 0);
}

export type ListedSkip = ReturnType<typeof listedSkip>;

/** A tick that did nothing because another was running; `at` is in epoch seconds. */
function listedSkip(row: Row) {
  const data = readData(row.data);
  return {
    id: String(row.id),
    at: data.number("at") ?? 0,
    host: data.text("host") ?? "",
    pid: data.number("pid") ?? 0,
    reason: data.text("reason") ?? "",
  };
}

/** The number of ticks that were skipped since then, or also of those that ran. */
export async function countTicks(db: Queryable, sinceEpoch: number, kinds = ["skipped_tick"]) {
  const [row] = await db.query(
    `SELECT count(*)::int AS ticks FROM entry WHERE ${LIVE} AND timestamp_created >= $1::float8 AND kind = ANY($2::text[])`,
    [sinceEpoch, kinds],
  );
  return Number(row?.ticks ?? 0);
}
