import pg from "pg";
import type { DbLogin } from "../../config/config.ts";
import { type Database, DatabaseError } from "../database.ts";
import { connectError } from "../database_error.ts";
import { type PostgresAddress, place } from "./address.ts";
import { postgresDatabase } from "./database.ts";
import { beginText, endSession, LIMITS, type Limits, runStatement } from "./session.ts";

/** A lost server or network is noticed even while nothing is sent. */
const KEEPALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 20_000 };

/**
 * Connects; `willLock` opens the session of a lock at the same time. When `signal` aborts, all sessions end
 * with its reason. Throws DatabaseError.
 */
export async function openPostgres(
  address: PostgresAddress,
  given: Limits = LIMITS,
  willLock = false,
  signal?: AbortSignal,
): Promise<Database> {
  const searchPath = address.schema && pg.escapeLiteral(pg.escapeIdentifier(address.schema));
  const limits = { ...given, searchPath };
  const connect = () => connectTo(address, limits, signal);
  const spare = willLock ? connect() : undefined;
  // Whoever takes the lock gets its error.
  spare?.catch(() => {});
  try {
    return postgresDatabase(await connect(), connect, limits, spare);
  } catch (error) {
    void spare?.then(endSession, () => {});
    throw error;
  }
}

async function connectTo(
  { login }: PostgresAddress,
  limits: Limits,
  signal: AbortSignal | undefined,
): Promise<pg.Client> {
  const errors: unknown[] = [];
  for (const ssl of login.tls) {
    try {
      return await connectOnce(login, ssl, limits, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof DatabaseError) throw error;
      errors.push(error);
      if (/timeout expired/.test(String(error))) break;
    }
  }
  // That a server has no TLS is not why the attempt without it failed.
  const other = errors.find((error) => !/does not support SSL/.test(String(error)));
  throw connectError(place(login), other ?? errors[0]);
}

/** Settings are made by a statement: poolers such as PgBouncer do not accept them as startup parameters. */
async function connectOnce(
  login: DbLogin,
  ssl: DbLogin["tls"][number],
  limits: Limits,
  signal: AbortSignal | undefined,
): Promise<pg.Client> {
  signal?.throwIfAborted();
  const client = new pg.Client({
    ...login,
    ssl,
    ...KEEPALIVE,
    pipeline: true,
    application_name: "swf-alarms",
  });
  // A connection that the server ends is noticed at its next use; unhandled, the event would end the process.
  client.on("error", () => {});
  const stop = (): void => void client.connection.stream.destroy(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  client.once("end", () => signal?.removeEventListener("abort", stop));
  try {
    await client.connect();
    const wanted = settings("processID" in client && client.processID);
    const text = `${beginText(limits, true)}; ${wanted}; ${FAULT}; COMMIT`;
    const fault = (await runStatement(client, limits, text)).at(-1)?.fault;
    if (typeof fault === "string") throw new DatabaseError(fault);
    return client;
  } catch (error) {
    void endSession(client);
    throw error;
  }
}

/**
 * The server keeps sessions that are idle while modules run, and notices within a minute that this host is gone.
 * Settings that an older server does not know are left out, and behind a pooler all of them: its sessions serve
 * others too. There the server's process is not the one that the driver knows.
 */
function settings(pid: unknown): string {
  return `
    SELECT set_config(name, value, false)
    FROM (VALUES ('idle_session_timeout', '0'), ('tcp_keepalives_idle', '20'), ('tcp_keepalives_interval', '10'),
                 ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '60000'))
      AS wanted (name, value)
    WHERE current_setting(name, true) IS NOT NULL AND pg_backend_pid() = ${Number(pid)}`;
}

/** Why the engine cannot work in this database; null if it can. In ASCII, which every encoding has. */
const FAULT = `SELECT CASE
  WHEN current_setting('server_encoding') <> 'UTF8' THEN format('the database %I has the encoding %s, which cannot store every text; the engine needs UTF8. Make a new database: CREATE DATABASE name ENCODING ''UTF8'' LOCALE ''C'' TEMPLATE template0. Copy the data with pg_dump --encoding=UTF8 and psql, and name it in [db]', current_database(), current_setting('server_encoding'))
  WHEN current_schema() IS NULL THEN format('the database %1$I has no schema %2$s (the search path) that the role %3$I may use: set [db] schema to one that exists; or as the owner of the database run CREATE SCHEMA, or GRANT USAGE ON SCHEMA to %3$I', current_database(), current_setting('search_path'), current_user)
  END AS fault`;
