import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ProcessResult } from "../support/process.ts";
import type { Site } from "../support/site.ts";

const ENTRY = fileURLToPath(new URL("../../dist/bin/swf-alarms.js", import.meta.url));
/** Seconds for a process to notice that the engine is gone: far more than it needs. */
const PATIENCE = 60;

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

/** Starts a tick in a process group of its own, by which all that it starts can be found again. */
export function startVictim(site: Site): Victim & { readonly group: number } {
  const begin = performance.now();
  const child = spawn(process.execPath, [ENTRY, "run", "--config", site.config], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
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
  if (child.pid === undefined) throw new Error("the engine did not start");
  return { kill: () => child.kill("SIGKILL"), ended, group: child.pid };
}

/** Resolves when no process of the group is left. Throws when one stays. */
export async function groupEnded(group: number): Promise<void> {
  const until = performance.now() + PATIENCE * 1000;
  for (;;) {
    const left = members(group);
    if (left.length === 0) return;
    if (performance.now() > until)
      throw new Error(`processes of the killed tick are still there: ${left.join(", ")}`);
    await sleep(20);
  }
}

/** Process ids; a dead process that nobody has asked after yet is none. */
function members(group: number): readonly number[] {
  if (process.platform !== "linux") return exists(group) ? [group] : [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const [state, , pgrp] = statOf(pid);
      return Number(pgrp) === group && state !== "Z";
    })
    .map(Number);
}

/** The fields after the command's name, which may hold anything. */
function statOf(pid: string): readonly string[] {
  try {
    return (readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1) ?? "").split(" ");
  } catch {
    return [];
  }
}

function exists(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}
