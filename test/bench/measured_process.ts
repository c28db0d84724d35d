import { spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { type Peaks, watchMemory } from "./process_tree.ts";

export interface Measured {
  /** Seconds. */
  readonly wall: number;
  /** Seconds of user and system time, those of all processes below it that have ended included. */
  readonly cpu: number;
  readonly memory: Peaks | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

export interface MeasureOptions {
  /** Ends the process. */
  readonly signal: AbortSignal;
  /** Seconds after which the process is ended. */
  readonly timeout?: number;
  /** Milliseconds between two looks at the memory, which cost the measured process time: none unless given. */
  readonly memoryEvery?: number;
  readonly env?: { readonly [name: string]: string };
}

/** The shell's own clock: it counts the children of the process too, which Node cannot. */
const TIMED = `TIMEFORMAT="%R %U %S"; exec 4>&2; { time "$@" 2>&4 3>&- 4>&-; } 2>&3`;

/** Runs a command as cron would and measures it. */
export async function measure(
  command: readonly string[],
  { signal, timeout = 120, memoryEvery, env = {} }: MeasureOptions,
): Promise<Measured> {
  signal.throwIfAborted();
  const child = spawn("bash", ["-c", TIMED, "bash", ...command], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LC_ALL: "C", ...env },
    // A group of its own, so that all of it can be ended.
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) {
    const [error] = await once(child, "error");
    throw new Error("cannot start bash, which measures", { cause: error });
  }
  const end = () => process.kill(-pid, "SIGKILL");
  const late = setTimeout(end, timeout * 1000);
  signal.addEventListener("abort", end);
  const peaks = memoryEvery === undefined ? undefined : watchMemory(pid, memoryEvery);
  try {
    const [, output, errors, clock] = child.stdio;
    if (!(output instanceof Readable && errors instanceof Readable && clock instanceof Readable))
      throw new Error("the pipes of bash are missing");
    const closed = once(child, "close");
    const [stdout, stderr, times] = await Promise.all([text(output), text(errors), text(clock)]);
    await closed;
    signal.throwIfAborted();
    const [wall, user, system] = times.trim().split(/\s+/).map(Number);
    if (wall === undefined || user === undefined || system === undefined)
      throw new Error(`${command.join(" ")} did not end within ${timeout} s: ${stderr}`);
    return { wall, cpu: user + system, memory: peaks?.(), stdout, stderr, code: child.exitCode };
  } finally {
    clearTimeout(late);
    signal.removeEventListener("abort", end);
    peaks?.();
  }
}
