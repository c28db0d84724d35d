import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startTick } from "../support/busy_site.ts";
import { insertAlarm } from "../support/rows.ts";
import { makeSite } from "../support/site.ts";

/** Whether the system can end a process with its parent, whatever it does. */
const ENDS_WITH_PARENT = spawnSync("setpriv", ["--pdeathsig", "KILL", "true"]).status === 0;

/** A module that writes down its process and then does this. */
function writesPid(path: string, then: string): string {
  return `import { writeFileSync, renameSync } from "node:fs";
export async function* detect() {
  writeFileSync(${JSON.stringify(`${path}.new`)}, String(process.pid));
  renameSync(${JSON.stringify(`${path}.new`)}, ${JSON.stringify(path)});
  ${then}
}`;
}

test.each([
  ["waits", "await new Promise(() => {});", true],
  ["computes for ever", "for (;;);", ENDS_WITH_PARENT],
])("a module that %s ends with an engine that is killed", async (_, then, isPossible) => {
  if (!isPossible) return;
  const site = await makeSite({ engine: "alarm_timeout = 3600\ntick_timeout = 3600" });
  const path = join(site.folder, "pid");
  site.module("x.js", writesPid(path, then));
  await insertAlarm(site, "x");
  const { kill } = startTick(site);
  await until(() => existsSync(path));
  await kill();
  const pid = readFileSync(path, "utf8");
  await until(() => !isRunning(pid));
  expect(isRunning(pid)).toBe(false);
});

/** Waits as long as the test may. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** One that has ended and that nobody has asked about yet does not run. */
function isRunning(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
