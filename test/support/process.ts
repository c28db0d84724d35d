import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Whether there is a process, other than one that is dead and waits for its parent; Linux only. */
export function isRunning(pid: string): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

export interface ProcessResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: { readonly [name: string]: string };
  /** A command in front of it that ends in running its own arguments. */
  readonly via?: readonly string[];
  /** Which bin; `swf-alarms` unless said otherwise. */
  readonly bin?: "swf-alarms" | "swf-alarms-run";
}

/** Runs the built engine as a process of its own, as cron does. */
export async function runEngine(
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const entry = fileURLToPath(
    new URL(`../../dist/program/${options.bin ?? "swf-alarms"}.js`, import.meta.url),
  );
  const [program = "", ...rest] = [...(options.via ?? []), process.execPath, entry, ...args];
  const child = spawn(program, rest, {
    cwd: options.cwd,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      ...options.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, stdout, stderr };
}
