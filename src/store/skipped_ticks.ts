import { appendFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { maxValue, minValue, number, object, pipe, safeParse, string } from "valibot";
import type { Queryable, Transaction } from "./database.ts";
import { insertEntries, LIVE } from "./entry.ts";

/** A tick that did nothing because another was running. */
export interface SkippedTick {
  /** Epoch seconds. */
  readonly at: number;
  readonly host: string;
  readonly pid: number;
  readonly reason: string;
}

const Skipped = object({
  at: pipe(number(), minValue(0), maxValue(1e11)),
  host: string(),
  pid: number(),
  reason: string(),
});

const LIVE_SKIP = `kind = 'skipped_tick' AND ${LIVE}`;

/** This process as a skipped tick. */
export function skippedTick(at: number, reason: string): SkippedTick {
  return { at, host: hostname(), pid: process.pid, reason };
}

/** Records skipped ticks. */
export async function recordSkipped(tx: Transaction, ticks: readonly SkippedTick[]): Promise<void> {
  const entries = ticks.map((tick) => ({
    title: `Tick skipped: ${tick.reason}`,
    at: tick.at,
    data: { entry_id: `skipped_${Math.floor(tick.at)}`, ...tick },
  }));
  await insertEntries(tx, { kind: "skipped_tick", status: "done", at: 0 }, entries);
}

/** A file in the folder of the embedded database, for ticks that could not open it. */
const SKIPPED_FILE = "swf-alarms.skipped";

/** Notes a skipped tick in the folder of an embedded database that another process holds. */
export function noteSkipped(folder: string, tick: SkippedTick): void {
  appendFileSync(join(folder, SKIPPED_FILE), `${JSON.stringify(tick)}\n`, { mode: 0o600 });
}

/** Moves the notes of a folder into its database. A crash in between can record a note twice. */
export async function importSkipped(tx: Transaction, folder: string): Promise<void> {
  const file = join(folder, SKIPPED_FILE);
  if (!existsSync(file)) return;
  await recordSkipped(tx, readFileSync(file, "utf8").split("\n").flatMap(parseNote));
  rmSync(file);
}

/** An incomplete or foreign line is ignored. */
function parseNote(line: string): readonly SkippedTick[] {
  try {
    const { success, output } = safeParse(Skipped, JSON.parse(line));
    return success ? [output] : [];
  } catch {
    return [];
  }
}

const SkippedRow = object({ id: string(), data: Skipped });

export interface ListedSkip extends SkippedTick {
  readonly id: string;
}

/** Skipped ticks, newest first; unreadable rows are left out. */
export async function listSkipped(db: Queryable, limit: number): Promise<readonly ListedSkip[]> {
  const rows = await db.query(
    `SELECT id, data FROM entry WHERE ${LIVE_SKIP} ORDER BY timestamp_created DESC LIMIT $1::int`,
    [limit],
  );
  return rows.flatMap((row) => {
    const { success, output } = safeParse(SkippedRow, row);
    return success ? [{ id: output.id, ...output.data }] : [];
  });
}

/** The number of ticks that were skipped since then. */
export async function countSkipped(db: Queryable, sinceEpoch: number): Promise<number> {
  const [row] = await db.query(
    `SELECT count(*)::int AS skipped FROM entry WHERE ${LIVE_SKIP} AND timestamp_created >= $1::float8`,
    [sinceEpoch],
  );
  return Number(row?.skipped ?? 0);
}
