import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { median } from "./figures.ts";

export interface StartupPart {
  readonly part: string;
  /** Milliseconds of user and system time. */
  readonly cpuMs: number;
  /** Milliseconds. */
  readonly wallMs: number;
}

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const RUNS = 9;
const MODULE_FLAGS = ["--experimental-vm-modules", "--no-warnings"];
const TYPED =
  "export interface A { readonly b: string }\nexport const c = (a: A): string => a.b;\n";

interface Probe {
  readonly part: string;
  readonly flags?: readonly string[];
  /** Runs before the clock is started; the clock then counts nothing of Node's own start. */
  readonly after?: string;
  /** What is measured. */
  readonly code: string;
}

/** Throws if the build has no such file. */
function load(file: string): string {
  if (!existsSync(DIST + file))
    throw new Error(`dist/ has no ${file}; name the file that replaced it`);
  return `require(${JSON.stringify(DIST + file)});`;
}
/** All that a tick loads before it opens the database. */
const ENGINE = load("chunks/run.js");
const alone = (name: string): Probe => ({
  part: `the package ${name}`,
  after: "",
  code: `require(${JSON.stringify(name)});`,
});

/** Whole processes count Node's own start; the other parts come on top, in a process that runs. */
const PROBES: readonly Probe[] = [
  { part: "`node -e 0`", code: "" },
  { part: "a process: `swf-alarms --version`", code: load("chunks/main.js") },
  { part: "a process: the engine until it opens the database", code: ENGINE },
  {
    part: "a process: modules, until it waits",
    flags: MODULE_FLAGS,
    code: load("worker/child/main.js"),
  },
  { part: "the engine's code", after: "", code: ENGINE },
  ...["commander", "valibot", "smol-toml", "fastq"].map(alone),
  { part: "a Postgres server's driver", after: ENGINE, code: load("chunks/connect.js") },
  { part: "the client for services", after: ENGINE, code: load("chunks/connections.js") },
  { part: "mail through SES", after: ENGINE, code: load("chunks/ses_channel.js") },
  { part: "mail into files", after: ENGINE, code: load("chunks/compose.js") },
  {
    part: "the embedded database, before it is opened",
    after: ENGINE,
    code: `${load("chunks/database.js")} await import("@electric-sql/pglite");`,
  },
  {
    part: "what takes types off, before the first `.ts`",
    flags: MODULE_FLAGS,
    after: load("worker/child/main.js"),
    code: load("worker/child/strip_types.js"),
  },
  {
    part: "types taken off the first `.ts`",
    flags: MODULE_FLAGS,
    after: `${load("worker/child/main.js")} const { stripTypes } = ${load("worker/child/strip_types.js")}`,
    code: `stripTypes(${JSON.stringify(TYPED)}, "a.ts");`,
  },
];

/** What the start costs, part by part: medians, of processes that take turns. The signal ends it. */
export async function startup(signal: AbortSignal): Promise<readonly StartupPart[]> {
  const found = new Map<string, StartupPart[]>();
  for (let run = 0; run < RUNS; run++) {
    for (const probe of PROBES) {
      const known = found.get(probe.part) ?? [];
      found.set(probe.part, [...known, await measure(probe, signal)]);
    }
  }
  return [...found].map(([part, runs]) => ({
    part,
    cpuMs: median(runs.map(({ cpuMs }) => cpuMs)),
    wallMs: median(runs.map(({ wallMs }) => wallMs)),
  }));
}

async function measure(
  { part, flags = [], after, code }: Probe,
  signal: AbortSignal,
): Promise<StartupPart> {
  signal.throwIfAborted();
  const started = performance.now();
  const clock =
    after === undefined
      ? "const cpu = undefined, wall = undefined;"
      : "const cpu = process.cpuUsage(), wall = performance.now();";
  const script = `(async () => { ${after ?? ""}
    ${clock} ${code}
    const { user, system } = process.cpuUsage(cpu);
    require("node:fs").writeSync(1, JSON.stringify([(user + system) / 1000, wall === undefined ? null : performance.now() - wall]) + "\\n");
    process.kill(process.pid, "SIGKILL");
  })()`;
  // Two more pipes: a process for modules talks to the engine through them.
  const child = spawn(process.execPath, [...flags, "-e", script], {
    stdio: ["ignore", "pipe", "inherit", "pipe", "pipe"],
    cwd: DIST,
  });
  if (child.stdout === null) throw new Error("the pipe to a process is missing");
  const end = () => child.kill("SIGKILL");
  signal.addEventListener("abort", end);
  const said = await text(child.stdout).finally(() => signal.removeEventListener("abort", end));
  signal.throwIfAborted();
  if (said === "") throw new Error(`${part}: its process ended before anything was measured`);
  const found: unknown = JSON.parse(said);
  const [cpu, wall] = Array.isArray(found) ? found : [];
  const wallMs = typeof wall === "number" ? wall : performance.now() - started;
  if (typeof cpu !== "number") throw new Error(`${part}: nothing was measured`);
  return { part, cpuMs: cpu, wallMs };
}
