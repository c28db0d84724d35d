import type pg from "pg";
import { migrated } from "../support/migrated.ts";
import { insertAlarm } from "../support/rows.ts";
import type { Bench } from "./bench.ts";
import { FAILING_TASKS } from "./bench_alarms.ts";
import { BenchSite } from "./bench_site.ts";
import type { Figure, Section } from "./figures.ts";
import { TASK_EVENTS, TOUCH } from "./floors.ts";
import { askNumber } from "./postgres.ts";
import { multiply, TASK_EVENT } from "./seed.ts";

const TASKS = 10_000;
const EVENTS = 8_000;
const MAIL = '[email]\nprovider = "file"\ndir = "outbox"';

/** What Postgres writes into its log for each event that a tick changes. */
export async function wal(bench: Bench): Promise<Section> {
  const settled = await bytesPerEvent(bench, false);
  const afterCheckpoint = await bytesPerEvent(bench, true);
  const bare = await bareTouch(bench);
  const figure = (measure: string, values: readonly number[], floor?: Figure["floor"]): Figure => ({
    work: "8,000 events",
    measure,
    unit: "B",
    values,
    ...(floor === undefined ? {} : { floor }),
  });
  const floor = { name: "bare `UPDATE`, Django's indexes alone", values: bare };
  return {
    title: "Write-ahead log per event",
    figures: [
      figure("the row itself", [settled.row]),
      figure("opened", [settled.opened]),
      figure("touched", [settled.touched], floor),
      figure("touched and stamped by a mail", [settled.stamped], floor),
      figure("cleared", [settled.cleared], floor),
      figure("opened, after a checkpoint", [afterCheckpoint.opened]),
      figure("touched, after a checkpoint", [afterCheckpoint.touched]),
      figure("touched and stamped, after a checkpoint", [afterCheckpoint.stamped]),
      figure("cleared, after a checkpoint", [afterCheckpoint.cleared]),
    ],
    notes: [
      "The distance that `pg_current_wal_insert_lsn()` moved in a tick, by the number of its events. After a checkpoint Postgres",
      "writes each page whole at its first change (every five minutes by itself, as often as the engine ticks).",
    ],
  };
}

interface Bytes {
  /** A whole event as it lies in the table, which Postgres writes anew at each change. */
  readonly row: number;
  readonly opened: number;
  readonly touched: number;
  readonly stamped: number;
  readonly cleared: number;
}

async function bytesPerEvent({ lab }: Bench, checkpoint: boolean): Promise<Bytes> {
  const postgres = await lab.postgres();
  const source = await lab.source();
  const database = await postgres.copy();
  const dsn = postgres.dsn(database);
  await migrated(dsn, (db) => insertAlarm(db, "failing_tasks"));
  const settings = { alarms: { failing_tasks: FAILING_TASKS }, dsn };
  const site = new BenchSite(lab, { ...settings, baseUrl: source.listing(TASKS) });
  return await postgres.withDatabase(database, async (db) => {
    const tick = async (): Promise<number> => {
      if (checkpoint) await db.query("CHECKPOINT");
      return await written(db, () => site.tick());
    };
    const opened = await tick();
    const row = await askNumber(
      db,
      "SELECT round(avg(pg_column_size(entry.*))) FROM entry WHERE kind = 'event'",
    );
    // Its first touch finds pages without room; the ones after it find what that left.
    await tick();
    const touched = await tick();
    site.configure({ ...settings, baseUrl: source.listing(TASKS), more: MAIL });
    const stamped = await tick();
    site.configure({ ...settings, baseUrl: source.listing(0) });
    return { row, opened, touched, stamped, cleared: await tick() };
  });
}

/** The touch alone, on a table like the contract's with no index of the engine's. */
async function bareTouch({ lab, floors }: Bench): Promise<readonly number[]> {
  const postgres = await lab.postgres();
  const database = await postgres.copy();
  const sample = await floors.sampleEvent();
  return await postgres.withDatabase(database, async (db) => {
    const { rows } = await db.query(
      "SELECT indexname FROM pg_indexes WHERE tablename = 'entry' AND indexname LIKE 'swf_alarms_%'",
    );
    for (const { indexname } of rows) await db.query(`DROP INDEX "${indexname}"`);
    await multiply(db, sample, { count: EVENTS, data: TASK_EVENT });
    await db.query("VACUUM (ANALYZE) entry");
    const runs = await lab.repeat(5, (place) =>
      written(db, () => db.query(TOUCH, [place, TASK_EVENTS])),
    );
    // The first ones still find pages without room.
    return runs.slice(2);
  });
}

/** Bytes per event. */
async function written(db: pg.Client, work: () => Promise<unknown>): Promise<number> {
  const { rows } = await db.query("SELECT pg_current_wal_insert_lsn()::text AS start");
  await work();
  const bytes = await askNumber(db, "SELECT pg_current_wal_insert_lsn() - $1::pg_lsn", [
    String(rows[0]?.start),
  ]);
  return Math.round(bytes / EVENTS);
}
