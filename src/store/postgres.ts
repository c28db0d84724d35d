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
  let reason = "";
  for (const dsn of address.dsn === undefined ? [undefined] : libpqDsns(address.dsn)) {
    try {
      return new PostgresDatabase(await connect(dsn, address.login));
    } catch (error) {
      reason ||= describe(error);
    }
  }
  throw new DatabaseError(
    `cannot connect to Postgres at ${place(address)}: ${reason}. Check [db] in the configuration and that the server runs.`,
  );
}

async function connect(dsn: string | undefined, login: DbLogin | undefined): Promise<pg.Pool> {
  const pool = new pg.Pool({
    ...(dsn === undefined ? {} : { connectionString: dsn }),
    ...login,
    max: CONNECTIONS,
    application_name: "swf-alarms",
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    statement_timeout: STATEMENT_TIMEOUT,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT,
  });
  // A connection that the server ends is noticed at its next use, whether it lies in the pool or is
  // held; without these the loss would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  try {
    (await pool.connect()).release();
    return pool;
  } catch (error) {
    await pool.end();
    throw error;
  }
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
      release: async () => {
        try {
          await client.query("SELECT pg_advisory_unlock(hashtext($1))", [name]);
          client.release();
        } catch {
          // The connection is lost, and the lock with it.
          client.release(true);
        }
      },
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
 * `sslmode` as libpq (and so the Python engine) means it, as DSNs to try in turn. The driver alone would
 * take `require` for full verification, with a warning at every start, and never fall back.
 */
function libpqDsns(dsn: string): readonly string[] {
  const mode = /[?&]sslmode=([a-z-]+)/.exec(dsn)?.[1];
  if (mode === undefined || /[?&]uselibpqcompat=/.test(dsn)) return [dsn];
  const as = (other: string): string =>
    `${dsn.replace(/([?&]sslmode=)[a-z-]+/, `$1${other}`)}&uselibpqcompat=true`;
  if (mode === "prefer") return [as("require"), as("disable")];
  if (mode === "allow") return [as("disable"), as("require")];
  return [as(mode)];
}

/** Host, port and database name: never the user's password. */
function place({ dsn, login }: PostgresAddress): string {
  if (dsn === undefined) {
    return `${login?.host ?? "localhost"}:${login?.port ?? 5432}/${login?.database ?? ""}`;
  }
  if (!URL.canParse(dsn)) return "the configured dsn, which is no URL";
  const url = new URL(dsn);
  return `${url.hostname || "localhost"}:${url.port || "5432"}${url.pathname}`;
}

function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join("; ");
  return error instanceof Error ? error.message : String(error);
}
