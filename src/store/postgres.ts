import pg from "pg";
import type { DbLogin } from "../config/config.ts";
import {
  type Database,
  DatabaseError,
  type Lock,
  type Queryable,
  type Row,
  type SqlValue,
} from "./database.ts";

/** A server that does not answer must not eat the tick. */
const CONNECT_TIMEOUT = 10_000;
const STATEMENT_TIMEOUT = 60_000;
/** One connection holds the tick's lock, one works. */
const CONNECTIONS = 2;

export interface PostgresAddress {
  readonly dsn?: string;
  readonly login?: DbLogin;
}

/** Connects. Throws DatabaseError when the server cannot be reached or refuses. */
export async function openPostgres(address: PostgresAddress): Promise<Database> {
  const pool = new pg.Pool({
    ...(address.dsn === undefined ? {} : { connectionString: libpqDsn(address.dsn) }),
    ...address.login,
    max: CONNECTIONS,
    application_name: "swf-alarms",
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    statement_timeout: STATEMENT_TIMEOUT,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT,
  });
  // An idle connection that the server ends is noticed at its next use; without this it ends the process.
  pool.on("error", () => {});
  try {
    (await pool.connect()).release();
  } catch (error) {
    await pool.end();
    throw new DatabaseError(
      `cannot connect to Postgres at ${place(address)}: ${describe(error)}. Check [db] in the configuration and that the server runs.`,
    );
  }
  return new PostgresDatabase(pool);
}

class PostgresDatabase implements Database {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async query(sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return rowsOf(await this.#pool.query(sql, [...params]));
  }

  async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    try {
      await client.query("BEGIN");
      const result = await work({
        query: async (sql, params = []) => rowsOf(await client.query(sql, [...params])),
      });
      await client.query("COMMIT");
      return result;
    } catch (error) {
      await client.query("ROLLBACK").catch((lost: unknown) => {
        broken = lost instanceof Error ? lost : new Error(String(lost));
      });
      throw error;
    } finally {
      // A connection that could not even roll back is thrown away, not handed to the next caller.
      client.release(broken);
    }
  }

  async script(sql: string): Promise<readonly Row[]> {
    // Without parameters Postgres takes a text of several statements, in one implicit transaction.
    const results: unknown = await this.#pool.query(sql);
    return (Array.isArray(results) ? results : [results]).flatMap(rowsOf);
  }

  /** A session lock: Postgres lets go of it by itself when the connection is lost. */
  async tryLock(name: string): Promise<Lock | undefined> {
    const client = await this.#pool.connect();
    try {
      const { rows } = await client.query("SELECT pg_try_advisory_lock(hashtext($1)) AS held", [
        name,
      ]);
      if (rows[0]?.held !== true) {
        client.release();
        return undefined;
      }
    } catch (error) {
      client.release(true);
      throw error;
    }
    return {
      // Ending the session gives up the lock, whatever state the connection is in.
      release: async () => client.release(true),
    };
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

function rowsOf(result: unknown): readonly Row[] {
  if (typeof result !== "object" || result === null || !("rows" in result)) return [];
  return Array.isArray(result.rows) ? result.rows : [];
}

/**
 * `sslmode` as libpq (and so the Python engine) means it. The driver alone would take `require` for
 * full verification, and print a warning about it at every start.
 */
function libpqDsn(dsn: string): string {
  if (!/[?&]sslmode=/.test(dsn) || /[?&]uselibpqcompat=/.test(dsn)) return dsn;
  return `${dsn}&uselibpqcompat=true`;
}

/** Host, port and database name: never the user's password. */
function place({ dsn, login }: PostgresAddress): string {
  if (dsn !== undefined) {
    const url = new URL(dsn);
    return `${url.hostname || "localhost"}:${url.port || "5432"}${url.pathname}`;
  }
  return `${login?.host ?? "localhost"}:${login?.port ?? 5432}/${login?.database ?? ""}`;
}

function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join("; ");
  return error instanceof Error ? error.message : String(error);
}
