import type { Bench } from "./bench.ts";
import { curvePoints, curveSection } from "./curve.ts";
import { embedded } from "./embedded.ts";
import type { Section } from "./figures.ts";
import { history } from "./history.ts";
import { idle } from "./idle.ts";
import { install } from "./install.ts";
import { many } from "./many.ts";
import { million } from "./million.ts";
import { sharing } from "./sharing.ts";
import { startup } from "./startup.ts";
import { statements } from "./statements.ts";
import { tasks } from "./tasks.ts";
import { wal } from "./wal.ts";

/** The parts by the names that the command line takes, in the order of the document. */
export const PARTS: ReadonlyMap<string, (bench: Bench) => Promise<Section>> = new Map([
  ["idle", idle],
  ["startup", startupSection],
  ["tasks", tasks],
  ["curve", async (bench: Bench) => curveSection(await curvePoints(bench))],
  ["million", million],
  ["statements", statements],
  ["sharing", sharing],
  ["history", history],
  ["many", many],
  ["wal", wal],
  ["embedded", embedded],
  ["install", install],
]);

async function startupSection({ lab }: Bench): Promise<Section> {
  const parts = await startup(lab.signal);
  const milliseconds = (value: number): string => `${value.toFixed(1)} ms`;
  return {
    title: "Start-up, part by part",
    figures: [],
    tables: [
      {
        head: ["part", "CPU", "wall"],
        rows: parts.map(({ part, cpuMs, wallMs }) => [
          part,
          milliseconds(cpuMs),
          milliseconds(wallMs),
        ]),
      },
    ],
    notes: [],
  };
}
