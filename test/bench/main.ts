import { makeBench } from "./bench.ts";
import { curvePoints, memoryLines, pointOf, timeLines } from "./curve.ts";
import { writeDocument, writePicture } from "./document.ts";
import type { Section } from "./figures.ts";
import { describeMachine } from "./machine.ts";
import { PARTS } from "./parts.ts";
import { renderPicture } from "./picture.ts";
import { renderSection } from "./tables.ts";

/**
 * `npm run bench` measures all parts and writes docs/performance.md; `npm run bench -- <part>…` measures
 * these and prints them. `--write` writes what was measured in either case.
 */
async function main(args: readonly string[], signal: AbortSignal): Promise<void> {
  const names = args.filter((arg) => arg !== "--write");
  const unknown = names.filter((name) => !PARTS.has(name));
  if (unknown.length > 0)
    throw new Error(
      `no such part: ${unknown.join(", ")}; there are ${[...PARTS.keys()].join(", ")}`,
    );
  const wanted = names.length === 0 ? [...PARTS.keys()] : names;
  const write = names.length === 0 || args.includes("--write");
  const bench = makeBench(signal, (line) => process.stderr.write(`${line}\n`));
  const started = Date.now();
  try {
    const machine = await describeMachine(await bench.lab.postgres());
    console.log(`${machine}\n`);
    const sections = new Map<string, Section>();
    for (const name of wanted) {
      signal.throwIfAborted();
      const since = Date.now();
      bench.say(`${name} …`);
      const section = await PARTS.get(name)?.(bench);
      if (section === undefined) continue;
      sections.set(name, section);
      console.log(`${renderSection(section)}\n`);
      bench.say(`${name}: ${seconds(since)} s`);
    }
    bench.say(`all: ${seconds(started)} s`);
    if (!write) return;
    const rendered = [...sections].map(([name, section]) => [name, renderSection(section)]);
    writeDocument({ machine, ...Object.fromEntries(rendered) });
    if (sections.has("curve")) await drawCurve(bench, sections.get("million"));
  } finally {
    await bench.lab.close();
  }
}

async function drawCurve(
  bench: Parameters<typeof curvePoints>[0],
  million: Section | undefined,
): Promise<void> {
  const points = [...(await curvePoints({ ...bench, say: () => {} }))];
  if (million !== undefined) points.push(pointOf(1_000_000, million.figures));
  const x = "active events";
  writePicture(
    "performance-time.svg",
    renderPicture({ title: "Time of a repeat tick", x, y: "seconds", lines: timeLines(points) }),
  );
  writePicture(
    "performance-memory.svg",
    renderPicture({ title: "Memory of a repeat tick", x, y: "MB", lines: memoryLines(points) }),
  );
}

function seconds(since: number): string {
  return ((Date.now() - since) / 1000).toFixed(0);
}

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => stop.abort(new Error(`ended by ${name}`)));
}
try {
  await main(process.argv.slice(2), stop.signal);
} catch (failure) {
  const error: unknown = stop.signal.aborted ? stop.signal.reason : failure;
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
