import pg from "pg";
import type { DbLogin } from "../../config/config.ts";
import type { Database } from "../database.ts";
import { connectError } from "../database_error.ts";
import { type PostgresAddress, place } from "./address.ts";
import { postgresDatabase } from "./database.ts";
import { endSession, LIMITS, type Limits, runStatement } from "./session.ts";

/** A lost server or network is noticed even while nothing is sent. */
const KEEPALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 20_000 };

/**
 * Connects; `willLock` opens the session of a lock at the same time. When `signal` aborts, all sessions end
 * with its reason. Throws DatabaseError.
 */
export async function openPostgres(
  address: PostgresAddress,
  limits: Limits = LIMITS,
  willLock = false,
  signal?: AbortSignal,
): Promise<Database> {
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
      errors.push(error);
      if (/timeout expired/.test(String(error))) break;
    }
  }
  // That a server has no TLS is not why the attempt without it failed.
  const other = errors.find((error) => !/does not support SSL/.test(String(error)));
  throw connectError(place(login), other ?? errors[0]);
}

/** Limits are set by a statement: poolers such as PgBouncer do not accept them as startup parameters. */
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
    application_name: "swf-alarms",
  });
  // A connection that the server ends is noticed at its next use; unhandled, the event would end the process.
  client.on("error", () => {});
  const stop = (): void => void client.connection.stream.destroy(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  client.once("end", () => signal?.removeEventListener("abort", stop));
  try {
    await client.connect();
    await runStatement(client, limits, settings(limits, "processID" in client && client.processID));
    return client;
  } catch (error) {
    void endSession(client);
    throw error;
  }
}

/**
 * Besides the limits: the server keeps sessions that are idle while modules run, and notices within a minute
 * that this host is gone. Compiling a statement (JIT) takes longer than running one of ours. Settings that an
 * older server does not know are left out, and behind a pooler all of them: its sessions serve others too.
 * There the server's process is not the one that the driver was told.
 */
function settings({ statement }: Limits, pid: unknown): string {
  return `
    SELECT set_config(name, value, false)
    FROM (VALUES ('statement_timeout', '${statement}'), ('idle_session_timeout', '0'), ('jit', 'off'),
                 ('tcp_keepalives_idle', '20'), ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3'),
                 ('tcp_user_timeout', '60000'))
      AS wanted (name, value)
    WHERE current_setting(name, true) IS NOT NULL AND pg_backend_pid() = ${Number(pid)}`;
}
