import { appendFileSync, constants, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { writableFault } from "../alarm/permissions.ts";
import type { Log } from "../core/log.ts";
import { errorText } from "../text/describe.ts";
import { renderTime, shownLine } from "./output.ts";

/** A pipe that nobody reads must not stop the tick. */
const FLAGS = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NONBLOCK;

/** The log file of this process, once it is known. */
let append = (_text: string): void => {};

const line = (level: string, message: string): string =>
  `${renderTime(Date.now() / 1000)} ${level} ${shownLine(message)}\n`;

/** Writes to the log file only. */
export function logEntry(level: string, message: string): void {
  append(line(level, message));
}

/**
 * Errors go to stderr, so that cron mails them; the rest goes to stdout if it is `verbose`. The log file
 * gets everything but debug lines.
 */
export function consoleLog(verbose: boolean): Log {
  return {
    error: (message) => {
      logEntry("error", message);
      process.stderr.write(`swf-alarms: ${shownLine(message)}\n`);
    },
    info: (message) => {
      logEntry("info", message);
      if (verbose) process.stdout.write(line("info", message));
    },
    debug: (message) => {
      if (verbose) process.stdout.write(line("debug", message));
    },
  };
}

/** A log that cannot be written does not stop the alarms; the error is printed once. */
export function logTo(path: string, allowWritable: boolean): void {
  let file: number | undefined;
  append = (text) => {
    try {
      file ??= openLog(path, allowWritable);
      appendFileSync(file, text);
    } catch (error) {
      append = () => {};
      const message = `cannot write the log ${path}: ${errorText(error)}; check [engine] log_path and its owner`;
      process.stderr.write(`swf-alarms: ${shownLine(message)}\n`);
    }
  };
}

function openLog(path: string, allowWritable: boolean): number {
  const fault = allowWritable ? undefined : writableFault(path);
  if (fault !== undefined) throw new Error(fault);
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  return openSync(path, FLAGS, 0o640);
}
