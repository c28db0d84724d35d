import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { isAlarmName } from "../core/event_key.ts";

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

const NOT_MODULE =
  "not an alarm module; the name of one is a lower-case identifier with .ts, .mjs or .js, such as my_alarm.ts";

/**
 * Finds the module files of an alarms folder, not of the folders in it, sorted by name. Throws if it cannot be
 * read.
 */
export function discoverModules(folder: string) {
  const found = new Map<string, readonly string[]>();
  const skipped: { file: string; reason: string }[] = [];
  for (const file of readdirSync(folder).sort()) {
    const [, name = ""] = /^(.*)\.(?:ts|mjs|js)$/.exec(file) ?? [];
    if (!isFile(join(folder, file))) skipped.push({ file, reason: "not a file" });
    else if (!isAlarmName(name)) skipped.push({ file, reason: NOT_MODULE });
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

/** A link counts as its target. `existsSync` is false for one that cannot be followed. */
function isFile(path: string): boolean {
  return existsSync(path) && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
