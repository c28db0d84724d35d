import type { Bench } from "./bench.ts";
import { NOTHING_WRONG } from "./bench_alarms.ts";
import { BenchSite } from "./bench_site.ts";
import type { Section } from "./figures.ts";
import { memoryFigures } from "./idle.ts";

const WORK = "two alarms, nothing to do";

/** The same tick on the embedded database, which is made by the first one. */
export async function embedded({ lab, floors }: Bench): Promise<Section> {
  const site = new BenchSite(lab, {
    alarms: { first: NOTHING_WRONG, second: NOTHING_WRONG },
    baseUrl: (await lab.source()).listing(20),
  });
  await site.command(["migrate"]);
  await site.tick();
  const runs = await lab.repeat(9, () => site.tick());
  return {
    title: "A tick with nothing to do, embedded database",
    figures: [
      {
        work: WORK,
        measure: "wall",
        unit: "s",
        values: runs.map(({ wall }) => wall),
        target: 0.8,
        floor: await floors.nodeStart("wall"),
      },
      {
        work: WORK,
        measure: "CPU",
        unit: "s",
        values: runs.map(({ cpu }) => cpu),
        floor: await floors.nodeStart("cpu"),
      },
      ...(await memoryFigures(WORK, undefined, () =>
        lab.repeat(2, () => site.tick({ memoryEvery: 10 })),
      )),
    ],
    notes: ["The database's folder is there already, as it is from the second tick on."],
  };
}
