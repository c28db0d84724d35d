import type pg from "pg";
import type { Bench } from "./bench.ts";
import { FAILING_TASKS, NOTHING_WRONG } from "./bench_alarms.ts";
import { BenchSite } from "./bench_site.ts";
import { DASHBOARD_QUERIES } from "./dashboard_queries.ts";
import { type Figure, median, type Section } from "./figures.ts";
import type { Laboratory } from "./laboratory.ts";
import { timed } from "./postgres.ts";
import { CLEARED, fill, multiply, RUN, type SampleRow, sampleRow } from "./seed.ts";

const CLEARED_EVENTS = 1_000_000;
const RUNS = 200_000;
/** A day of runs, which every installation has: what the dashboards show is then of the same length. */
const LATEST_RUNS = 300;
const TASKS = 10_000;

/** As an engine that keeps everything; what it costs to remove old runs is measured separately. */
const KEEP = '[retention]\nengine_runs_days = "forever"';

const ALARMS = {
  failing_tasks: FAILING_TASKS,
  quiet_first: NOTHING_WRONG,
  quiet_second: NOTHING_WRONG,
};

/** Ticks and questions with years of history behind them, beside the same without. */
export async function history({ lab, say }: Bench): Promise<Section> {
  const postgres = await lab.postgres();
  const empty = await postgres.copy();
  const base = { alarms: ALARMS, baseUrl: (await lab.source()).listing(TASKS), more: KEEP };
  const young = new BenchSite(lab, { ...base, dsn: postgres.dsn(empty) });
  await lab.repeat(3, () => young.tick());
  say("  makes the history");
  const run = await sampleRun(lab);
  await postgres.withDatabase(empty, (db) =>
    multiply(db, run, { count: LATEST_RUNS, data: RUN, apart: 300 }),
  );
  const full = await postgres.copy(empty);
  await postgres.withDatabase(full, (db) => fillHistory(db, run));
  await postgres.withDatabase(empty, (db) => db.query("VACUUM (ANALYZE) entry"));
  const old = new BenchSite(lab, { ...base, dsn: postgres.dsn(full) });
  const both = async (
    work: string,
    take: (site: BenchSite, database: string) => Promise<number>,
    times: number,
  ) => {
    say(`  ${work}`);
    await take(young, empty);
    await take(old, full);
    // By turns, so that both meet the same machine.
    const pairs = await lab.repeat(
      times,
      async () => [await take(young, empty), await take(old, full)] as const,
    );
    return figures(work, pairs);
  };
  const command = (args: readonly string[]) => async (site: BenchSite) =>
    (await site.command(args)).wall;
  const rows = [...(await both("repeat tick, 8,000 active events", command(["run"]), 5))];
  for (const { view, sql, takesNow } of DASHBOARD_QUERIES) {
    const ask = (_: BenchSite, database: string) =>
      postgres.withDatabase(database, (db) =>
        timed(() => db.query(unsent(sql), takesNow === true ? [Date.now() / 1000] : [])),
      );
    rows.push(...(await both(`dashboard: ${view}`, ask, 9)));
  }
  rows.push(...(await both("`event list`", command(["event", "list"]), 3)));
  rows.push(...(await both("`event list --all`", command(["event", "list", "--all"]), 3)));
  rows.push(...(await both("`run list`", command(["run", "list"]), 3)));
  rows.push(...(await both("`status`", command(["status"]), 3)));
  for (const site of [young, old])
    await site.command(["alarm", "set", "failing_tasks", "--archive"]);
  rows.unshift(...(await both("tick with nothing to do", command(["run"]), 9)));
  for (const [site, database] of [
    [young, empty],
    [old, full],
  ] as const)
    site.configure({ ...base, dsn: postgres.dsn(database), more: "" });
  const thinning = await both("tick with nothing to do that removes old runs", command(["run"]), 5);
  rows.push(...thinning.map(({ target: _, ...figure }) => figure));
  return {
    title: "A history of 1,000,000 cleared events and 200,000 engine runs",
    figures: rows,
    notes: [
      "Each is measured by turns on the database with that history and on the same one without; both have 8,000 active events and the runs of a day.",
      "The dashboards' queries are the SQL that Django makes; Postgres computes the results in full, and only their size is sent.",
      "`[retention]` keeps all runs, but in the last row: there ticks have just begun to remove 200,000 of them, some at a time.",
      "The history is inserted by SQL in the shape of the engine's rows, then vacuumed, as autovacuum does.",
    ],
  };
}

/** The time with the history, beside the one without as its floor: the ratio is what the issue bounds. */
function figures(work: string, pairs: readonly (readonly [number, number])[]): readonly Figure[] {
  const without = pairs.map(([young]) => young);
  const withHistory = pairs.map(([, old]) => old);
  return [
    {
      work,
      measure: "with the history",
      unit: "s",
      values: withHistory,
      target: 1.3 * median(without),
      floor: { name: "without", values: without },
    },
  ];
}

/** Postgres makes the whole answer and keeps it: a million rows would be the bench's own time and memory. */
function unsent(sql: string): string {
  return `SELECT sum(octet_length(data::text)) FROM (${sql}) AS answer`;
}

/** The record of a usual tick: a few events go on firing. */
async function sampleRun(lab: Laboratory): Promise<SampleRow> {
  const postgres = await lab.postgres();
  const database = await postgres.copy();
  const baseUrl = (await lab.source()).listing(12);
  const site = new BenchSite(lab, { alarms: ALARMS, dsn: postgres.dsn(database), baseUrl });
  await lab.repeat(2, () => site.tick());
  return await postgres.withDatabase(database, (db) => sampleRow(db, "engine_run"));
}

async function fillHistory(db: pg.Client, run: SampleRow): Promise<void> {
  const event = await sampleRow(db, "event");
  await fill(db, async () => {
    await multiply(db, event, { count: CLEARED_EVENTS, data: CLEARED, apart: 60 });
    await multiply(db, run, { count: RUNS, data: RUN, apart: 300, first: LATEST_RUNS });
  });
}
