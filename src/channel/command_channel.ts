import { type ChildProcess, spawn } from "node:child_process";
import { delivered, undelivered } from "../core/delivery.ts";
import { commandInput } from "../message/command_input.ts";
import { attempt } from "../text/attempt.ts";
import { errorText } from "../text/describe.ts";
import type { Channel } from "./channel.ts";
import { type CommandEnd, commandError, MAX_STDERR } from "./command_error.ts";

/** Milliseconds between SIGTERM and SIGKILL. */
const GRACE = 1_000;
/** Milliseconds for the rest of its stderr, which a program in the background may keep open. */
const REST = 250;

export interface CommandSettings {
  /** Absolute path of the program. */
  readonly file: string;
  readonly args: readonly string[];
  /** Where it runs. */
  readonly folder: string;
  /** Seconds. */
  readonly timeout: number;
}

/** Runs a program for each notification, without a shell; a JSON object is its stdin. */
export function commandChannel(settings: CommandSettings): Channel {
  return {
    deliver: async (outgoing, signal) => {
      const { recipients } = outgoing;
      const end = await run(settings, JSON.stringify(commandInput(outgoing)), signal);
      if (end.kind === "exited" && end.code === 0) return delivered(recipients);
      return undelivered(recipients, commandError(settings.file, end));
    },
  };
}

async function run(
  { file, args, folder, timeout }: CommandSettings,
  input: string,
  tick: AbortSignal,
): Promise<CommandEnd> {
  if (tick.aborted) return { kind: "not started", reason: errorText(tick.reason) };
  let child: ChildProcess;
  try {
    child = spawn(file, args, {
      cwd: folder,
      // A process group of its own: the processes that it starts are stopped with it.
      detached: true,
      stdio: ["pipe", "ignore", "pipe"],
    });
  } catch (error) {
    return { kind: "not started", reason: errorText(error) };
  }
  // It need not read its input.
  for (const stream of [child.stdin, child.stderr]) stream?.on("error", () => {});
  child.stdin?.end(input);
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    if (stderr.length < MAX_STDERR) stderr += chunk;
  });
  return await new Promise((resolve) => {
    const timers: NodeJS.Timeout[] = [];
    let stopped: string | undefined;
    const killGroup = (signal: NodeJS.Signals): void => {
      const { pid } = child;
      if (pid !== undefined) attempt(() => process.kill(-pid, signal), false);
    };
    const finish = (end: CommandEnd): void => {
      for (const timer of timers) clearTimeout(timer);
      tick.removeEventListener("abort", onAbort);
      child.stdin?.destroy();
      child.stderr?.destroy();
      child.unref();
      resolve(end);
    };
    const stop = (reason: string): void => {
      // The engine may have been busy while the program ended; its end is read first.
      setImmediate(() => {
        if (stopped !== undefined || child.exitCode !== null || child.signalCode !== null) return;
        stopped = reason;
        killGroup("SIGTERM");
        const kill = (): void => {
          killGroup("SIGKILL");
          finish({ kind: "stopped", reason });
        };
        timers.push(setTimeout(kill, GRACE));
      });
    };
    const late = `it ran for longer than ${timeout} s; raise timeout if it needs longer`;
    const onAbort = (): void => stop(errorText(tick.reason));
    tick.addEventListener("abort", onAbort, { once: true });
    timers.push(setTimeout(() => stop(late), timeout * 1000));
    child.once("error", ({ message }) => finish({ kind: "not started", reason: message }));
    child.once("exit", (code, signal) => {
      if (stopped !== undefined) {
        killGroup("SIGKILL");
        finish({ kind: "stopped", reason: stopped });
        return;
      }
      const end = (): void => finish({ kind: "exited", code, signal, stderr });
      child.once("close", end);
      timers.push(setTimeout(() => setImmediate(end), REST));
    });
  });
}
