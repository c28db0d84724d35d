import { readFileSync } from "node:fs";

/** Peaks in MB. */
export interface Peaks {
  /** Resident, of the engine's process. */
  readonly engine: number;
  /** Resident, of the largest process that alarm modules ran in. */
  readonly module: number;
  /**
   * Of all processes of the tick at one moment: what each has to itself, and once what they share. Not
   * the proportional size, which the bench's own processes would make smaller: they run the same Node.
   */
  readonly together: number;
}

/** Looks at a process and all below it until told to stop; undefined where the system does not tell. */
export function watchMemory(root: number, everyMs: number): () => Peaks | undefined {
  let peaks = { engine: 0, module: 0, together: 0 };
  const timer = setInterval(() => {
    const processes = below(root);
    const [engine, ...modules] = processes.filter(runsNode);
    peaks = {
      engine: Math.max(peaks.engine, engine === undefined ? 0 : residentPeak(engine)),
      module: Math.max(peaks.module, ...modules.map(residentPeak)),
      together: Math.max(peaks.together, sharedOnce(processes)),
    };
  }, everyMs);
  return () => {
    clearInterval(timer);
    return peaks.engine === 0 ? undefined : peaks;
  };
}

function below(pid: number): readonly number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...below(child)]);
}

/** The engine, and what its alarms run in; not the shells that start them. */
function runsNode(pid: number): boolean {
  return read(`/proc/${pid}/cmdline`).split("\0")[0] === process.execPath;
}

function residentPeak(pid: number): number {
  return kilobytes(read(`/proc/${pid}/status`), /^VmHWM:\s+(\d+) kB/m);
}

function sharedOnce(processes: readonly number[]): number {
  const sizes = processes.map((pid) => read(`/proc/${pid}/smaps_rollup`));
  const own = sizes.map(
    (text) =>
      kilobytes(text, /^Private_Clean:\s+(\d+) kB/m) +
      kilobytes(text, /^Private_Dirty:\s+(\d+) kB/m),
  );
  const shared = sizes.map(
    (text) =>
      kilobytes(text, /^Shared_Clean:\s+(\d+) kB/m) + kilobytes(text, /^Shared_Dirty:\s+(\d+) kB/m),
  );
  return own.reduce((sum, size) => sum + size, 0) + Math.max(0, ...shared);
}

function kilobytes(text: string, pattern: RegExp): number {
  return (Number(pattern.exec(text)?.[1] ?? 0) * 1024) / 1e6;
}

/** Empty where the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
