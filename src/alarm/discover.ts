import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { isAlarmName } from "../core/event_key.ts";

/** One module file: its alarm's name and its path. */
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

export interface Discovery {
  /** Sorted by name. */
  readonly modules: readonly ModuleFile[];
  readonly skipped: readonly { readonly file: string; readonly reason: string }[];
}

const EXTENSIONS = [".ts", ".mjs", ".js"];

/** Finds the module files of an alarms folder, not of the folders in it. Throws if it cannot be read. */
export function discoverModules(folder: string): Discovery {
  const found = new Map<string, readonly string[]>();
  const skipped: { file: string; reason: string }[] = [];
  for (const file of readdirSync(folder).sort()) {
    const reason = notFile(join(folder, file)) ?? notModule(file);
    const name = file.slice(0, file.lastIndexOf("."));
    if (reason === undefined) found.set(name, [...(found.get(name) ?? []), file]);
    else skipped.push({ file, reason });
  }
  const modules = [...found].map(([name, [file = "", ...others]]): ModuleFile => {
    const path = join(folder, file);
    if (others.length === 0) return { name, path };
    const error = `has the same alarm name as ${others.join(" and ")} in the same folder; remove one of them`;
    return { name, path, error };
  });
  return { modules, skipped };
}

/** A link counts as its target. */
function notFile(path: string): string | undefined {
  try {
    const stats = statSync(path);
    if (stats.isFile()) return undefined;
    return stats.isDirectory() ? "a folder" : "not a file";
  } catch {
    return "a link that cannot be followed";
  }
}

function notModule(file: string): string | undefined {
  if (/^[_.]/.test(file)) return `begins with ${file[0]}`;
  if (file.endsWith(".d.ts")) return "a type declaration";
  if (/\.test\.[a-z]+$/.test(file)) return "a test";
  const extension = EXTENSIONS.find((extension) => file.endsWith(extension));
  if (extension === undefined) return `not a module (${EXTENSIONS.join(", ")})`;
  return isAlarmName(file.slice(0, -extension.length))
    ? undefined
    : "its name is not a lower-case identifier such as my_alarm";
}
