import { accessSync, constants, readdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "../../text/describe.ts";

/** What the folder of an embedded database looks like after trouble with it. */
export interface FolderState {
  /** Bytes that this user may still write on its disk; undefined where that cannot be told. */
  readonly freeBytes: number | undefined;
  /** Why this user cannot write the folder or something in it; undefined where nothing is in the way. */
  readonly barrier: unknown;
}

/** Postgres writes its log in files of 16 MB, each made whole at once. */
const ENOUGH = 32 * 2 ** 20;
const FULL = "Free space on its disk, which is full or nearly so; the data is as it was";

/**
 * What to do about an embedded database that cannot be opened; undefined where neither the disk nor the
 * rights explain it. The driver gives no reason, so that what is seen of the folder counts too.
 */
export function openErrorHint(error: unknown, seen: FolderState): string | undefined {
  const codes = [...codesOf(error), ...codesOf(seen.barrier)];
  const isAny = (...wanted: readonly string[]): boolean =>
    codes.some((code) => wanted.includes(code));
  if (isAny("ENOSPC", "EDQUOT")) return FULL;
  const barrier = seen.barrier === undefined ? "" : ` (${errorText(seen.barrier)})`;
  if (isAny("EROFS"))
    return `Its disk is mounted read-only${barrier}: mount it for writing; the data is as it was`;
  if (isAny("EPERM", "EACCES"))
    return `This user may not use it${barrier}: run as its owner, or give the folder with all in it to this user; the data is as it was`;
  // Last, because a small disk may have other troubles.
  if (seen.freeBytes !== undefined && seen.freeBytes < ENOUGH) return FULL;
  return undefined;
}

/** The codes of the system in an error and its causes, also where they are only in its words. */
function codesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  const code = "code" in error && typeof error.code === "string" ? [error.code] : [];
  const words: readonly string[] =
    error.message.match(/\b(ENOSPC|EDQUOT|EROFS|EPERM|EACCES)\b/g) ?? [];
  return [...code, ...words, ...codesOf(error.cause)];
}

/** Looks at the folder. Never throws. */
export function lookAtFolder(path: string): FolderState {
  return { freeBytes: freeBytes(path), barrier: findBarrier(path) };
}

function freeBytes(path: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/** What an earlier run as another user made may lie at any depth. */
function findBarrier(path: string): unknown {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    for (const name of readdirSync(path, { recursive: true, encoding: "utf8" }))
      accessSync(join(path, name), constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return error;
  }
}
