import type pg from "pg";
import type { Database, Lock, SqlValue } from "../database.ts";
import { asDatabaseError, isLost, repeatConflicts } from "../database_error.ts";
import { isLockHeld, takeAdvisoryLock } from "./lock.ts";
import { beginText, endSession, type Limits, runStatement } from "./session.ts";

/** A database on one working session, `first`, and one session for each lock; `spare` is that of the first one. */
export function postgresDatabase(
  first: pg.Client,
  connect: () => Promise<pg.Client>,
  limits: Limits,
  spare?: Promise<pg.Client>,
): Database {
  let client: pg.Client | undefined;
  /** The session of the first lock, while it is being opened. */
  let unused = spare;
  /** Resolves when the last statement or transaction has ended: there is one at a time. */
  let idle: Promise<unknown> = Promise.resolve();
  /** Why no session can be opened any more. */
  let ended: Error | undefined;
  const locks = new Set<Lock>();

  const takeSpare = (): Promise<pg.Client> | undefined => {
    const taken = unused;
    unused = undefined;
    return taken;
  };
  const drop = (lost: pg.Client): void => {
    if (client === lost) client = undefined;
    void endSession(lost);
  };
  const adopt = (opened: pg.Client): pg.Client => {
    client = opened;
    opened.once("end", () => drop(opened));
    return opened;
  };
  /** Replaces a lost session. One that fails is final: a tick without its server must end, not wait for each alarm. */
  const reconnect = async (): Promise<pg.Client> => {
    if (ended !== undefined) throw ended;
    try {
      return adopt(await connect());
    } catch (error) {
      if (error instanceof Error) ended = error;
      throw error;
    }
  };
  /** Runs one piece of work on the session, after the work before it. */
  const use = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const done = idle.then(() =>
      repeatConflicts(async () => {
        const session = client ?? (await reconnect());
        try {
          return await work(session);
        } catch (error) {
          if (isLost(error)) drop(session);
          throw asDatabaseError(error);
        }
      }),
    );
    // Forgets the result, so that it is not kept in memory until the next statement.
    const forget = (): void => {};
    idle = done.then(forget, forget);
    return await done;
  };

  adopt(first);
  const db: Database = {
    query: (sql, params) =>
      use(async (session) => {
        const send = (text: string, values: readonly SqlValue[] = []) =>
          runStatement(session, limits, text, values);
        // Sent at once: they need one round trip.
        const [, rows] = await Promise.all([
          send(beginText(limits, true)),
          send(sql, params),
          send("COMMIT"),
        ]);
        return rows;
      }),
    transaction: (work, { flush = true } = {}) =>
      use(async (session) => {
        const query = (sql: string, params?: readonly SqlValue[]) =>
          runStatement(session, limits, sql, params);
        await query(beginText(limits, flush));
        try {
          const result = await work({ query, isTransaction: true });
          await query("COMMIT");
          return result;
        } catch (error) {
          // A session that cannot roll back must not be used again.
          if (!isLost(error)) await query("ROLLBACK").catch(() => drop(session));
          throw error;
        }
      }),
    script: (sql) => {
      // Postgres runs several statements without parameters in one implicit transaction. A new index on a
      // large table may take longer than any statement of a tick.
      const patient = { ...limits, statement: 0, wait: limits.statement, responseTimeout: 0 };
      const text = `${beginText(patient, true).replace("BEGIN", "SET TRANSACTION")};\n${sql}`;
      return use((session) => runStatement(session, patient, text));
    },
    tryLock: async (name, limit) => {
      const session = await (takeSpare() ?? connect());
      const attempt = await takeAdvisoryLock(session, name, limit);
      if (attempt.held) locks.add(attempt.lock);
      return attempt;
    },
    isLocked: (name) => isLockHeld(db, name),
    // Also releases the locks.
    close: async () => {
      const open = client;
      client = undefined;
      ended = new Error("the database is closed");
      await Promise.all([
        ...[...locks].map((lock) => lock.release()),
        open && endSession(open),
        takeSpare()?.then(endSession, () => {}),
      ]);
    },
  };
  return db;
}
