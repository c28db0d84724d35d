import { migrated } from "../support/migrated.ts";
import { insertAlarm } from "../support/rows.ts";
import type { Bench } from "./bench.ts";
import { SMALL_ITEMS } from "./bench_alarms.ts";
import { BenchSite } from "./bench_site.ts";
import type { Section } from "./figures.ts";
import { TOUCH } from "./floors.ts";
import { memoryFigures } from "./idle.ts";
import { timed } from "./postgres.ts";
import { fill, ITEM_EVENT, multiply, sampleRow } from "./seed.ts";

const COUNT = 1_000_000;
const WORK = "1,000,000 active events, repeat tick";
/** What one alarm may take when it watches a million: the limits that its row sets for itself. */
const LIMITS = { max_detections: 2 * COUNT, alarm_timeout: 230, alarm_memory: 1_024 };

/** A tick that finds a million entities again. */
export async function million({ lab, say }: Bench): Promise<Section> {
  const postgres = await lab.postgres();
  const source = await lab.source();
  const database = await postgres.copy();
  const dsn = postgres.dsn(database);
  await migrated(dsn, (db) => insertAlarm(db, "small_items", { enabled: false, ...LIMITS }));
  const alarms = { small_items: SMALL_ITEMS };
  const site = new BenchSite(lab, { alarms, dsn, baseUrl: source.listing(1) });
  await site.tick();
  say("  makes a million events");
  await postgres.withDatabase(database, async (db) => {
    const sample = await sampleRow(db, "event");
    await fill(db, async () => {
      await db.query("DELETE FROM entry WHERE kind = 'event'");
      await multiply(db, sample, { count: COUNT, data: ITEM_EVENT });
    });
  });
  site.configure({ dsn, baseUrl: source.listing(COUNT) });
  say("  ticks over them");
  const tick = await site.tick({ timeout: 300, memoryEvery: 250 });
  say("  touches them by SQL");
  const touch = await postgres.withDatabase(database, (db) =>
    timed(() => db.query(TOUCH, [0, "event_small_items"])),
  );
  return {
    title: "A million active events",
    figures: [
      {
        work: WORK,
        measure: "wall",
        unit: "s",
        values: [tick.wall],
        target: 300,
        floor: { name: "raw SQL touch", values: [touch] },
      },
      { work: WORK, measure: "CPU", unit: "s", values: [tick.cpu] },
      ...(await memoryFigures(WORK, undefined, async () => [tick])),
    ],
    notes: [
      "The events are made by SQL in the shape of one that the engine made. The alarm reads a list of a million small",
      `items in 5,000 pages and yields each; its row sets ${Object.entries(LIMITS)
        .map(([name, value]) => `\`${name}\` ${value.toLocaleString("en-US")}`)
        .join(", ")}. \`tick_timeout\` is as it is by itself, 240 s.`,
    ],
  };
}
