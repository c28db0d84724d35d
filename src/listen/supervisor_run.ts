import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { ExpectedError } from "../core/expected_error.ts";
import { errorText } from "../text/describe.ts";

/**
 * Names the run of a process such as supervisord, whose serials restart with each: its id and its start. A feeder that
 * is started again under the same supervisord gets the same name. Throws ExpectedError.
 */
export function supervisorRun(pid: number): string {
  try {
    return `${pid}-${process.platform === "linux" ? linuxStart(pid) : startByPs(pid)}`;
  } catch (error) {
    throw new ExpectedError(
      `cannot tell when process ${pid}, which started this command, began: ${errorText(error)}; without it two runs of supervisord look like one`,
    );
  }
}

/** In clock ticks of a certain boot: no clock that is set can change it. */
function linuxStart(pid: number): string {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").slice(0, 8);
  return `${startTicks(readFileSync(`/proc/${pid}/stat`, "utf8"))}-${boot}`;
}

/** Field 22 of `/proc/<pid>/stat`; the second one, a name in parentheses, may contain anything. */
export function startTicks(stat: string): string {
  const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  if (ticks === undefined || !/^\d+$/.test(ticks)) throw new Error("its /proc/…/stat has no start");
  return ticks;
}

/** In epoch seconds, where there is no /proc. */
export function startByPs(pid: number): string {
  const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
  const text = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", env });
  const start = Date.parse(`${text.trim()} UTC`);
  if (Number.isNaN(start)) throw new Error(`ps says ${JSON.stringify(text)}`);
  return String(start / 1000);
}
