import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Log } from "../core/log.ts";
import { errorText } from "../text/describe.ts";
import { renderTime, shownLine } from "./output.ts";

/**
 * Errors go to stderr, so that cron mails them; the rest goes to stdout if it is `verbose`. The file at
 * `path` gets everything but debug lines.
 */
export function consoleLog(verbose: boolean, path?: string): Log {
  const append = path === undefined ? undefined : openFile(path);
  const line = (level: string, message: string): string =>
    `${renderTime(Date.now() / 1000)} ${level} ${shownLine(message)}\n`;
  return {
    error: (message) => {
      append?.(line("error", message));
      process.stderr.write(`swf-alarms: ${shownLine(message)}\n`);
    },
    info: (message) => {
      append?.(line("info", message));
      if (verbose) process.stdout.write(line("info", message));
    },
    debug: (message) => {
      if (verbose) process.stdout.write(line("debug", message));
    },
  };
}

/** A log that cannot be written does not stop the alarms; the error is printed once. */
function openFile(path: string): (text: string) => void {
  let broken = false;
  return (text) => {
    if (broken) return;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
      appendFileSync(path, text, { mode: 0o640 });
    } catch (error) {
      broken = true;
      const message = `cannot write the log ${path}: ${errorText(error)}; check [engine] log_path and its owner`;
      process.stderr.write(`swf-alarms: ${shownLine(message)}\n`);
    }
  };
}
