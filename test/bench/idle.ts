import type { Bench } from "./bench.ts";
import { NOTHING_WRONG } from "./bench_alarms.ts";
import { BenchSite } from "./bench_site.ts";
import type { Figure, Section } from "./figures.ts";
import { type Measured, measure } from "./measured_process.ts";

const WORK = "two alarms, nothing to do";

/** A tick that asks a list and finds all well. */
export async function idle({ lab }: Bench): Promise<Section> {
  const postgres = await lab.postgres();
  const site = new BenchSite(lab, {
    alarms: { first: NOTHING_WRONG, second: NOTHING_WRONG },
    dsn: postgres.dsn(await postgres.copy()),
    baseUrl: (await lab.source()).listing(20),
  });
  await site.tick();
  // By turns with the floor: a shared machine is not as fast at one moment as at the next.
  const rounds = await lab.repeat(21, async () => ({
    run: await site.tick(),
    start: await measure([process.execPath, "-e", "0"], { signal: lab.signal }),
  }));
  const figure = (measured: "wall" | "cpu") => ({
    values: rounds.map(({ run }) => run[measured]),
    floor: { name: "`node -e 0`", values: rounds.map(({ start }) => start[measured]) },
  });
  return {
    title: "A tick with nothing to do, Postgres",
    figures: [
      {
        work: WORK,
        measure: "wall",
        unit: "s",
        targetRatio: 11,
        ...figure("wall"),
      },
      {
        work: WORK,
        measure: "CPU",
        unit: "s",
        targetRatio: 13,
        ...figure("cpu"),
      },
      ...(await memoryFigures(WORK, 90, () => lab.repeat(3, () => site.tick({ memoryEvery: 5 })))),
    ],
    notes: [
      "CPU is user and system time of the engine and of the processes of its alarm modules together.",
      "Memory was measured in runs of its own, as looking takes time: the peak of what all processes of the tick",
      "hold at one moment, pages that they share counted once; beside it the peaks of the single processes (RSS), of which",
      "some 35 MB are pages of Node's own program, shared with any other Node on the machine. One MB is 10⁶ bytes.",
    ],
  };
}

/** The three rows that say what a tick's processes held; `target` is in MB and for all of them together. */
export async function memoryFigures(
  work: string,
  target: number | undefined,
  run: () => Promise<readonly Pick<Measured, "memory">[]>,
): Promise<readonly Figure[]> {
  const peaks = (await run()).flatMap(({ memory }) => memory ?? []);
  const figure = (measure: string, values: readonly number[]): Figure => ({
    work,
    measure,
    unit: "MB",
    values,
  });
  return [
    {
      ...figure(
        "memory of all its processes",
        peaks.map(({ together }) => together),
      ),
      ...(target === undefined ? {} : { target }),
    },
    figure(
      "— the engine's process alone",
      peaks.map(({ engine }) => engine),
    ),
    figure(
      "— the alarms' process alone",
      peaks.map(({ module }) => module),
    ),
  ];
}
