import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { nullable, number, object, parse } from "valibot";
import type { Lock, LockAttempt, Queryable } from "../database.ts";
import { asDatabaseError, isMissingRight } from "../database_error.ts";
import { beginText, endSession, runStatement } from "./session.ts";

/** No statement here takes long on a server that works. */
const LIMITS = { statement: 10_000, idle: 0, wait: 10_000, responseTimeout: 10_000 };
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
 * Takes an advisory lock in a transaction that stays open, on a session that does nothing else from then on
 * (behind a pooler, only an open transaction keeps its session): Postgres releases the lock when either ends, and the time since its last statement is how long it has held
 * the lock.
 */
export async function takeAdvisoryLock(
  client: pg.Client,
  name: string,
  limit: number | undefined,
): Promise<LockAttempt> {
  // The limit stands in the name of the session, which all others can read.
  const label = limit === undefined ? "" : `, for at most ${Math.ceil(limit)} s`;
  const take = async (): Promise<boolean> => {
    const params = [name, `swf-alarms holds a lock${label}`];
    const [row] = await runStatement(client, LIMITS, TAKE, params);
    return row?.held === true;
  };
  try {
    await runStatement(client, LIMITS, beginText(LIMITS, true));
    const attempt = await attemptLock(client, name, take);
    if (!attempt.held) await endSession(client);
    return attempt;
  } catch (error) {
    void endSession(client);
    throw asDatabaseError(error);
  }
}

const TAKE =
  "SELECT pg_try_advisory_xact_lock(hashtext($1)) AS held, set_config('application_name', $2, true)";

async function attemptLock(
  client: pg.Client,
  name: string,
  take: () => Promise<boolean>,
): Promise<LockAttempt> {
  if (await take()) return heldLock(client, undefined);
  const holder = await readHolder(client, name);
  // It was released in between.
  if (holder === undefined) return await attemptLock(client, name, take);
  const { pid, idle, limit } = holder;
  const isOverdue = idle !== null && limit !== null && idle > limit;
  const refuse = (why: string): LockAttempt => {
    return { held: false, holder: `session ${pid}${why}`, overdue: isOverdue };
  };
  const terminate = `SELECT pg_terminate_backend(${pid})`;
  if (idle === null) return refuse(` of another role; if no tick is running, end it: ${terminate}`);
  const age = `, for ${Math.round(idle)} s`;
  if (!isOverdue) return refuse(age);
  if (!(await endHolder(client, name, limit)))
    return refuse(
      `${age}: it is hung or dead, and this role may not terminate it; ask an administrator to run: ${terminate}`,
    );
  const ended = `session ${pid}${age}, longer than its limit of ${limit} s, and was terminated`;
  for (const until = performance.now() + END_TIMEOUT; performance.now() < until; ) {
    if (await take()) return heldLock(client, ended);
    await sleep(RETRY_EVERY);
  }
  return refuse(`${age}; its session could not be terminated`);
}

const HOLDER = `
  SELECT activity.pid,
         extract(epoch FROM clock_timestamp() - greatest(activity.backend_start, activity.state_change))::float8 AS idle,
         substring(activity.application_name FROM '^swf-alarms holds a lock, for at most ([0-9]{1,9}) s$')::int AS "limit"
  FROM pg_stat_activity AS activity WHERE activity.pid IN (SELECT taken.pid FROM ${HOLDERS})`;

/** Seconds. `idle` is null if this role may not see it, and `limit` if the holder has none. */
const HolderRow = object({ pid: number(), idle: nullable(number()), limit: nullable(number()) });

async function readHolder(client: pg.Client, name: string) {
  const [row] = await runStatement(client, LIMITS, HOLDER, [name]);
  return row === undefined ? undefined : parse(HolderRow, row);
}

/** Ends the holder if it is still stale. Returns false if this role may not. */
async function endHolder(client: pg.Client, name: string, limit: number): Promise<boolean> {
  const sql = `SELECT pg_terminate_backend(pid) FROM (${HOLDER}) AS holder WHERE idle > $2::float8`;
  try {
    await runStatement(client, LIMITS, sql, [name, limit]);
    return true;
  } catch (error) {
    if (isMissingRight(error)) return false;
    throw error;
  }
}

function heldLock(client: pg.Client, ended: string | undefined): LockAttempt {
  const lost = new AbortController();
  for (const event of ["error", "end"]) client.once(event, () => lost.abort());
  const lock: Lock = {
    lost: lost.signal,
    release: async () => {
      // The server may take a moment to end a session; the lock must be free at once.
      if (!lost.signal.aborted)
        await runStatement(client, RELEASE_LIMITS, "COMMIT").catch(() => {});
      await endSession(client);
    },
  };
  return { held: true, lock, ended };
}
