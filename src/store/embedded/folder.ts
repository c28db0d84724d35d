import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/** What Postgres reads first and refuses to start without: it comes last, so that it says "whole". */
const WHOLE = "PG_VERSION";
/** Where a new database is made; while it is there, what lies beside it is not whole yet. */
const MAKING = "swf-alarms.making";

/**
 * Sees to it that the folder holds a whole database: `make` makes one in a folder inside of it, and its
 * parts are moved up when it is done. Dying at any moment leaves what the next call clears away.
 * Call it while holding the folder's lock.
 */
export async function makeWhole(
  folder: string,
  make: (inside: string) => Promise<void>,
): Promise<void> {
  const inside = join(folder, MAKING);
  if (existsSync(join(folder, WHOLE))) {
    rmSync(inside, { recursive: true, force: true });
    return;
  }
  if (existsSync(inside)) {
    for (const name of parts(folder)) rmSync(join(folder, name), { recursive: true });
  } else if (parts(folder).length > 0) {
    // Half made without our mark: not ours to clear away.
    return;
  }
  rmSync(inside, { recursive: true, force: true });
  mkdirSync(inside);
  await make(inside);
  for (const name of parts(inside)) renameSync(join(inside, name), join(folder, name));
  renameSync(join(inside, WHOLE), join(folder, WHOLE));
  rmSync(inside, { recursive: true });
}

/** What Postgres puts into its folder; one that holds some of it may be half made. */
const POSTGRES =
  /^(PG_VERSION|base|global|pg_[a-z_]+(\.conf)?|postgresql(\.auto)?\.conf|postmaster\.\w+)$/;
/** What the engine puts there: notes and locks. */
const OURS = /^swf-alarms\.\w+/;

/** Whether a file of this name may lie in the folder of a database. */
export function isOwnName(name: string): boolean {
  return POSTGRES.test(name) || OURS.test(name);
}

/** What belongs to the database, but for the file that makes it whole. */
function parts(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name !== WHOLE && POSTGRES.test(name));
}
