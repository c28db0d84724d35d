import { accessSync, constants, readdirSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "../../text/describe.ts";
import { DatabaseError } from "../database.ts";

/** Postgres writes its log in files of 16 MB, each allocated at once. */
const ENOUGH = 32 * 2 ** 20;
const UNCHANGED = "the data is unchanged";
/** Only for damage that is proved: who follows it loses what the folder has. */
export const RESTORE =
  "Restore the folder from a backup, or move it away to start with an empty database";

/** What to do, by the text of the error and of the server's log; the first that matches. */
const ADVICE: readonly (readonly [pattern: RegExp, advice: (detail: string) => string])[] = [
  [
    /\bEROFS\b|Read-only file system/,
    (detail) => `Its disk is mounted read-only${detail}: mount it for writing; ${UNCHANGED}`,
  ],
  [
    /\b(EPERM|EACCES)\b|Permission denied|Operation not permitted/,
    (detail) =>
      `This user may not use it${detail}: run as its owner, or give the folder and all files in it to this user; ${UNCHANGED}`,
  ],
  [
    /\b(EMFILE|ENFILE)\b|file descriptors|[Tt]oo many open files/,
    () => `This process may not open more files: raise the limit, see ulimit -n; ${UNCHANGED}`,
  ],
  [
    /\bENOMEM\b|\bRangeError\b|[Oo]ut of memory|[Cc]ould not allocate|Cannot allocate memory/,
    () =>
      `Free memory, or raise the limit of this process, its container or its unit; ${UNCHANGED}`,
  ],
  [
    /MODULE_NOT_FOUND|\b(Compile|Link)Error\b|[\\/]pglite[\\/]dist[\\/]/,
    () =>
      `A package of the engine is missing or damaged: run deploy/install.sh again (in a checkout: npm ci); ${UNCHANGED}`,
  ],
  [
    /initialized by PostgreSQL version/,
    () => `Use the version of the engine that made it; ${UNCHANGED}`,
  ],
  [
    /\b(ENOSPC|EDQUOT)\b|No space left on device|Disk quota exceeded/,
    () => `Free space on its disk, which is full or nearly full; ${UNCHANGED}`,
  ],
];

/** An error of what touches the folder, with what to do about it. */
export function openError(
  error: unknown,
  folder: string,
  action = "open the embedded database",
  otherwise = "Its data was not changed: run the command again, and see docs/operations.md if it fails again",
): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const hint = openErrorHint(error, folder) ?? otherwise;
  const text = errorText(error).replace(/^PGlite | '@electric-sql\/pglite'/, "");
  const message = `cannot ${action} ${folder}: ${text.replace(/\.$/, "")}. ${hint}.`;
  return new DatabaseError(message, { cause: error });
}

const DAMAGE =
  /files are incompatible|valid checkpoint record|invalid page in|(PANIC|FATAL|postgres): .*No such file or directory|(subdirectory|directory|File) .* (is missing|does not exist)|could not (load|open) .*(pg_hba|file)|read \d+ of \d+/;

/**
 * What to do about a folder that cannot be made or read, or a database that cannot be opened; undefined if that
 * cannot be told. The driver often gives no reason, so the folder is examined too. Never throws.
 */
export function openErrorHint(error: unknown, folder: string): string | undefined {
  const barrier = findBarrier(folder);
  const text = `${messages(error)} ${messages(barrier)}`;
  const detail = barrier === undefined ? "" : ` (${errorText(barrier)})`;
  const [, advice] = ADVICE.find(([pattern]) => pattern.test(text)) ?? [];
  if (advice !== undefined) return advice(detail);
  return DAMAGE.test(text) ? RESTORE : undefined;
}

/** The messages and system codes of an error and its causes. */
function messages(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const code = "code" in error ? error.code : "";
  return `${error.name} ${code} ${error.message} ${messages(error.cause)}`;
}

/**
 * Why this user cannot write the folder or a file in it: an earlier run as another user may have made some, or the
 * disk may be full.
 */
function findBarrier(folder: string): unknown {
  try {
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return undefined;
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }))
      accessSync(join(folder, name), constants.R_OK | constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < ENOUGH ? new Error("ENOSPC") : undefined;
  } catch (error) {
    return error;
  }
}
