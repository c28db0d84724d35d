import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import type { PGlite } from "@electric-sql/pglite";
import { errorText } from "../core/describe.ts";
import {
  type Database,
  DatabaseBusy,
  DatabaseError,
  type LockAttempt,
  type Queryable,
  type Row,
  type SqlValue,
} from "./database.ts";
import { isOwnName, makeWhole } from "./embedded_folder.ts";
import { type FolderLock, lockFolder } from "./folder_lock.ts";
import { asDatabaseError } from "./refusal.ts";
import { repeatConflicts } from "./repeat.ts";

/** Another command may be at work on the folder for a moment. */
const PATIENCE = 10;

/**
 * Opens the embedded Postgres in a folder, making it where it is not yet. Throws DatabaseError when
 * another process keeps the folder.
 */
export async function openEmbedded(path: string): Promise<Database> {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new DatabaseError(
      `cannot make the database folder ${path}: ${message(error)}. Check [db] path and its owner.`,
    );
  }
  const names = readdirSync(path);
  if (names.length > 0 && !names.some(isOwnName)) {
    throw new DatabaseError(
      `the folder ${path} holds other files and no database. Set [db] path to a folder of its own.`,
    );
  }
  const lock = await lockFolder(path, PATIENCE);
  if (!lock.held) {
    throw new DatabaseBusy(
      `the embedded database ${path} is in use by process ${lock.holder}; try again when it has ended`,
    );
  }
  try {
    // The embedded database makes its files readable for all; the folder is what keeps them private.
    chmodSync(path, 0o700);
    const { PGlite } = await import("@electric-sql/pglite");
    await makeWhole(path, async (folder) => (await PGlite.create({ dataDir: folder })).close());
    return new EmbeddedDatabase(await PGlite.create({ dataDir: path }), lock.lock);
  } catch (error) {
    await lock.lock.release();
    throw new DatabaseError(
      `cannot open the embedded database ${path}: ${message(error)}. Restore the folder from a backup, or move it away to start anew.`,
    );
  }
}

/** An embedded Postgres in memory, for a plan on a site that has no database yet. */
export async function openInMemory(): Promise<Database> {
  const { PGlite } = await import("@electric-sql/pglite");
  return new EmbeddedDatabase(await PGlite.create(), undefined);
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

function message(error: unknown): string {
  return errorText(error);
}
