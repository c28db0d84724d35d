import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { nullable, number, object, parse } from "valibot";
import type { Lock, LockAttempt } from "../database.ts";
import { asDatabaseError, sqlState } from "../database_error.ts";
import { endSession, runStatement } from "./session.ts";

/** Nothing here takes long on a server that lives. */
const LIMITS = { silence: 10_000 };
const RELEASE_LIMITS = { silence: 2_000 };
/** How often, and how far apart, the lock of an ended session is tried. */
const TRIES = 50;
const TRY_EVERY = 100;

/**
 * So that the server notices within a minute that this host is gone, and so that one that ends idle
 * sessions spares this one. Settings that the server does not know are left out; on a Unix socket those
 * of TCP do nothing.
 */
const SETTINGS = `
  SELECT set_config(name, value, false)
  FROM (VALUES ('tcp_keepalives_idle', '20'), ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3'),
               ('tcp_user_timeout', '60000'), ('idle_session_timeout', '0')) AS wanted (name, value)
  WHERE current_setting(name, true) IS NOT NULL`;

/**
 * Takes an advisory lock on a session of its own, which does nothing else from then on: Postgres lets
 * go of the lock when the session ends, and since when it is idle shows how long it has been held.
 */
export async function takeAdvisoryLock(
  connect: () => Promise<pg.Client>,
  name: string,
  staleAfter: number | undefined,
): Promise<LockAttempt> {
  const client = await connect();
  try {
    await runStatement(client, LIMITS, SETTINGS).catch(ignoreRefusal);
    const attempt = await attemptLock(client, name, staleAfter);
    if (!attempt.held) await endSession(client);
    return attempt;
  } catch (error) {
    void endSession(client);
    throw asDatabaseError(error);
  }
}

/** A server that will not have the settings is no reason for no lock. */
function ignoreRefusal(error: unknown): void {
  if (sqlState(error) === "") throw error;
}

async function attemptLock(
  client: pg.Client,
  name: string,
  staleAfter: number | undefined,
): Promise<LockAttempt> {
  if (await tryOnce(client, name)) return held(client, name, undefined);
  const holder = await readHolder(client, name);
  if (holder === undefined) {
    // It was given back in between.
    const free = await tryOnce(client, name);
    return free
      ? held(client, name, undefined)
      : { held: false, holder: "a session that just came" };
  }
  const who = `session ${holder.pid}`;
  if (holder.idle === null) {
    return {
      held: false,
      holder: `${who} of another role; if no tick is at work, have it ended: SELECT pg_terminate_backend(${holder.pid})`,
    };
  }
  const since = `${who}, for ${Math.round(holder.idle)} s`;
  if (staleAfter === undefined || holder.idle <= staleAfter) return { held: false, holder: since };
  const refusal = await endHolder(client, name, staleAfter);
  if (refusal !== undefined) {
    return {
      held: false,
      holder: `${since}: it hangs or is dead, and cannot be ended (${refusal}); have it ended: SELECT pg_terminate_backend(${holder.pid})`,
    };
  }
  for (let tries = 0; tries < TRIES; tries++) {
    if (await tryOnce(client, name)) {
      const ended = `${since}, longer than any tick may take: it hung or was dead, and was ended`;
      return held(client, name, ended);
    }
    await sleep(TRY_EVERY);
  }
  const still = (await readHolder(client, name))?.pid === holder.pid;
  return {
    held: false,
    holder: still ? `${since}; it was told to end and has not yet` : "one that came first",
  };
}

async function tryOnce(client: pg.Client, name: string): Promise<boolean> {
  const sql = "SELECT pg_try_advisory_lock(hashtext($1)) AS held";
  const [row] = await runStatement(client, LIMITS, sql, [name]);
  return row?.held === true;
}

/** The session that holds the lock, and for how many seconds it has done nothing; null where that is not ours to see. */
const HOLDER = `
  SELECT activity.pid,
         extract(epoch FROM clock_timestamp() - greatest(activity.backend_start, activity.state_change))::float8 AS idle
  FROM pg_locks AS taken JOIN pg_stat_activity AS activity USING (pid)
  WHERE taken.locktype = 'advisory' AND taken.granted AND taken.objsubid = 1
    AND taken.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (taken.classid::bigint << 32 | taken.objid::bigint) = hashtext($1)`;

const HolderRow = object({ pid: number(), idle: nullable(number()) });

async function readHolder(client: pg.Client, name: string) {
  const [row] = await runStatement(client, LIMITS, HOLDER, [name]);
  return row === undefined ? undefined : parse(HolderRow, row);
}

/** Ends the holder if it is still that stale. Gives the server's words where it may not. */
async function endHolder(
  client: pg.Client,
  name: string,
  staleAfter: number,
): Promise<string | undefined> {
  const sql = `SELECT pg_terminate_backend(pid) FROM (${HOLDER}) AS holder WHERE idle > $2::float8`;
  try {
    await runStatement(client, LIMITS, sql, [name, staleAfter]);
    return undefined;
  } catch (error) {
    if (sqlState(error) === "" || !(error instanceof Error)) throw error;
    return error.message.split("\n")[0];
  }
}

function held(client: pg.Client, name: string, ended: string | undefined): LockAttempt {
  let lost = false;
  const lose = (): void => {
    lost = true;
  };
  client.once("error", lose);
  client.once("end", lose);
  const lock: Lock = {
    isHeld: () => !lost,
    release: async () => {
      // The server may take a moment to end a session; the lock is to be free at once.
      const sql = "SELECT pg_advisory_unlock(hashtext($1))";
      if (!lost) await runStatement(client, RELEASE_LIMITS, sql, [name]).catch(() => {});
      await endSession(client);
    },
  };
  return { held: true, lock, ended };
}
