import type { Bench } from "./bench.ts";
import { failingTasksOf } from "./bench_alarms.ts";
import { BenchSite } from "./bench_site.ts";
import type { Section } from "./figures.ts";
import { memoryFigures } from "./idle.ts";

const WORK = "200 alarms, 50 events each, repeat tick";

/** Many alarms, each a file of its own with a question of its own. */
export async function many({ lab, floors }: Bench): Promise<Section> {
  const postgres = await lab.postgres();
  const numbers = Array.from({ length: 200 }, (_, number) => number);
  const site = new BenchSite(lab, {
    alarms: Object.fromEntries(
      numbers.map((number) => [
        `failing_tasks_${String(number).padStart(3, "0")}`,
        failingTasksOf(number),
      ]),
    ),
    dsn: postgres.dsn(await postgres.copy()),
    baseUrl: (await lab.source()).listing(62),
  });
  await site.tick();
  await site.tick();
  const runs = await lab.repeat(5, () => site.tick());
  return {
    title: "Many alarms",
    figures: [
      {
        work: WORK,
        measure: "wall",
        unit: "s",
        values: runs.map(({ wall }) => wall),
        target: 2.5,
        floor: await floors.touch(10_000),
      },
      { work: WORK, measure: "CPU", unit: "s", values: runs.map(({ cpu }) => cpu) },
      ...(await memoryFigures(WORK, undefined, () =>
        lab.repeat(1, () => site.tick({ memoryEvery: 25 })),
      )),
    ],
    notes: [
      "Each alarm is a TypeScript file of its own and asks a question of its own: nothing is shared but the tick.",
      "The floor is one SQL statement over the 10,000 rows.",
    ],
  };
}
