import type pg from "pg";

/** A row of `entry` as the engine made it, as JSON text. */
export type SampleRow = string;

/** The newest row of a kind. */
export async function sampleRow(db: pg.Client, kind: string): Promise<SampleRow> {
  const { rows } = await db.query(
    "SELECT to_jsonb(entry)::text AS row FROM entry WHERE kind = $1 ORDER BY timestamp_created DESC LIMIT 1",
    [kind],
  );
  if (rows.length === 0) throw new Error(`there is no ${kind} to copy`);
  return String(rows[0].row);
}

export interface Copies {
  readonly count: number;
  /** SQL of what is different in `data`, an object; `n` counts the rows and `at` is the row's time. */
  readonly data: string;
  /** Seconds between two rows, into the past; all at the sample's time unless given. */
  readonly apart?: number;
  /** Counts from here on instead of from 0. */
  readonly first?: number;
}

/** Makes many rows of one: exactly the shape that the engine writes, whatever that is. One statement. */
export async function multiply(db: pg.Client, sample: SampleRow, copies: Copies): Promise<void> {
  const { count, data, apart = 0, first = 0 } = copies;
  await db.query(
    `INSERT INTO entry (id, title, content, kind, name, data, priority, status, archived,
                        timestamp_created, timestamp_modified, deleted_at, parent_id, context_id)
     SELECT gen_random_uuid()::text, sample.title, sample.content, sample.kind, sample.name,
            sample.data || ${data}, sample.priority, sample.status, sample.archived,
            at, at, sample.deleted_at, sample.parent_id, sample.context_id
     FROM jsonb_populate_record(NULL::entry, $1::jsonb) AS sample, generate_series($4::int, $4::int + $2::int - 1) AS n,
          LATERAL (SELECT sample.timestamp_created - n * $3::float8 AS at) AS times`,
    [sample, count, apart, first],
  );
}

/** What a cleared event says; keys come again, as entities do. */
export const CLEARED = `jsonb_build_object('dedupe_key', 'task:' || (100001 + n % 50000), 'fire_time', at,
  'last_seen', at + 900, 'clear_time', at + 1200, 'clear_reason', 'no longer detected')`;

export const TASK_EVENT = `jsonb_build_object('dedupe_key', 'task:' || (100001 + n))`;
export const ITEM_EVENT = `jsonb_build_object('dedupe_key', 'item:' || (100001 + n))`;

export const RUN = `jsonb_build_object('entry_id', 'run_' || floor(at)::bigint, 'started_at', at, 'finished_at', at + 1.5)`;

/**
 * Fills tables faster than row by row: without the indexes, which are made again, and without the checks
 * of foreign keys. Then as autovacuum would leave them.
 */
export async function fill(db: pg.Client, work: () => Promise<void>): Promise<void> {
  const { rows } = await db.query(
    `SELECT indexname, indexdef FROM pg_indexes
     WHERE schemaname = 'public' AND tablename = 'entry'
       AND indexname NOT IN (SELECT conname FROM pg_constraint)`,
  );
  await db.query("SET session_replication_role = replica");
  for (const { indexname } of rows) await db.query(`DROP INDEX "${indexname}"`);
  await work();
  await db.query("SET maintenance_work_mem = '256MB'");
  for (const { indexdef } of rows) await db.query(indexdef);
  await db.query("VACUUM (ANALYZE) entry");
  // What was just written is not to be written out while something is measured.
  await db.query("CHECKPOINT");
}
