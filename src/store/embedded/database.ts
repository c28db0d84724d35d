import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import type { PGlite } from "@electric-sql/pglite";
import { errorText } from "../../text/describe.ts";
import { utcMinute } from "../../text/utc.ts";
import {
  type Database,
  DatabaseBusy,
  DatabaseError,
  type LockAttempt,
  type Row,
  type SqlValue,
  type Transaction,
} from "../database.ts";
import { asDatabaseError } from "../database_error.ts";
import { isOwnName, makeComplete } from "./folder.ts";
import { type FolderLock, type Holder, lockFolder } from "./folder_lock.ts";
import { openErrorHint } from "./open_error.ts";

/** Seconds to wait for another command. */
const WAIT = 10;
/** Seconds after which a holder hangs, unless the caller knows better. */
const STALE_AFTER = 600;
/** Postgres clears all of it when it starts, and the system caches the files anyway. */
const BUFFERS = "32MB";

/**
 * Opens the embedded Postgres in a folder, which is made if necessary. Throws DatabaseBusy if another process
 * holds the folder (after `staleAfter` seconds it is reported as hanging), else DatabaseError.
 */
export async function openEmbedded(path: string, staleAfter = STALE_AFTER): Promise<Database> {
  const names = makeFolder(path);
  if (names.length > 0 && !names.some(isOwnName))
    throw new DatabaseError(
      `the folder ${path} contains other files and no database. Set [db] path to an empty folder.`,
    );
  const attempt = await lockFolder(path, WAIT);
  if (!attempt.held) throw busy(path, attempt.holder, staleAfter);
  try {
    // The embedded database makes its files readable for all; only the folder keeps them private.
    chmodSync(path, 0o700);
    await makeComplete(path, async (inside) => (await openPglite(inside)).close());
    return new EmbeddedDatabase(await openPglite(path), attempt.lock);
  } catch (error) {
    const hint =
      openErrorHint(error, path) ??
      "Restore the folder from a backup, or move it away to start with an empty database";
    await attempt.lock.release();
    throw new DatabaseError(
      `cannot open the embedded database ${path}: ${errorText(error)}. ${hint}.`,
    );
  }
}

/** Makes the folder if necessary; returns the names in it. */
function makeFolder(path: string): readonly string[] {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return readdirSync(path);
  } catch (error) {
    const hint = openErrorHint(error, path) ?? "Check [db] path and its owner";
    throw new DatabaseError(
      `cannot make or read the database folder ${path}: ${errorText(error)}. ${hint}.`,
    );
  }
}

function busy(path: string, holder: Holder | undefined, staleAfter: number): DatabaseBusy {
  const inUse = `the embedded database ${path} is in use by process`;
  if (holder === undefined)
    return new DatabaseBusy(`${inUse} unknown; try again when it has ended`);
  const { pid, since } = holder;
  const who = `${inUse} ${pid} since ${utcMinute(since)}`;
  if (Date.now() / 1000 - since <= staleAfter)
    return new DatabaseBusy(`${who}; try again when it has ended`);
  // A stopped process reacts to no other signal.
  return new DatabaseBusy(`${who}, longer than any tick may take; end it: kill -9 ${pid}`, true);
}

/** An embedded Postgres in memory, for a plan on a site that has no database yet. */
export async function openInMemory(): Promise<Database> {
  return new EmbeddedDatabase(await openPglite(undefined), undefined);
}

async function openPglite(folder: string | undefined): Promise<PGlite> {
  const { PGlite } = await import("@electric-sql/pglite");
  const startParams = [...PGlite.defaultStartParams, "-c", `shared_buffers=${BUFFERS}`];
  return await PGlite.create({ startParams, ...(folder === undefined ? {} : { dataDir: folder }) });
}

/** This process is the only one in it, so every lock is free and no transaction conflicts. */
class EmbeddedDatabase implements Database {
  readonly #pglite: PGlite;
  readonly #folder: FolderLock | undefined;

  constructor(pglite: PGlite, folder: FolderLock | undefined) {
    this.#pglite = pglite;
    this.#folder = folder;
  }

  async query(sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return await converted(async () => (await this.#pglite.query<Row>(sql, [...params])).rows);
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return await converted(() =>
      this.#pglite.transaction((tx) =>
        work({
          query: async (sql, params = []) => (await tx.query<Row>(sql, [...params])).rows,
          isTransaction: true,
        }),
      ),
    );
  }

  async script(sql: string): Promise<readonly Row[]> {
    return await converted(() =>
      this.#pglite.transaction(async (tx) =>
        (await tx.exec(sql)).flatMap((result): Row[] => result.rows),
      ),
    );
  }

  async tryLock(): Promise<LockAttempt> {
    const lock = { isHeld: () => true, release: async () => {} };
    return { held: true, lock, ended: undefined };
  }

  async isLocked(): Promise<boolean> {
    return false;
  }

  async close(): Promise<void> {
    await this.#pglite.close();
    await this.#folder?.release();
  }
}

/** Runs the work and converts its errors. */
async function converted<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asDatabaseError(error);
  }
}
