import { cut } from "../text/describe.ts";
import { MAX_PAYLOAD } from "./limits.ts";
import type { SpoolLine } from "./spool_line.ts";

/** The line with its end. */
export function spoolLineText(line: SpoolLine): string {
  const { origin, serial, pool, poolserial, event, at, skipped } = line;
  const payload = cut(line.payload, MAX_PAYLOAD);
  const ordered = { origin, serial, pool, poolserial, event, at, payload, skipped };
  return `${JSON.stringify(ordered)}\n`;
}

/** The name of one run of a service, whose serials restart with each; `run` has no colon. */
export function originOf(identifier: string, run: string): string {
  return `${identifier}:${run}`;
}
