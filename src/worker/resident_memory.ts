import { readFileSync } from "node:fs";
import { attempt } from "../text/attempt.ts";

/** The memory that a process uses, in MiB; 0 where the system does not tell. */
export function residentMemory(pid: number | undefined): number {
  const status = attempt(() => readFileSync(`/proc/${pid}/status`, "utf8"), "");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
}
