import { hostname } from "node:os";
import {
  type InferOutput,
  maxValue,
  minValue,
  number,
  object,
  pipe,
  safeParse,
  string,
} from "valibot";
import type { Queryable, Transaction } from "./database.ts";
import { insertEntries, LIVE } from "./entry.ts";

const Skipped = object({
  /** Epoch seconds. */
  at: pipe(number(), minValue(0), maxValue(1e11)),
  host: string(),
  pid: number(),
  reason: string(),
});

/** A tick that did nothing because another was running. */
export type SkippedTick = Readonly<InferOutput<typeof Skipped>>;

const LIVE_SKIP = `kind = 'skipped_tick' AND ${LIVE}`;

/** Records that this process skips a tick. */
export async function recordSkipped(tx: Transaction, at: number, reason: string): Promise<void> {
  const tick: SkippedTick = { at, host: hostname(), pid: process.pid, reason };
  const data = { entry_id: `skipped_${Math.floor(at)}`, ...tick };
  const title = `Tick skipped: ${reason}`;
  await insertEntries(tx, { kind: "skipped_tick", status: "done", at }, [{ title, data }]);
}

const SkippedRow = object({ id: string(), data: Skipped });

export interface ListedSkip extends SkippedTick {
  readonly id: string;
}

/** Skipped ticks, newest first, all of them with the limit 0; unreadable rows are left out. */
export async function listSkipped(db: Queryable, limit: number): Promise<readonly ListedSkip[]> {
  const rows = await db.query(
    `SELECT id, data FROM entry WHERE ${LIVE_SKIP} ORDER BY timestamp_created DESC LIMIT $1::int`,
    [limit || null],
  );
  return rows.flatMap((row) => {
    const { success, output } = safeParse(SkippedRow, row);
    return success ? [{ id: output.id, ...output.data }] : [];
  });
}

/** The number of ticks that were skipped since then, or also of those that ran. */
export async function countTicks(db: Queryable, sinceEpoch: number, kinds = ["skipped_tick"]) {
  const [row] = await db.query(
    `SELECT count(*)::int AS ticks FROM entry WHERE ${LIVE} AND timestamp_created >= $1::float8 AND kind = ANY($2::text[])`,
    [sinceEpoch, kinds],
  );
  return Number(row?.ticks ?? 0);
}
