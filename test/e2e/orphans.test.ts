import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startTick } from "../support/busy_site.ts";
import { insertAlarm } from "../support/rows.ts";
import { makeSite } from "../support/site.ts";

/** A module that starts commands, writes down its process and theirs, and then does this. */
function writesPids(path: string, then: string): string {
  return `import { spawn } from "node:child_process";
import { writeFileSync, renameSync } from "node:fs";
export async function* detect() {
  const direct = spawn("sleep", ["1000"], { stdio: "inherit" });
  const nested = spawn("sh", ["-c", "sleep 1000 & echo $!; wait"], { stdio: ["ignore", "pipe", "ignore"] });
  const inner = await new Promise((resolve) => nested.stdout.once("data", (data) => resolve(Number(data))));
  writeFileSync(${JSON.stringify(`${path}.new`)}, JSON.stringify([process.pid, direct.pid, nested.pid, inner]));
  renameSync(${JSON.stringify(`${path}.new`)}, ${JSON.stringify(path)});
  ${then}
}`;
}

describe.each([
  ["waits", "await new Promise(() => {});"],
  ["computes for ever", "for (;;);"],
  ["has ended", ""],
  ["has killed its own process", 'process.kill(process.pid, "SIGKILL"); for (;;);'],
])("a module that %s, and the commands that it has started, end with an engine", (_, then) => {
  test.each(["SIGKILL", "SIGHUP", "SIGTERM", "SIGINT"] as const)("that %s ends", async (signal) => {
    const site = await makeSite({ engine: "alarm_timeout = 3600\ntick_timeout = 3600" });
    const path = join(site.folder, "pids");
    site.module("x.js", writesPids(path, then));
    site.module("y.js", "export const detect = () => new Promise(() => {});");
    await insertAlarm(site, "x");
    const { child } = startTick(site);
    await until(() => existsSync(path));
    child.kill(signal);
    const pids: readonly number[] = JSON.parse(readFileSync(path, "utf8"));
    expect(pids).toHaveLength(4);
    await until(() => !pids.some(isRunning));
    await until(() => child.exitCode !== null || child.signalCode !== null);
  });
});

/** Waits as long as the test may. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** One that has ended and that nobody has asked about yet does not run. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
