import type { Bench } from "./bench.ts";
import { type Figure, median, renderValue, type Section } from "./figures.ts";
import type { Measured } from "./measured_process.ts";
import type { Line } from "./picture.ts";
import { sum } from "./tasks.ts";

/** Tasks that give 10, 100, … 100,000 events; the million is a part of its own. */
const TASKS = [12, 125, 1_250, 12_500, 125_000];

export interface Point {
  readonly events: number;
  readonly wall: number;
  readonly memory: number | undefined;
  readonly floor: number;
}

/** Time and memory of the repeat tick by number of active events, the least first. */
export async function curvePoints({ courses, floors, say }: Bench): Promise<readonly Point[]> {
  const points: Point[] = [];
  for (const tasks of TASKS) {
    const { events, repeat, repeatMemory } = await courses.of(tasks);
    say(`  ${events} events`);
    const floor = sum(
      await floors.nodeStart("wall"),
      await floors.fetch(tasks),
      await floors.touch(events),
    );
    points.push({
      events,
      wall: median(repeat.map(({ wall }) => wall)),
      memory: peak(repeatMemory),
      floor: median(floor.values),
    });
  }
  return points;
}

function peak(runs: readonly Measured[]): number | undefined {
  const peaks = runs.flatMap(({ memory }) => memory?.together ?? []);
  return peaks.length === 0 ? undefined : median(peaks);
}

/** The figures of the million as a point of the same curve. */
export function pointOf(events: number, figures: readonly Figure[]): Point {
  const values = (measure: string): readonly number[] =>
    figures.find((figure) => figure.measure === measure)?.values ?? [];
  const [wall] = figures;
  if (wall?.floor === undefined) throw new Error("the million has no time and no floor");
  const memory = values("memory of all its processes");
  return {
    events,
    wall: median(wall.values),
    memory: memory.length === 0 ? undefined : median(memory),
    floor: median(wall.floor.values),
  };
}

export function curveSection(points: readonly Point[]): Section {
  return {
    title: "Growth",
    figures: [],
    tables: [
      {
        head: ["active events", "repeat tick", "floor", "ratio", "memory of all its processes"],
        rows: points.map(({ events, wall, memory, floor }) => [
          events.toLocaleString("en-US"),
          renderValue(wall, "s"),
          renderValue(floor, "s"),
          renderValue(wall / floor, "×"),
          memory === undefined ? "—" : renderValue(memory, "MB"),
        ]),
      },
    ],
    notes: [
      "Up to 100,000 events: of five tasks of 1.2 kB four are events. The floor is a process that does nothing, the raw fetch and",
      "the raw SQL one after the other. The million is that of its own section: small items, and a floor of the SQL alone.",
    ],
  };
}

export function timeLines(points: readonly Point[]): readonly Line[] {
  return [
    {
      name: "repeat tick",
      colour: "#0b5fa5",
      points: points.map(({ events, wall }) => [events, wall]),
    },
    {
      name: "floor (see below)",
      colour: "#8a8a8a",
      points: points.map(({ events, floor }) => [events, floor]),
    },
    {
      name: "to reach",
      colour: "#c23b22",
      marks: true,
      points: [
        [8_000, 0.8],
        [80_000, 7],
        [1_000_000, 300],
      ],
    },
  ];
}

export function memoryLines(points: readonly Point[]): readonly Line[] {
  return [
    {
      name: "repeat tick",
      colour: "#0b5fa5",
      points: points.flatMap(({ events, memory }) =>
        memory === undefined ? [] : [[events, memory] as const],
      ),
    },
    {
      name: "to reach",
      colour: "#c23b22",
      marks: true,
      points: [
        [8_000, 160],
        [80_000, 350],
      ],
    },
  ];
}
