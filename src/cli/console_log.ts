import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Log } from "../core/log.ts";
import { errorText } from "../text/describe.ts";
import { renderTime, shown } from "./output.ts";

export interface LogOptions {
  /** Everything goes to stdout too. */
  readonly verbose: boolean;
  readonly path: string | undefined;
}

/**
 * Errors go to stderr, so that cron mails them; the rest is silent unless it is asked for. The log file
 * gets all but the details.
 */
export function consoleLog({ verbose, path }: LogOptions): Log {
  const file = path === undefined ? undefined : openFile(path);
  const line = (level: string, message: string): string =>
    `${renderTime(Date.now() / 1000)} ${level} ${oneEntry(message)}\n`;
  return {
    error: (message) => {
      file?.(line("error", message));
      process.stderr.write(`swf-alarms: ${oneEntry(message)}\n`);
    },
    info: (message) => {
      file?.(line("info", message));
      if (verbose) process.stdout.write(line("info", message));
    },
    debug: (message) => {
      if (verbose) process.stdout.write(line("debug", message));
    },
  };
}

/** No text can start a line of its own and so pass for another entry. */
function oneEntry(message: string): string {
  return shown(message).replaceAll("\n", "\n    ");
}

/** A log that cannot be written must not stop the alarms; it is said once. */
function openFile(path: string): (text: string) => void {
  let broken = false;
  return (text) => {
    if (broken) return;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
      appendFileSync(path, text, { mode: 0o640 });
    } catch (error) {
      broken = true;
      const reason = errorText(error);
      process.stderr.write(
        `swf-alarms: ${shown(`cannot write the log ${path}: ${reason}. Check [engine] log_path and its owner.`)}\n`,
      );
    }
  };
}
