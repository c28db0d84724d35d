import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Postgres does not start without it. It is moved last, so the database is complete if it exists. */
const COMPLETE = "PG_VERSION";
/** Where a new database is made; while it exists, the files beside it are incomplete. */
const MAKING = "swf-alarms.making";

/** What Postgres and the engine put into the folder. */
const POSTGRES =
  /^(PG_VERSION|base|global|pg_[a-z_]+(\.conf)?|postgresql(\.auto)?\.conf|postmaster\.\w+)$/;
const OURS = /^swf-alarms\.\w+/;

/** Whether a file of this name may be in the folder of a database. */
export function isOwnName(name: string): boolean {
  return POSTGRES.test(name) || OURS.test(name);
}

/**
 * Makes a complete database in the folder unless there is one: `make` makes it in a subfolder, and then its
 * files are moved up. A crash at any moment leaves files that the next call removes. Call it while holding
 * the folder's lock.
 */
export async function makeComplete(
  folder: string,
  make: (inside: string) => Promise<void>,
): Promise<void> {
  const inside = join(folder, MAKING);
  const files = (of: string): readonly string[] =>
    readdirSync(of).filter((name) => name !== COMPLETE && POSTGRES.test(name));
  if (!existsSync(join(folder, COMPLETE))) {
    const isOurs = existsSync(inside);
    // Incomplete files that another program left are not removed.
    if (!isOurs && files(folder).length > 0) return;
    for (const name of files(folder)) rmSync(join(folder, name), { recursive: true });
    rmSync(inside, { recursive: true, force: true });
    mkdirSync(inside);
    await make(inside);
    for (const name of [...files(inside), COMPLETE])
      renameSync(join(inside, name), join(folder, name));
  }
  rmSync(inside, { recursive: true, force: true });
}
