import { realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { type Rights, replaceableByOthers, shellWord, writableByOthers } from "../core/rights.ts";

/**
 * How other users could change a file that the engine runs or obeys, or an alarms folder: by writing to it,
 * or by replacing it in its folder. Undefined where they cannot.
 */
export function writableFault(path: string): string | undefined {
  const real = realPath(path);
  return describe(real, new Set([dirname(path), dirname(real)]));
}

/** The same for a file whose folder belongs to another program and is not checked. */
export function writableFileFault(path: string): string | undefined {
  return describe(realPath(path), new Set());
}

function describe(file: string, folders: ReadonlySet<string>): string | undefined {
  const writable = [
    ...[file].filter((path) => writableByOthers(rightsOf(path))),
    ...[...folders].filter((path) => replaceableByOthers(rightsOf(path))),
  ];
  if (writable.length === 0) return undefined;
  const named = writable
    .map((path) => `${path} (mode ${(rightsOf(path).mode & 0o7777).toString(8)})`)
    .join(" and ");
  return `other users can write ${named}; as the owner run: chmod go-w ${writable.map(shellWord).join(" ")}, or accept it with --allow-writable`;
}

/** What cannot be examined is reported by whoever reads it. */
function rightsOf(path: string): Rights {
  try {
    return statSync(path);
  } catch {
    return { mode: 0, uid: 0, gid: 0 };
  }
}

/** The path without links; a path that cannot be resolved stays as it is. */
export function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}
