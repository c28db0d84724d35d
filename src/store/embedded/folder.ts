import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { attempt } from "../../text/attempt.ts";
import { DatabaseError } from "../database.ts";
import { openError, RESTORE } from "./open_error.ts";
import { sharedFileSystem } from "./shared_file_system.ts";

/** Postgres does not start without it. It is moved last, so the database is complete if it exists. */
const COMPLETE = "PG_VERSION";
/** Where a new database is made; while it exists, the files beside it are incomplete. */
const MAKING = "swf-alarms.making";
/** Empty while it is closed: some backups leave them out, and Postgres does not start without them. */
const EMPTY =
  "commit_ts dynshmem logical/mappings logical/snapshots notify replslot serial snapshots stat stat_tmp tblspc twophase";

/** What Postgres and the engine put into the folder. */
const POSTGRES =
  /^(PG_VERSION|base|global|pg_[a-z_]+(\.conf)?|postgresql(\.auto)?\.conf|postmaster\.\w+)$/;
const OURS = /^swf-alarms\.\w+/;

/**
 * Whether the folder has a complete database; one that is missing or being made is not. Writes nothing.
 * Throws DatabaseError if the folder belongs to another user, cannot be used, or has lost files.
 */
export function hasDatabase(folder: string): boolean {
  requireOwner(folder);
  const names = use(folder, () => (existsSync(folder) ? readdirSync(folder) : []));
  if (names.includes(COMPLETE)) return true;
  const isStrange = (name: string): boolean => !POSTGRES.test(name) && !OURS.test(name);
  if (names.length > 0 && names.every(isStrange))
    throw new DatabaseError(
      `the folder ${folder} contains other files and no database. Set [db] path to an empty folder.`,
    );
  // Files that another program left there are not removed; Postgres would overwrite them.
  if (!names.includes(MAKING) && names.some((name) => POSTGRES.test(name)))
    throw new DatabaseError(
      `the embedded database ${folder} is damaged: its file ${COMPLETE} is missing. ${RESTORE}.`,
    );
  return false;
}

/**
 * Throws DatabaseError if the folder belongs to another user: files of this user in it, even of a
 * superuser, would stop that user's ticks.
 */
export function requireOwner(folder: string): void {
  const user = process.geteuid?.();
  const owner = use(folder, () => statSync(folder, { throwIfNoEntry: false }))?.uid;
  if (user === undefined || owner === undefined || owner === user) return;
  const name = userName(owner);
  const [whose, sudo] = name === undefined ? [`with the id ${owner}`, `'#${owner}'`] : [name, name];
  throw new DatabaseError(
    `the embedded database ${folder} belongs to the user ${whose}, and this command runs as ${userName(user) ?? user}. Run it as its owner: sudo -u ${sudo} …, or give the folder and all files in it to this user.`,
  );
}

/** The system's own list only; a user of a directory service has a number. */
function userName(uid: number): string | undefined {
  const users = attempt(() => readFileSync("/etc/passwd", "utf8"), "");
  return new RegExp(`^([^:]+):[^:]*:${uid}:`, "m").exec(users)?.[1];
}

/** Makes the folder if necessary, private to its user. Throws DatabaseError as `hasDatabase` does. */
export function makeFolder(folder: string): void {
  hasDatabase(folder);
  use(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // The embedded database makes its files readable for all; only the folder keeps them private.
    chmodSync(folder, 0o700);
  });
  const shared = sharedFileSystem(folder);
  if (shared !== undefined)
    throw new DatabaseError(
      `the folder ${folder} of the embedded database is on the file system ${shared}, which several machines can share: one could destroy what another has open. Set [db] path to a folder on a local disk, or use a Postgres server.`,
    );
}

function use<T>(folder: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const action = "make or read the database folder";
    throw openError(error, folder, action, "Check [db] path and its owner");
  }
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
  if (!hasDatabase(folder)) {
    for (const name of files(folder)) rmSync(join(folder, name), { recursive: true });
    rmSync(inside, { recursive: true, force: true });
    mkdirSync(inside);
    await make(inside);
    for (const name of [...files(inside), COMPLETE])
      renameSync(join(inside, name), join(folder, name));
  }
  rmSync(inside, { recursive: true, force: true });
  // Not in a folder that has lost more than that.
  if (!existsSync(join(folder, "global/pg_control"))) return;
  for (const name of EMPTY.split(" ")) mkdirSync(join(folder, `pg_${name}`), { recursive: true });
}
