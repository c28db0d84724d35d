import type pg from "pg";
import type {
  Database,
  Lock,
  LockAttempt,
  Row,
  SqlValue,
  Transaction,
  TransactionOptions,
} from "../database.ts";
import { asDatabaseError, isLost, repeatConflicts } from "../database_error.ts";
import { isLockHeld, takeAdvisoryLock } from "./lock.ts";
import { beginText, endSession, type Limits, runStatement } from "./session.ts";

/** A database on one working session, and one session for each lock. */
export class PostgresDatabase implements Database {
  readonly #connect: () => Promise<pg.Client>;
  readonly #limits: Limits;
  /** Resolves when the last statement or transaction has ended: there is one at a time. */
  #idle: Promise<unknown> = Promise.resolve();
  #client: pg.Client | undefined;
  /** The session of the first lock, while it is being opened. */
  #spare: Promise<pg.Client> | undefined;
  readonly #locks = new Set<Lock>();
  /** Why no session can be opened any more. */
  #ended: Error | undefined;

  constructor(
    client: pg.Client,
    connect: () => Promise<pg.Client>,
    limits: Limits,
    spare?: Promise<pg.Client>,
  ) {
    this.#connect = connect;
    this.#spare = spare;
    this.#limits = limits;
    this.#adopt(client);
  }

  async query(sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return await this.#work((client) => runStatement(client, this.#limits, sql, params));
  }

  async transaction<T>(
    work: (tx: Transaction) => Promise<T>,
    { flush = true }: TransactionOptions = {},
  ): Promise<T> {
    const begin = beginText(this.#limits, flush);
    return await this.#work(async (client) => {
      const run = (sql: string, params?: readonly SqlValue[]) =>
        runStatement(client, this.#limits, sql, params);
      await run(begin);
      try {
        const result = await work({ query: run, isTransaction: true });
        await run("COMMIT");
        return result;
      } catch (error) {
        // A session that cannot roll back must not be used again.
        if (!isLost(error)) await run("ROLLBACK").catch(() => this.#drop(client));
        throw error;
      }
    });
  }

  async script(sql: string): Promise<readonly Row[]> {
    // Postgres runs several statements without parameters in one implicit transaction. A new index on a
    // large table may take longer than any statement of a tick.
    const patient = `SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = ${this.#limits.statement};`;
    return await this.#work((client) =>
      runStatement(client, { responseTimeout: 0 }, `${patient}\n${sql}`),
    );
  }

  async tryLock(name: string, limit?: number): Promise<LockAttempt> {
    const client = await (this.#takeSpare() ?? this.#connect());
    const attempt = await takeAdvisoryLock(client, name, limit);
    if (attempt.held) this.#locks.add(attempt.lock);
    return attempt;
  }

  async isLocked(name: string): Promise<boolean> {
    return await isLockHeld(this, name);
  }

  #takeSpare(): Promise<pg.Client> | undefined {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare;
  }

  /** Also releases the locks. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#ended = new Error("the database is closed");
    await Promise.all([
      ...[...this.#locks].map((lock) => lock.release()),
      client && endSession(client),
      this.#takeSpare()?.then(endSession, () => {}),
    ]);
  }

  /** Runs one piece of work on the session, after the work before it. */
  async #work<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const done = this.#idle.then(() =>
      repeatConflicts(async () => {
        const client = this.#client ?? (await this.#reconnect());
        try {
          return await work(client);
        } catch (error) {
          if (isLost(error)) this.#drop(client);
          throw asDatabaseError(error);
        }
      }),
    );
    // Drops the result, so that it is not kept in memory until the next statement.
    const drop = (): void => {};
    this.#idle = done.then(drop, drop);
    return await done;
  }

  /** Replaces a lost session. One that fails is final: a tick without its server must end, not wait for each alarm. */
  async #reconnect(): Promise<pg.Client> {
    if (this.#ended !== undefined) throw this.#ended;
    try {
      return this.#adopt(await this.#connect());
    } catch (error) {
      if (error instanceof Error) this.#ended = error;
      throw error;
    }
  }

  #adopt(client: pg.Client): pg.Client {
    this.#client = client;
    client.once("end", () => this.#drop(client));
    return client;
  }

  #drop(client: pg.Client): void {
    if (this.#client === client) this.#client = undefined;
    void endSession(client);
  }
}
