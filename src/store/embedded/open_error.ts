import { accessSync, constants, readdirSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "../../text/describe.ts";

/** Postgres writes its log in files of 16 MB, each allocated at once. */
const ENOUGH = 32 * 2 ** 20;
const FULL = "Free space on its disk, which is full or nearly full; the data is unchanged";

/**
 * What to do about an embedded database that cannot be opened; undefined if neither the disk nor the rights
 * explain it. The driver gives no reason, so the folder is examined too. Never throws.
 */
export function openErrorHint(error: unknown, folder: string): string | undefined {
  const barrier = findBarrier(folder);
  const text = `${messages(error)} ${messages(barrier)}`;
  if (/\b(ENOSPC|EDQUOT)\b/.test(text)) return FULL;
  const detail = barrier === undefined ? "" : ` (${errorText(barrier)})`;
  if (/\bEROFS\b/.test(text))
    return `Its disk is mounted read-only${detail}: mount it for writing; the data is unchanged`;
  if (/\b(EPERM|EACCES)\b/.test(text))
    return `This user may not use it${detail}: run as its owner, or give the folder and all files in it to this user; the data is unchanged`;
  return freeBytes(folder) < ENOUGH ? FULL : undefined;
}

/** The messages and system codes of an error and its causes. */
function messages(error: unknown): string {
  if (!(error instanceof Error)) return "";
  return `${"code" in error ? error.code : ""} ${error.message} ${messages(error.cause)}`;
}

function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Why this user cannot write the folder or a file in it; an earlier run as another user may have made some. */
function findBarrier(folder: string): unknown {
  try {
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return undefined;
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }))
      accessSync(join(folder, name), constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return error;
  }
}
