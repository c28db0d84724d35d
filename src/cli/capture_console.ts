import { format } from "node:util";
import type { Log } from "../engine/log.ts";

/**
 * What alarm modules print goes to the log: on stdout it would spoil `--json`, and cron would mail it.
 * The process ends with the command, so nothing is put back.
 */
export function captureConsole(log: Log): void {
  for (const method of ["log", "info", "debug", "warn", "error", "trace"] as const) {
    console[method] = (...values: unknown[]) =>
      log.debug(`printed by a module: ${format(...values)}`);
  }
}
