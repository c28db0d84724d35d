import { realpathSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { replaceableByOthers, shellWord, writableByOthers } from "../core/rights.ts";

/**
 * How other users could change a file that the engine runs or obeys, or an alarms folder: by writing to it,
 * or by replacing it in its folder. Undefined where they cannot.
 */
export function writableFault(path: string): string | undefined {
  const real = realPath(path);
  const folders = new Set([dirname(path), dirname(real)]);
  const writable = [
    ...[real].filter((file) => hasRights(file, writableByOthers)),
    ...[...folders].filter((folder) => hasRights(folder, replaceableByOthers)),
  ];
  return describe(writable);
}

/** The same for a file whose folder belongs to another program and is not checked. */
export function writableFileFault(path: string): string | undefined {
  return describe([realPath(path)].filter((file) => hasRights(file, writableByOthers)));
}

function describe(writable: readonly string[]): string | undefined {
  if (writable.length === 0) return undefined;
  const named = writable.map((path) => `${path} (mode ${modeOf(path)})`).join(" and ");
  return `other users can write ${named}; as the owner run: chmod go-w ${writable.map(shellWord).join(" ")}, or accept it with --allow-writable`;
}

function modeOf(path: string): string {
  return ((rightsOf(path)?.mode ?? 0) & 0o7777).toString(8);
}

/** What cannot be examined is reported by whoever reads it. */
function hasRights(path: string, judge: (rights: Stats) => boolean): boolean {
  const rights = rightsOf(path);
  return rights !== undefined && judge(rights);
}

function rightsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** The path without links; a path that cannot be resolved stays as it is. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
