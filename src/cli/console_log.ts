import { appendFileSync, constants, lstatSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { writableFault } from "../alarm/permissions.ts";
import type { Log } from "../core/log.ts";
import { errorText } from "../text/describe.ts";
import { renderTime, shown } from "./output.ts";

/** A pipe that nobody reads must not stop the tick. */
const FLAGS = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NONBLOCK;

/** Process-wide, as what ends the process is an entry too. */
let append = (_text: string): void => {};

/** From now on the file gets everything that is logged but debug lines. */
export function logTo(path: string, allowWritable: boolean): void {
  append = openFile(path, allowWritable);
}

/** Errors go to stderr, so that cron mails them; the rest goes to stdout if it is `verbose`. */
export function consoleLog(verbose: boolean): Log {
  return {
    error: logError,
    info: (message) => {
      append(line("info", message));
      if (verbose) process.stdout.write(line("info", message));
    },
    debug: (message) => {
      if (verbose) process.stdout.write(line("debug", message));
    },
  };
}

export function logError(message: string): void {
  append(line("error", message));
  process.stderr.write(`swf-alarms: ${oneEntry(message)}\n`);
}

function line(level: string, message: string): string {
  return `${renderTime(Date.now() / 1000)} ${level} ${oneEntry(message)}\n`;
}

/** Further lines are indented, so that none can pass for another entry. */
function oneEntry(message: string): string {
  return shown(message).replaceAll("\n", "\n    ");
}

/** A log that cannot be written does not stop the alarms; the error is printed once. */
function openFile(path: string, allowWritable: boolean): (text: string) => void {
  const fault = allowWritable ? undefined : writableFault(path);
  let file: number | undefined;
  let broken = false;
  return (text) => {
    if (broken) return;
    try {
      if (fault !== undefined) throw new Error(fault);
      mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
      // Another user may have made a link since the check.
      const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
      file ??= openSync(path, isLink ? FLAGS : FLAGS | constants.O_NOFOLLOW, 0o640);
      appendFileSync(file, text);
    } catch (error) {
      broken = true;
      const message = `cannot write the log ${path}: ${errorText(error)}; check [engine] log_path and its owner`;
      process.stderr.write(`swf-alarms: ${shown(message)}\n`);
    }
  };
}
