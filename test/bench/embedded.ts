import type { Bench } from "./bench.ts";
import { NOTHING_WRONG } from "./bench_alarms.ts";
import { BenchSite } from "./bench_site.ts";
import type { Section } from "./figures.ts";
import { memoryFigures } from "./idle.ts";
import type { Laboratory } from "./laboratory.ts";
import { type Measured, measure } from "./measured_process.ts";

const WORK = "two alarms, nothing to do";

/** The same tick on the embedded database, which is made by the first one. */
export async function embedded({ lab }: Bench): Promise<Section> {
  const site = new BenchSite(lab, {
    alarms: { first: NOTHING_WRONG, second: NOTHING_WRONG },
    baseUrl: (await lab.source()).listing(20),
  });
  await site.command(["migrate"]);
  await site.tick();
  const runs = await lab.repeat(9, () => site.tick());
  const bare = await openBare(lab);
  const floor = "open, `SELECT 1`, close";
  return {
    title: "A tick with nothing to do, embedded database",
    figures: [
      {
        work: WORK,
        measure: "wall",
        unit: "s",
        values: runs.map(({ wall }) => wall),
        target: 0.8,
        floor: { name: floor, values: bare.map(({ wall }) => wall) },
      },
      {
        work: WORK,
        measure: "CPU",
        unit: "s",
        values: runs.map(({ cpu }) => cpu),
        floor: { name: floor, values: bare.map(({ cpu }) => cpu) },
      },
      ...(await memoryFigures(WORK, undefined, () =>
        lab.repeat(2, () => site.tick({ memoryEvery: 10 })),
      )),
    ],
    notes: [
      "The database's folder is there already, as it is from the second tick on.",
      "The floor is a process that opens an empty database without the engine, with the engine's settings.",
    ],
  };
}

/** Needs `@electric-sql/pglite` and nothing of the engine but its settings. */
async function openBare(lab: Laboratory): Promise<readonly Measured[]> {
  const script = `
    import { PGlite } from ${JSON.stringify(import.meta.resolve("@electric-sql/pglite"))};
    const db = await PGlite.create({
      dataDir: ${JSON.stringify(lab.folder())},
      startParams: [...PGlite.defaultStartParams, "-c", "shared_buffers=32MB"],
    });
    await db.query("SELECT 1");
    await db.close();`;
  const command = [process.execPath, "--liftoff-only", "--input-type=module", "-e", script];
  const [, ...runs] = await lab.repeat(10, async () => {
    const measured = await measure(command, { signal: lab.signal });
    if (measured.code !== 0)
      throw new Error(
        `opening an embedded database ended with ${measured.code}: ${measured.stderr}`,
      );
    return measured;
  });
  // Without the one that made it.
  return runs;
}
