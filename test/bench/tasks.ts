import type { Bench } from "./bench.ts";
import type { Figure, Floor, Section } from "./figures.ts";
import { memoryFigures } from "./idle.ts";
import type { Measured } from "./measured_process.ts";

/** Ticks over many tasks: the first opens the events, the next ones find them again. */
export async function tasks({ courses, floors }: Bench): Promise<Section> {
  const start = await floors.nodeStart("wall");
  const small = await courses.of(10_000);
  const large = await courses.of(100_000);
  const small_ = "10,000 tasks, 8,000 detections";
  const large_ = "100,000 tasks, 80,000 detections";
  const wall = (
    work: string,
    runs: readonly Measured[],
    targetRatio: number | undefined,
    floor: Floor,
  ): Figure => ({
    work,
    measure: "wall",
    unit: "s",
    values: runs.map((run) => run.wall),
    ...(targetRatio === undefined ? {} : { targetRatio }),
    floor,
  });
  return {
    title: "Many tasks",
    figures: [
      wall(
        `${small_}, first tick`,
        small.first,
        2.5,
        sum(start, await floors.fetch(10_000), await floors.insert(8_000)),
      ),
      cpu(`${small_}, first tick`, small.first),
      ...(await memoryFigures(`${small_}, first tick`, 160, async () => small.firstMemory)),
      wall(
        `${small_}, repeat tick`,
        small.repeat,
        1.9,
        sum(start, await floors.fetch(10_000), await floors.touch(8_000)),
      ),
      cpu(`${small_}, repeat tick`, small.repeat),
      ...(await memoryFigures(`${small_}, repeat tick`, 160, async () => small.repeatMemory)),
      wall(
        `${large_}, first tick`,
        large.first,
        undefined,
        sum(start, await floors.fetch(100_000), await floors.insert(80_000)),
      ),
      ...(await memoryFigures(`${large_}, first tick`, undefined, async () => large.firstMemory)),
      wall(
        `${large_}, repeat tick`,
        large.repeat,
        undefined,
        sum(start, await floors.fetch(100_000), await floors.touch(80_000)),
      ),
      cpu(`${large_}, repeat tick`, large.repeat),
      ...(await memoryFigures(`${large_}, repeat tick`, 350, async () => large.repeatMemory)),
    ],
    notes: [
      "The source gives pages of 200 tasks of 1.2 kB each, one after the other, as PanDA's proxy does; the alarm is",
      "a plain module of twenty lines. Each first tick has a database of its own. The floor is the sum of a process that does nothing,",
      "of reading the same pages over one kept-alive connection with `JSON.parse`, and of one SQL statement over the same rows with the same indexes.",
    ],
  };
}

function cpu(work: string, runs: readonly Measured[]): Figure {
  return { work, measure: "CPU", unit: "s", values: runs.map((run) => run.cpu) };
}

/** All of them, one after the other: a process that starts, reads and stores. */
export function sum(...floors: readonly Floor[]): Floor {
  const runs = Math.max(...floors.map(({ values }) => values.length));
  return {
    name: floors.map(({ name }) => name).join(" + "),
    values: Array.from({ length: runs }, (_, place) =>
      floors.reduce((total, { values }) => total + (values[place % values.length] ?? 0), 0),
    ),
  };
}
