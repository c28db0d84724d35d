import { chmodSync, mkdirSync, readdirSync, statSync } from "node:fs";
import type { PGlite } from "@electric-sql/pglite";
import { errorText } from "../../text/describe.ts";
import { utcMinute } from "../../text/utc.ts";
import {
  type Database,
  DatabaseBusy,
  DatabaseError,
  type LockAttempt,
  type Queryable,
  type Row,
  type SqlValue,
} from "../database.ts";
import { asDatabaseError } from "../database_error.ts";
import { repeatConflicts } from "../repeat.ts";
import { isOwnName, makeWhole } from "./folder.ts";
import { type FolderLock, lockFolder } from "./folder_lock.ts";
import type { Holder } from "./holder.ts";
import { lookAtFolder, openErrorHint } from "./open_error.ts";

/** Another command may be at work on the folder for a moment. */
const PATIENCE = 10;

/** Where nobody says how long a tick may take, in seconds. */
const STALE_AFTER = 600;

/** All of it is cleared when the database opens, and the system keeps the files in memory anyway. */
const BUFFERS = "32MB";

/**
 * Opens the embedded Postgres in a folder, making it where it is not yet. Throws DatabaseBusy when
 * another process keeps the folder, and says that it hangs when it has had it for more than `staleAfter`
 * seconds; DatabaseError when the folder is of no use.
 */
export async function openEmbedded(path: string, staleAfter = STALE_AFTER): Promise<Database> {
  const names = makeFolder(path);
  if (names.length > 0 && !names.some(isOwnName)) {
    throw new DatabaseError(
      `the folder ${path} holds other files and no database. Set [db] path to a folder of its own.`,
    );
  }
  const lock = await lockFolder(path, PATIENCE);
  if (!lock.held) throw busy(path, lock.holder, staleAfter);
  try {
    closeToOthers(path);
    await makeWhole(path, async (folder) => (await openPglite(folder)).close());
    return new EmbeddedDatabase(await openPglite(path), lock.lock);
  } catch (error) {
    const remedy =
      openErrorHint(error, lookAtFolder(path)) ??
      "Restore the folder from a backup, or move it away to start anew";
    await lock.lock.release();
    throw new DatabaseError(
      `cannot open the embedded database ${path}: ${errorText(error)}. ${remedy}.`,
    );
  }
}

/** Makes the folder where it is not yet; gives the names in it. */
function makeFolder(path: string): readonly string[] {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return readdirSync(path);
  } catch (error) {
    const remedy = openErrorHint(error, { freeBytes: undefined, barrier: undefined });
    throw new DatabaseError(
      `cannot make or read the database folder ${path}: ${errorText(error)}. ${remedy ?? "Check [db] path and its owner"}.`,
    );
  }
}

/** The embedded database makes its files readable for all; the folder is what keeps them private. */
function closeToOthers(path: string): void {
  if ((statSync(path).mode & 0o777) !== 0o700) chmodSync(path, 0o700);
}

function busy(path: string, { pid, since }: Holder, staleAfter: number): DatabaseBusy {
  const from = since === undefined ? "" : ` since ${utcMinute(since)}`;
  const taken = `the embedded database ${path} is in use by process ${pid ?? "unknown"}${from}`;
  if (since === undefined || Date.now() / 1000 - since <= staleAfter)
    return new DatabaseBusy(`${taken}; try again when it has ended`);
  // A process that is stopped does not heed a milder signal.
  return new DatabaseBusy(`${taken}, longer than any tick may take; end it: kill -9 ${pid}`, true);
}

/** An embedded Postgres in memory, for a plan on a site that has no database yet. */
export async function openInMemory(): Promise<Database> {
  return new EmbeddedDatabase(await openPglite(undefined), undefined);
}

/** The database in a folder, which is made one where it is none, or in memory. */
async function openPglite(folder: string | undefined): Promise<PGlite> {
  const { PGlite } = await import("@electric-sql/pglite");
  const startParams = [...PGlite.defaultStartParams, "-c", `shared_buffers=${BUFFERS}`];
  return await PGlite.create({ startParams, ...(folder === undefined ? {} : { dataDir: folder }) });
}

class EmbeddedDatabase implements Database {
  readonly #pglite: PGlite;
  readonly #folder: FolderLock | undefined;

  constructor(pglite: PGlite, folder: FolderLock | undefined) {
    this.#pglite = pglite;
    this.#folder = folder;
  }

  async query(sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return await repeatConflicts(() =>
      inWords(async () => (await this.#pglite.query<Row>(sql, [...params])).rows),
    );
  }

  async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    return await repeatConflicts(() =>
      inWords(() =>
        this.#pglite.transaction((tx) =>
          work({
            query: (sql, params = []) =>
              inWords(async () => (await tx.query<Row>(sql, [...params])).rows),
          }),
        ),
      ),
    );
  }

  async script(sql: string): Promise<readonly Row[]> {
    return await inWords(() =>
      this.#pglite.transaction(async (tx) =>
        (await tx.exec(sql)).flatMap((result): Row[] => result.rows),
      ),
    );
  }

  /** Whoever has the folder has it alone, so every lock in it is free. */
  async tryLock(): Promise<LockAttempt> {
    return {
      held: true,
      lock: { isHeld: () => true, release: async () => {} },
      ended: undefined,
    };
  }

  async close(): Promise<void> {
    await this.#pglite.close();
    await this.#folder?.release();
  }
}

async function inWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asDatabaseError(error);
  }
}
