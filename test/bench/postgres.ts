import pg from "pg";
import { migrated } from "../support/migrated.ts";
import { keepSignals, type OwnPostgres, startPostgres } from "../support/own_postgres.ts";

/** The bench's Postgres: durable, with the settings that a server has by itself. */
export class BenchPostgres {
  readonly #server: OwnPostgres;
  readonly #template: Promise<void>;
  #made = 0;

  private constructor(server: OwnPostgres) {
    this.#server = server;
    this.#template = this.withDatabase("postgres", async (db) => {
      await db.query("CREATE DATABASE template_of_all");
    }).then(() => migrated(this.dsn("template_of_all"), async () => {}));
  }

  /** The signal ends what it is asked at that moment: a statement may take minutes. */
  static async start(signal: AbortSignal): Promise<BenchPostgres> {
    const server = await startPostgres([]);
    keepSignals();
    const postgres = new BenchPostgres(server);
    signal.addEventListener("abort", () => void postgres.#endSessions());
    return postgres;
  }

  async #endSessions(): Promise<void> {
    await this.withDatabase("postgres", (db) =>
      db.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'bench_%'",
      ),
    ).catch(() => {});
  }

  dsn(database: string): string {
    return this.#server.url + database;
  }

  /** Makes a database like another one, which must have no sessions; one that is merely migrated unless given. */
  async copy(of?: string): Promise<string> {
    if (of === undefined) await this.#template;
    this.#made += 1;
    const name = `bench_${this.#made}`;
    await this.withDatabase("postgres", async (db) => {
      await db.query(`CREATE DATABASE ${name} TEMPLATE ${of ?? "template_of_all"}`);
    });
    return name;
  }

  async drop(database: string): Promise<void> {
    await this.withDatabase("postgres", async (db) => {
      await db.query(`DROP DATABASE ${database} WITH (FORCE)`);
    });
  }

  async withDatabase<T>(database: string, work: (db: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client(this.dsn(database));
    // A session that was ended is noticed by its statement; without this it would end the bench.
    client.on("error", () => {});
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  /** The version and the settings that decide how durable and how fast it is. */
  async describe(): Promise<string> {
    return await this.withDatabase("postgres", async (db) => {
      const show = async (name: string): Promise<string> =>
        String(Object.values((await db.query(`SHOW ${name}`)).rows[0])[0]);
      const settings = [];
      for (const name of SETTINGS) settings.push(`${name} = ${await show(name)}`);
      return `Postgres ${await show("server_version")}, nothing set: ${settings.join(", ")}`;
    });
  }

  async close(): Promise<void> {
    await this.#server.close();
  }
}

const SETTINGS = [
  "fsync",
  "synchronous_commit",
  "full_page_writes",
  "wal_compression",
  "shared_buffers",
  "max_wal_size",
  "autovacuum",
];

/** One number of a query's one row. */
export async function askNumber(
  db: pg.Client,
  sql: string,
  values: readonly (string | number)[] = [],
): Promise<number> {
  const { rows } = await db.query({ text: sql, values: [...values], rowMode: "array" });
  return Number(rows[0]?.[0]);
}

/** Milliseconds become seconds: how long a piece of work took. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
