import { lstatSync, realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { type Rights, replaceableByOthers, shellWord, writableByOthers } from "../core/rights.ts";
import { attempt } from "../text/attempt.ts";

/**
 * How other users could change a file or folder that the engine runs, obeys or writes: by writing to it, by
 * replacing it in its folder, or because they made it in a folder for all. Undefined where they cannot.
 */
export function writableFault(path: string): string | undefined {
  const real = realPath(path);
  return describe(real, new Set([dirname(path), dirname(real)])) ?? foreignFault(path);
}

function foreignFault(path: string): string | undefined {
  const folder = dirname(path);
  if (folder === path) return undefined;
  const { uid } = rightsOf(path, lstatSync);
  if (uid === 0 || uid === process.geteuid?.() || !writableByOthers(rightsOf(folder)))
    return foreignFault(folder);
  return `${path} belongs to the user ${uid}, and other users can write its folder; use another folder, or accept it with --allow-writable`;
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
  // Other programs may need the rights of a folder such as /var/log.
  const remedy = writable.every((path) => rightsOf(path).uid === process.geteuid?.())
    ? `as the owner run: chmod go-w ${writable.map(shellWord).join(" ")}`
    : "use a file or folder of this user's own";
  return `other users can write ${named}; ${remedy}, or accept it with --allow-writable`;
}

/** What cannot be examined is reported by whoever reads it. */
function rightsOf(path: string, stat: (path: string) => Rights = statSync): Rights {
  return attempt(() => stat(path), { mode: 0, uid: 0, gid: 0 });
}

/** The path without links; a path that cannot be resolved stays as it is. */
export function realPath(path: string): string {
  return attempt(() => realpathSync.native(path), path);
}
