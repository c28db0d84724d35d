import { migrated } from "../support/migrated.ts";
import { insertAlarm } from "../support/rows.ts";
import type { Bench } from "./bench.ts";
import { FAILING_TASKS } from "./bench_alarms.ts";
import { BenchSite } from "./bench_site.ts";
import { eventsOf } from "./courses.ts";
import type { Section } from "./figures.ts";
import { StatementCount } from "./statement_count.ts";

const TASKS = [12, 1_250, 12_500, 100_000];
const TICKS = ["opens and mails", "repeats", "clears", "is idle"] as const;

/** How many statements a tick with one alarm sends, by number of detections. */
export async function statements({ lab, say }: Bench): Promise<Section> {
  const rows: { readonly events: number; readonly counts: readonly number[] }[] = [];
  for (const tasks of TASKS) {
    say(`  ${eventsOf(tasks)} detections`);
    rows.push({ events: eventsOf(tasks), counts: await countTicks(lab, tasks) });
  }
  const of = (events: number): number =>
    (rows.find((row) => row.events === events)?.counts ?? []).reduce((sum, sent) => sum + sent, 0);
  return {
    title: "Statements sent in a tick with one alarm",
    figures: [
      {
        work: "four ticks, 10,000 detections beside 10",
        measure: "further statements",
        unit: "",
        values: [of(10_000) - of(10)],
        target: 0,
      },
    ],
    tables: [
      {
        head: ["detections", ...TICKS.map((tick) => `a tick that ${tick}`)],
        rows: rows.map(({ events, counts }) => [
          events.toLocaleString("en-US"),
          ...counts.map(String),
        ]),
      },
    ],
    notes: [
      "Counted on the way to Postgres, from the messages of the protocol, over all of a tick: its connection, its lock",
      "and its own record included. Mails go into a folder. BEGIN and COMMIT count; around a single statement they are",
      "sent together with it and need no round trip of their own.",
    ],
  };
}

async function countTicks(lab: Bench["lab"], tasks: number): Promise<readonly number[]> {
  const postgres = await lab.postgres();
  const source = await lab.source();
  const dsn = postgres.dsn(await postgres.copy());
  await migrated(dsn, (db) => insertAlarm(db, "failing_tasks"));
  const count = new StatementCount(dsn);
  const options = {
    alarms: { failing_tasks: FAILING_TASKS },
    dsn: await count.start(),
    more: '[email]\nprovider = "file"\ndir = "outbox"',
  };
  try {
    const site = new BenchSite(lab, { ...options, baseUrl: source.listing(tasks) });
    const tick = async (): Promise<number> => {
      count.take();
      await site.tick({ timeout: 200 });
      return count.take();
    };
    const opened = await tick();
    const repeated = await tick();
    site.configure({ ...options, baseUrl: source.listing(0) });
    return [opened, repeated, await tick(), await tick()];
  } finally {
    await count.close();
  }
}
