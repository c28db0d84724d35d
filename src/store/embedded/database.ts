import { realpathSync } from "node:fs";
import type { PGlite } from "@electric-sql/pglite";
import {
  type Database,
  DatabaseBusy,
  DatabaseError,
  type Lock,
  type LockAttempt,
  type Row,
} from "../database.ts";
import { asDatabaseError } from "../database_error.ts";
import { makeComplete, makeFolder } from "./folder.ts";
import { DATABASE_LOCK, isFolderLocked, lockFolder } from "./folder_lock.ts";
import { openError } from "./open_error.ts";
import { Turns } from "./turns.ts";

/** Seconds to wait for another process. */
const WAIT = 10;
/** Postgres clears all of it when it starts, and the system caches the files anyway. */
const BUFFERS = "32MB";

/**
 * Opens the embedded Postgres in a folder, which is made if necessary. It is closed while it is not used, so
 * that other processes have their turn; `limit` is how many seconds this process may have it open at a time.
 * Throws DatabaseBusy if another process keeps it, else DatabaseError.
 */
export async function openEmbedded(path: string, limit?: number): Promise<Database> {
  makeFolder(path);
  // The driver does not follow a link.
  const folder = realpathSync(path);
  const access = openInTurns(folder, limit);
  await access.use(async () => {});
  return embeddedDatabase(folder, access);
}

/** Where the statements go; one in memory is never closed in between. */
type Access = Pick<Turns<PGlite>, "use" | "close">;

function openInTurns(path: string, limit: number | undefined): Access {
  let lock: Lock | undefined;
  let wasOpen = false;
  const onRequest = (): void => turns.request();
  const open = async (): Promise<PGlite> => {
    try {
      const attempt = await lockFolder(path, DATABASE_LOCK, { wait: WAIT, limit, onRequest });
      if (!attempt.held) {
        const advice = attempt.overdue ? "" : "; try again when it has ended";
        const message = `the embedded database ${path} is in use by ${attempt.holder}${advice}`;
        // Only a tick that has not begun its work counts as skipped.
        throw wasOpen ? new DatabaseError(message) : new DatabaseBusy(message, attempt.overdue);
      }
      lock = attempt.lock;
      await makeComplete(path, async (inside) => (await openPglite(inside)).close());
      const pglite = await openPglite(path);
      wasOpen = true;
      return pglite;
    } catch (error) {
      await lock?.release();
      throw openError(error, path);
    }
  };
  const close = async (pglite: PGlite): Promise<void> => {
    try {
      await pglite.close();
    } finally {
      await lock?.release();
    }
  };
  const turns = new Turns(open, close);
  return turns;
}

/** Runs what touches the folder, and says what to do about its errors. */
async function explained<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw openError(error, path);
  }
}

/** An embedded Postgres in memory, for a plan on a site that has no database yet. */
export async function openInMemory(): Promise<Database> {
  const pglite = await explained("in memory", () => openPglite(undefined));
  const access: Access = { use: (work) => work(pglite), close: () => pglite.close() };
  return embeddedDatabase(undefined, access);
}

/** What the server says where it does not start; the driver reports only that. */
const REASON = /^postgres: .*|\b(?:PANIC|FATAL|DETAIL): .*/;

async function openPglite(folder: string | undefined): Promise<PGlite> {
  const { PGlite } = await import("@electric-sql/pglite");
  const reasons: string[] = [];
  const onStderr = (line: string): boolean => {
    reasons.push(...(REASON.exec(line.replace("/pglite/data", String(folder))) ?? []));
    return true;
  };
  const startParams = [...PGlite.defaultStartParams, "-c", `shared_buffers=${BUFFERS}`];
  try {
    const options = { startParams, onStderr };
    return await PGlite.create(folder === undefined ? options : { ...options, dataDir: folder });
  } catch (error) {
    throw reasons.length === 0 ? error : new Error(reasons.join("; "), { cause: error });
  }
}

/** Nothing else can have a database in memory. */
const FREE: LockAttempt = {
  held: true,
  lock: { lost: new AbortController().signal, release: async () => {} },
  ended: undefined,
};

function embeddedDatabase(folder: string | undefined, access: Access): Database {
  const locks = new Set<Lock>();
  const use = async <T>(work: (pglite: PGlite) => Promise<T>): Promise<T> => {
    try {
      return await access.use(work);
    } catch (error) {
      throw asDatabaseError(error);
    }
  };
  return {
    query: (sql, params = []) =>
      use(async (pglite) => (await pglite.query<Row>(sql, [...params])).rows),
    transaction: (work) =>
      use((pglite) =>
        pglite.transaction((tx) =>
          work({
            query: async (sql, params = []) => (await tx.query<Row>(sql, [...params])).rows,
            isTransaction: true,
          }),
        ),
      ),
    script: (sql) =>
      use((pglite) =>
        pglite.transaction(async (tx) =>
          (await tx.exec(sql)).flatMap((result): Row[] => result.rows),
        ),
      ),
    // One without a limit is held for a moment only, so it is waited for.
    tryLock: async (name, limit) => {
      if (folder === undefined) return FREE;
      const wait = limit === undefined ? WAIT : 0;
      const attempt = await explained(folder, () => lockFolder(folder, name, { wait, limit }));
      if (attempt.held) locks.add(attempt.lock);
      return attempt;
    },
    isLocked: async (name) =>
      folder !== undefined && (await explained(folder, () => isFolderLocked(folder, name))),
    // Also releases the locks.
    close: async () => {
      try {
        await access.close();
      } finally {
        for (const lock of locks) await lock.release();
      }
    },
  };
}
