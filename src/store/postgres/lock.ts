import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { nullable, number, object, parse } from "valibot";
import type { Lock, LockAttempt, Queryable } from "../database.ts";
import { asDatabaseError, isMissingRight } from "../database_error.ts";
import { endSession, runStatement } from "./session.ts";

/** No statement here takes long on a server that works. */
const LIMITS = { responseTimeout: 10_000 };
const RELEASE_LIMITS = { responseTimeout: 2_000 };
/** How long and how often to wait for a stale holder's session to end, in milliseconds. */
const END_TIMEOUT = 5_000;
const RETRY_EVERY = 100;

/** The sessions that hold the lock named `$1`: none or one. */
const HOLDERS = `pg_locks AS taken
  WHERE taken.locktype = 'advisory' AND taken.granted AND taken.objsubid = 1
    AND taken.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (taken.classid::bigint << 32 | taken.objid::bigint) = hashtext($1)::bigint`;

/** Whether any session holds the named lock, without trying to take it. */
export async function isLockHeld(db: Queryable, name: string): Promise<boolean> {
  return (await db.query(`SELECT 1 AS held FROM ${HOLDERS}`, [name])).length > 0;
}

/**
 * Takes an advisory lock on a session that does nothing else from then on: Postgres releases the lock when
 * the session ends, and the time since its last statement is how long it has held the lock.
 */
export async function takeAdvisoryLock(
  client: pg.Client,
  name: string,
  staleAfter: number | undefined,
): Promise<LockAttempt> {
  try {
    const attempt = await attemptLock(client, name, staleAfter);
    if (!attempt.held) await endSession(client);
    return attempt;
  } catch (error) {
    void endSession(client);
    throw asDatabaseError(error);
  }
}

async function attemptLock(
  client: pg.Client,
  name: string,
  staleAfter = Number.POSITIVE_INFINITY,
): Promise<LockAttempt> {
  if (await tryOnce(client, name)) return heldLock(client, name, undefined);
  const holder = await readHolder(client, name);
  // It was released in between.
  if (holder === undefined) return await attemptLock(client, name, staleAfter);
  const { pid, idle } = holder;
  const refuse = (why: string): LockAttempt => {
    return { held: false, holder: `session ${pid}${why}`, overdue: false };
  };
  const terminate = `SELECT pg_terminate_backend(${pid})`;
  if (idle === null) return refuse(` of another role; if no tick is running, end it: ${terminate}`);
  const age = `, for ${Math.round(idle)} s`;
  if (idle <= staleAfter) return refuse(age);
  if (!(await endHolder(client, name, staleAfter)))
    return refuse(
      `${age}: it is hung or dead, and this role may not terminate it; ask an administrator to run: ${terminate}`,
    );
  for (const until = performance.now() + END_TIMEOUT; performance.now() < until; ) {
    if (await tryOnce(client, name))
      return heldLock(
        client,
        name,
        `session ${pid}${age}, longer than any tick may take, and was terminated`,
      );
    await sleep(RETRY_EVERY);
  }
  return refuse(`${age}; its session could not be terminated`);
}

async function tryOnce(client: pg.Client, name: string): Promise<boolean> {
  const sql = "SELECT pg_try_advisory_lock(hashtext($1)) AS held";
  const [row] = await runStatement(client, LIMITS, sql, [name]);
  return row?.held === true;
}

const HOLDER = `
  SELECT activity.pid,
         extract(epoch FROM clock_timestamp() - greatest(activity.backend_start, activity.state_change))::float8 AS idle
  FROM pg_stat_activity AS activity WHERE activity.pid IN (SELECT taken.pid FROM ${HOLDERS})`;

/** `idle` is null if this role may not see it. */
const HolderRow = object({ pid: number(), idle: nullable(number()) });

async function readHolder(client: pg.Client, name: string) {
  const [row] = await runStatement(client, LIMITS, HOLDER, [name]);
  return row === undefined ? undefined : parse(HolderRow, row);
}

/** Ends the holder if it is still stale. Returns false if this role may not. */
async function endHolder(client: pg.Client, name: string, staleAfter: number): Promise<boolean> {
  const sql = `SELECT pg_terminate_backend(pid) FROM (${HOLDER}) AS holder WHERE idle > $2::float8`;
  try {
    await runStatement(client, LIMITS, sql, [name, staleAfter]);
    return true;
  } catch (error) {
    if (isMissingRight(error)) return false;
    throw error;
  }
}

function heldLock(client: pg.Client, name: string, ended: string | undefined): LockAttempt {
  let lost = false;
  const lose = (): void => {
    lost = true;
  };
  client.once("error", lose);
  client.once("end", lose);
  const lock: Lock = {
    isHeld: () => !lost,
    release: async () => {
      // The server may take a moment to end a session; the lock must be free at once.
      const sql = "SELECT pg_advisory_unlock(hashtext($1))";
      if (!lost) await runStatement(client, RELEASE_LIMITS, sql, [name]).catch(() => {});
      await endSession(client);
    },
  };
  return { held: true, lock, ended };
}
