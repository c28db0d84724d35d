import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { isAlarmName } from "../core/event_key.ts";
import { attempt } from "../text/attempt.ts";

export interface ModuleFile {
  readonly name: string;
  readonly path: string;
  /** Files in earlier folders, of the same name and with other content. */
  readonly replaces?: readonly string[];
  /** Why it must not be loaded. */
  readonly error?: string;
  /** Load it, and what it imports, also where other users can write the files. */
  readonly allowWritable?: true;
}

/** Whether a file may be meant as a module: source code, but not private, hidden, a test, a declaration or settings. */
export function mayBeModule(file: string): boolean {
  if (/^[_.]|\.(d|test|spec|config)\.[^.]+$/i.test(file)) return false;
  return /\.([cm]?[jt]sx?|py)\s*$/i.test(file);
}

/**
 * Finds the module files of an alarms folder, not of the folders in it, sorted by name. Those that are skipped have
 * the name of the file. Throws if it cannot be read.
 */
export function discoverModules(folder: string) {
  const found = new Map<string, readonly string[]>();
  const skipped: ModuleFile[] = [];
  const files = readdirSync(folder).sort();
  for (const file of files) {
    const [, name = ""] = /^(.*)\.(?:ts|mjs|js)$/.exec(file) ?? [];
    const path = join(folder, file);
    if (!isFile(path)) skipped.push({ name: file, path, error: notFile(path) });
    else if (!isAlarmName(name)) skipped.push({ name: file, path, error: notModule(file, files) });
    else found.set(name, [...(found.get(name) ?? []), file]);
  }
  const modules = [...found].map(([name, [file = "", ...others]]): ModuleFile => {
    const path = join(folder, file);
    if (others.length === 0) return { name, path };
    const error = `has the same alarm name as ${others.join(" and ")} in the same folder; remove one of them`;
    return { name, path, error };
  });
  return { modules, skipped };
}

const TEST = /\.test\.\w+$/;

/** With what to do: `MyAlarm.mts` is to be my_alarm.ts, unless that would replace another file. */
function notModule(file: string, files: readonly string[]): string {
  if (TEST.test(file)) return "is a test, and not an alarm module";
  const [, stem = "", language] = /^(.*)\.[cm]?([jt]s)x?\s*$/i.exec(file) ?? [];
  const renamed = `${suggestedName(stem)}.${language}`.toLowerCase();
  const isFree = language !== undefined && !files.includes(renamed);
  const advice = isFree ? `; rename it to ${renamed}` : ", such as my_alarm.ts";
  return `is not an alarm module; the name of one is a lower-case identifier with .ts, .mjs or .js${advice}`;
}

/** The name of an alarm that is nearest to what somebody has written: `MyAlarm` is to be `my_alarm`. */
export function suggestedName(text: string): string {
  const words = text.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/[^a-z0-9]+/gi, "_");
  return (
    words
      .replace(/^[^a-z]+|_$/gi, "")
      .slice(0, 200)
      .toLowerCase() || "my_alarm"
  );
}

function notFile(path: string): string {
  return existsSync(path) ? "is not a regular file" : "is a link whose target does not exist";
}

/** A link counts as its target; one that cannot be followed is none. */
export function isFile(path: string): boolean {
  return attempt(() => statSync(path).isFile(), false);
}
