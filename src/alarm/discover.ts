import { type Dirent, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { isAlarmName } from "../core/event_key.ts";

/** One module file: its alarm's name and where it lies. */
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

/** The kinds of file a module may be. */
const EXTENSIONS = [".ts", ".mjs", ".js"];

/** Looks into an alarms folder, not below it. Throws where the folder cannot be read. */
export function discoverModules(folder: string): Discovery {
  const entries = readdirSync(folder, { withFileTypes: true }).map((entry) => ({
    file: entry.name,
    isFile: isFile(entry, folder),
    ...(entry.isDirectory() ? {} : { otherwise: otherwise(entry) }),
  }));
  const { chosen, skipped } = chooseModules(entries);
  const modules = chosen.map(({ file, ...rest }) => ({ ...rest, path: join(folder, file) }));
  return { modules, skipped };
}

/** A link counts as what it leads to. */
function isFile(entry: Dirent, folder: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isFile();
  try {
    return statSync(join(folder, entry.name)).isFile();
  } catch {
    return false;
  }
}

function otherwise(entry: Dirent): string {
  return entry.isSymbolicLink() ? "a link that leads to no file" : "neither a file nor a folder";
}

export interface FolderEntry {
  readonly file: string;
  readonly isFile: boolean;
  /** What it is where it is no file; a folder unless it says so. */
  readonly otherwise?: string;
}

interface Chosen {
  readonly name: string;
  readonly file: string;
  readonly error?: string;
}

/** Which entries of the folder are alarms, and why the others are not. */
export function chooseModules(entries: readonly FolderEntry[]): {
  readonly chosen: readonly Chosen[];
  readonly skipped: readonly { readonly file: string; readonly reason: string }[];
} {
  const byName = new Map<string, readonly string[]>();
  const skipped: { file: string; reason: string }[] = [];
  for (const { file, isFile: regular, otherwise = "a folder" } of [...entries].sort(byPreference)) {
    const judged = regular ? judge(file) : { reason: otherwise };
    if ("reason" in judged) {
      skipped.push({ file, reason: judged.reason });
      continue;
    }
    byName.set(judged.name, [...(byName.get(judged.name) ?? []), file]);
  }
  return { chosen: [...byName].flatMap(([name, files]) => chosenOf(name, files)), skipped };
}

/** It is not clear which of two files is meant, so neither is loaded. */
function chosenOf(name: string, [file, ...others]: readonly string[]): readonly Chosen[] {
  if (file === undefined) return [];
  if (others.length === 0) return [{ name, file }];
  const fault = `has the same alarm name as ${others.join(" and ")} in the same folder; remove one of them`;
  return [{ name, file, error: fault }];
}

function judge(file: string): { readonly name: string } | { readonly reason: string } {
  if (file.startsWith("_") || file.startsWith(".")) return { reason: `begins with ${file[0]}` };
  if (file.endsWith(".d.ts")) return { reason: "a type declaration" };
  if (/\.test\.[a-z]+$/.test(file)) return { reason: "a test" };
  const extension = extensionOf(file);
  if (extension === undefined) return { reason: `not a module (${EXTENSIONS.join(", ")})` };
  const name = file.slice(0, -extension.length);
  return isAlarmName(name)
    ? { name }
    : { reason: "its name is not a lower-case identifier such as my_alarm" };
}

function extensionOf(file: string): string | undefined {
  return EXTENSIONS.find((extension) => file.endsWith(extension));
}

function byPreference(a: FolderEntry, b: FolderEntry): number {
  const stem = ({ file }: FolderEntry): string =>
    file.slice(0, -(extensionOf(file)?.length ?? 0) || undefined);
  const rank = ({ file }: FolderEntry): number => EXTENSIONS.indexOf(extensionOf(file) ?? "");
  return stem(a) < stem(b) ? -1 : stem(a) > stem(b) ? 1 : rank(a) - rank(b);
}
