import type { Bench } from "./bench.ts";
import { FAILING_TASKS } from "./bench_alarms.ts";
import { BenchSite } from "./bench_site.ts";
import type { Section } from "./figures.ts";

/** Two alarms that read the same list. */
export async function sharing({ lab }: Bench): Promise<Section> {
  const source = await lab.source();
  const postgres = await lab.postgres();
  const site = async (alarms: readonly string[]): Promise<BenchSite> =>
    new BenchSite(lab, {
      alarms: Object.fromEntries(alarms.map((name) => [name, FAILING_TASKS])),
      dsn: postgres.dsn(await postgres.copy()),
      baseUrl: source.listing(10_000),
    });
  const asked = async (alarms: readonly string[]): Promise<number> => {
    const ticking = await site(alarms);
    const before = await source.requests();
    await ticking.tick();
    return (await source.requests()) - before;
  };
  const one = await asked(["first"]);
  const two = await asked(["first", "second"]);
  return {
    title: "Two alarms that read the same list",
    figures: [
      {
        work: "10,000 tasks, read by two alarms",
        measure: "requests",
        unit: "",
        values: [two],
        target: one,
        floor: { name: "one alarm", values: [one] },
      },
    ],
    notes: ["Counted by the source."],
  };
}
