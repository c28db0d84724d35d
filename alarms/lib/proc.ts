/** What Linux writes below /proc. Sizes are in KiB, as there; null where a text does not have the field. */

/** Clock ticks of all CPUs since the host has started. */
export interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

/** Of /proc/stat. Time that the hypervisor gave to other guests is busy: it was not available. */
export function parseCpuTimes(stat: string): CpuTimes | null {
  const times = /^cpu +(.+)$/m.exec(stat)?.[1]?.trim().split(/ +/).map(Number);
  // Guest time, which follows, is part of user and nice.
  const [user = 0, nice = 0, system = 0, idle, iowait = 0, irq = 0, softirq = 0, steal = 0] =
    times ?? [];
  if (idle === undefined) return null;
  const busy = user + nice + system + irq + softirq + steal;
  const total = busy + idle + iowait;
  return Number.isFinite(total) ? { busy, total } : null;
}

/** Percent of the time between two looks that the CPUs were busy; null if no time has passed. */
export function busyPercent(before: CpuTimes, now: CpuTimes): number | null {
  const total = now.total - before.total;
  // The kernel's count of idle time can step back a little.
  const busy = Math.min(Math.max(now.busy - before.busy, 0), total);
  return total > 0 ? (100 * busy) / total : null;
}

/** A field of /proc/meminfo. */
export function parseKib(name: string, text: string): number | null {
  const [, kib] = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text) ?? [];
  return kib === undefined ? null : Number(kib);
}

export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  /** What a user may call it: its name, its program's, and that of the script which this runs. */
  readonly names: readonly string[];
  /** Memory that it has in RAM; 0 of a kernel thread and of a process that has ended. */
  readonly rss: number;
}

/** Of /proc/PID/status and /proc/PID/cmdline. */
export function parseProcess(status: string, cmdline: string): ProcessFacts | null {
  const [, name] = /^Name:\t(.*)$/m.exec(status) ?? [];
  const [, pid] = /^Pid:\t(\d+)$/m.exec(status) ?? [];
  const [, parent] = /^PPid:\t(\d+)$/m.exec(status) ?? [];
  if (name === undefined || pid === undefined || parent === undefined) return null;
  const [program = "", ...args] = cmdline.split("\0");
  const script = args.find((arg) => arg !== "" && !arg.startsWith("-")) ?? "";
  return {
    pid: Number(pid),
    parent: Number(parent),
    names: [name, baseName(program), baseName(script)].filter((each) => each !== ""),
    rss: parseKib("VmRSS", status) ?? 0,
  };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
