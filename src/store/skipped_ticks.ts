import { randomUUID } from "node:crypto";
import { appendFileSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { maxValue, minValue, number, object, pipe, safeParse, string } from "valibot";
import { cut } from "../text/describe.ts";
import type { Queryable } from "./database.ts";
import { ALARMS_CONTEXT, entryTitle, jsonText } from "./entry.ts";

/** A tick that did nothing because another was at work. */
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

/** This process, as one that skips. */
export function skippedTick(at: number, reason: string): SkippedTick {
  return { at, host: hostname(), pid: process.pid, reason };
}

/** Records ticks that were skipped. */
export async function recordSkipped(db: Queryable, ticks: readonly SkippedTick[]): Promise<void> {
  if (ticks.length === 0) return;
  const rows = ticks.map((tick) => ({
    id: randomUUID(),
    title: entryTitle(`Tick skipped: ${tick.reason}`),
    at: tick.at,
    data: { entry_id: `skipped_${Math.floor(tick.at)}`, ...tick },
  }));
  await db.query(
    `INSERT INTO entry (id, title, content, kind, name, data, priority, status, archived,
                        timestamp_created, timestamp_modified, deleted_at, parent_id, context_id)
     SELECT tick.id, tick.title, '', 'skipped_tick', NULL, tick.data, NULL, 'done', false,
            tick.at, tick.at, NULL, NULL, '${ALARMS_CONTEXT}'
     FROM jsonb_to_recordset($1::text::jsonb) AS tick (id text, title text, at float8, data jsonb)`,
    [jsonText(rows)],
  );
}

/** Where ticks are noted that found the embedded database taken: in its own folder. */
export const SKIPPED_FILE = "swf-alarms.skipped";
const TAKEN_FILE = `${SKIPPED_FILE}.taken`;
/** The newest so many are taken in, whatever has gathered. */
const MAX_LINES = 1_000;
const MAX_REASON = 1_000;
const MAX_FILE = 2 ** 20;

/**
 * Notes a skipped tick in the folder of an embedded database, which another process has. What nobody
 * takes in does not fill the disk.
 */
export function noteSkipped(folder: string, tick: SkippedTick): void {
  const noted = statSync(join(folder, SKIPPED_FILE), { throwIfNoEntry: false })?.size ?? 0;
  if (noted > MAX_FILE) return;
  const line = JSON.stringify({ ...tick, reason: cut(tick.reason, MAX_REASON) });
  appendFileSync(join(folder, SKIPPED_FILE), `${line}\n`, { mode: 0o600 });
}

/**
 * Takes what was noted in the folder into the database. The notes are set aside first and removed last:
 * dying in between can record one twice, never lose one.
 */
export async function importSkipped(db: Queryable, folder: string): Promise<void> {
  const aside = join(folder, TAKEN_FILE);
  await takeIn(db, aside);
  try {
    renameSync(join(folder, SKIPPED_FILE), aside);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  await takeIn(db, aside);
}

async function takeIn(db: Queryable, file: string): Promise<void> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  await recordSkipped(db, text.split("\n").slice(-MAX_LINES).flatMap(parseNote));
  rmSync(file, { force: true });
}

/** A line that was cut off, or that somebody else wrote, counts for nothing. */
function parseNote(line: string): readonly SkippedTick[] {
  try {
    const { success, output } = safeParse(Skipped, JSON.parse(line));
    return success ? [output] : [];
  } catch {
    return [];
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

const SkippedRow = object({ id: string(), data: Skipped });

export interface ListedSkip extends SkippedTick {
  readonly id: string;
}

/** Skipped ticks, newest first; rows that are none are left out. */
export async function listSkipped(db: Queryable, limit: number): Promise<readonly ListedSkip[]> {
  const rows = await db.query(
    `SELECT id, data FROM entry
     WHERE kind = 'skipped_tick' AND context_id = '${ALARMS_CONTEXT}' AND archived = false AND deleted_at IS NULL
     ORDER BY timestamp_created DESC LIMIT $1::int`,
    [limit],
  );
  return rows.flatMap((row) => {
    const { success, output } = safeParse(SkippedRow, row);
    return success ? [{ id: output.id, ...output.data }] : [];
  });
}

/** How many ticks were skipped from this moment on. */
export async function countSkipped(db: Queryable, sinceEpoch: number): Promise<number> {
  const [row] = await db.query(
    `SELECT count(*)::int AS skipped FROM entry
     WHERE kind = 'skipped_tick' AND context_id = '${ALARMS_CONTEXT}' AND archived = false AND deleted_at IS NULL
       AND timestamp_created >= $1::float8`,
    [sinceEpoch],
  );
  return Number(row?.skipped ?? 0);
}
