import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ProcessResult } from "../support/process.ts";
import type { Site } from "../support/site.ts";

const ENTRY = fileURLToPath(new URL("../../dist/program/swf-alarms.js", import.meta.url));
/** A variable that the engine hands on to the processes of its modules. */
const MARK = "TMPDIR";
/** Seconds for a process to notice that the engine is gone: far more than it needs. */
const PATIENCE = 30;

/** A tick that may be killed at any moment. */
export interface Victim {
  /** SIGKILL, to the engine's own process alone. */
  kill(): void;
  readonly ended: Promise<VictimEnd>;
}

export interface VictimEnd extends ProcessResult {
  readonly killed: boolean;
  /** Seconds from its start. */
  readonly seconds: number;
}

/** Starts a tick; all that it starts bears the site's mark, by which it can be found again. */
export function startVictim(site: Site): Victim {
  const begin = performance.now();
  const child = spawn(process.execPath, [ENTRY, "run", "--config", site.config], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      [MARK]: site.folder,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
    },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<VictimEnd>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      const seconds = (performance.now() - begin) / 1000;
      resolve({ code, stdout, stderr, killed: signal === "SIGKILL", seconds });
    });
  });
  return { kill: () => child.kill("SIGKILL"), ended };
}

/** Resolves when none of the site's ticks has a process left. Throws when one stays. */
export async function processesGone(site: Site): Promise<void> {
  const until = performance.now() + PATIENCE * 1000;
  for (;;) {
    const left = processesOf(site);
    if (left.length === 0) return;
    if (performance.now() > until)
      throw new Error(`processes of a killed tick are still there: ${left.join(", ")}`);
    await sleep(20);
  }
}

/** Process ids; only Linux tells a process's environment to others. */
function processesOf(site: Site): readonly string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").filter(
    (name) => /^\d+$/.test(name) && environment(name).includes(`${MARK}=${site.folder}\0`),
  );
}

/** Empty for a process that is dead already, or somebody else's. */
function environment(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}
