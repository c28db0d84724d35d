import pg from "pg";
import { type Database, DatabaseError } from "../database.ts";
import { connectHint } from "../database_error.ts";
import { libpqDsns, type PostgresAddress, place } from "./address.ts";
import { PostgresDatabase } from "./database.ts";
import { endSession, LIMITS, type Limits, runStatement } from "./session.ts";

export type { PostgresAddress } from "./address.ts";

/** A server that does not answer must not eat the tick. */
const CONNECT_TIMEOUT = 10_000;
/** A lost server or network is noticed although nobody sends anything. */
const KEEPALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 20_000 };

/**
 * Connects; where a lock will be taken too, its session is opened side by side with the first. Throws
 * DatabaseError when the server cannot be reached or refuses.
 */
export async function openPostgres(
  address: PostgresAddress,
  limits: Limits = LIMITS,
  willLock = false,
): Promise<Database> {
  const connect = () => connectTo(address, limits);
  const spare = willLock ? connect() : undefined;
  try {
    // Whoever takes the lock meets its failure.
    spare?.catch(() => {});
    return new PostgresDatabase(await connect(), connect, limits, spare);
  } catch (error) {
    void spare?.then(endSession, () => {});
    throw error;
  }
}

async function connectTo(address: PostgresAddress, limits: Limits): Promise<pg.Client> {
  const failures: unknown[] = [];
  for (const dsn of address.dsn === undefined ? [undefined] : libpqDsns(address.dsn)) {
    try {
      return await connectOnce({
        ...(dsn === undefined ? {} : { connectionString: dsn }),
        ...address.login,
        limits,
      });
    } catch (error) {
      failures.push(error);
    }
  }
  const [first] = failures;
  throw new DatabaseError(
    `cannot connect to Postgres at ${place(address)}: ${describe(first)}. ${connectHint(first)}`,
    { cause: first },
  );
}

/** Limits are set by a statement: poolers such as PgBouncer refuse them as parameters of the start. */
async function connectOnce({
  limits,
  ...config
}: pg.ClientConfig & { limits: Limits }): Promise<pg.Client> {
  const client = new pg.Client({
    ...config,
    ...KEEPALIVE,
    application_name: "swf-alarms",
    connectionTimeoutMillis: CONNECT_TIMEOUT,
  });
  // A connection that the server ends is noticed at its next use; without this it would end the process.
  client.on("error", () => {});
  try {
    await client.connect();
    await runStatement(client, limits, setLimits(limits));
    return client;
  } catch (error) {
    void endSession(client);
    throw error;
  }
}

function setLimits({ statement, wait }: Limits): string {
  return [
    `SET statement_timeout = ${statement}`,
    `SET idle_in_transaction_session_timeout = ${statement}`,
    `SET lock_timeout = ${wait}`,
  ].join("; ");
}

function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join("; ");
  return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
}
