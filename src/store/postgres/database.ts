import type pg from "pg";
import type {
  Database,
  Lock,
  LockAttempt,
  Queryable,
  Row,
  SqlValue,
  TransactionOptions,
} from "../database.ts";
import { asDatabaseError, isLost } from "../database_error.ts";
import { repeatConflicts } from "../repeat.ts";
import { takeAdvisoryLock } from "./lock.ts";
import { Patience } from "./patience.ts";
import { endSession, type Limits, runStatement } from "./session.ts";

/** Seconds of waiting for a server that went away, in all. */
const PATIENCE = 20;
/** After lying idle for so long a session is asked whether it still lives. */
const FRESH = 1_000;
const PING_TIMEOUT = 10_000;

/** A database on one working session, which is made anew when it was lost, and one for each lock. */
export class PostgresDatabase implements Database {
  readonly #connect: () => Promise<pg.Client>;
  readonly #limits: Limits;
  readonly #patience = new Patience(PATIENCE);
  /** The end of the last statement or transaction that was asked for: there is one at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #locks = new Set<Lock>();
  /** The first lock's session, on its way. */
  #spare: Promise<pg.Client> | undefined;
  #client: pg.Client | undefined;
  #closed = false;
  #usedAt = performance.now();

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
    work: (tx: Queryable) => Promise<T>,
    { flush = true }: TransactionOptions = {},
  ): Promise<T> {
    return await this.#work(async (client) => {
      const limits = this.#limits;
      await runStatement(
        client,
        limits,
        flush ? "BEGIN" : "BEGIN; SET LOCAL synchronous_commit = off",
      );
      try {
        const result = await work({
          query: async (sql, params = []) => {
            try {
              return await runStatement(client, limits, sql, params);
            } catch (error) {
              throw asDatabaseError(error);
            }
          },
        });
        await runStatement(client, limits, "COMMIT");
        return result;
      } catch (error) {
        // A session that cannot even roll back is given up, not handed to the next caller.
        if (!isLost(error))
          await runStatement(client, limits, "ROLLBACK").catch(() => this.#drop(client));
        throw error;
      }
    });
  }

  async script(sql: string): Promise<readonly Row[]> {
    return await this.#work(async (client) => {
      const { statement, wait } = this.#limits;
      // An index on a large table may take longer than any statement of a tick.
      const patient = `SET statement_timeout = 0; SET lock_timeout = ${statement}`;
      await runStatement(client, this.#limits, patient);
      try {
        // Without parameters Postgres takes a text of several statements, in one implicit transaction.
        return await runStatement(client, { silence: 0 }, sql);
      } finally {
        const usual = `SET statement_timeout = ${statement}; SET lock_timeout = ${wait}`;
        await runStatement(client, this.#limits, usual).catch(() => this.#drop(client));
      }
    });
  }

  async tryLock(name: string, staleAfter?: number): Promise<LockAttempt> {
    const connect = () => this.#patience.connect(() => this.#takeSpare() ?? this.#connect());
    const attempt = await takeAdvisoryLock(connect, name, staleAfter);
    if (!attempt.held) return attempt;
    const { lock } = attempt;
    this.#locks.add(lock);
    const release = async (): Promise<void> => {
      this.#locks.delete(lock);
      await lock.release();
    };
    return { ...attempt, lock: { isHeld: lock.isHeld, release } };
  }

  #takeSpare(): Promise<pg.Client> | undefined {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare;
  }

  /** Gives up the locks that are still held, too. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#closed = true;
    await Promise.all([
      ...[...this.#locks].map((lock) => lock.release()),
      ...(client === undefined ? [] : [endSession(client)]),
      this.#takeSpare()?.then(endSession, () => {}),
    ]);
  }

  /** One piece of work on the session, in its turn. */
  async #work<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const done = this.#turn.then(() =>
      repeatConflicts(async () => {
        const client = await this.#session();
        try {
          return await work(client);
        } catch (error) {
          if (isLost(error)) this.#drop(client);
          throw asDatabaseError(error);
        } finally {
          this.#usedAt = performance.now();
        }
      }),
    );
    this.#turn = done.then(nothing, nothing);
    return await done;
  }

  /** The session, or a new one where it was lost. */
  async #session(): Promise<pg.Client> {
    if (this.#closed) throw new Error("the database is closed");
    const client = this.#client;
    if (client !== undefined && performance.now() - this.#usedAt > FRESH) {
      await runStatement(client, { silence: PING_TIMEOUT }, "SELECT 1").catch(() =>
        this.#drop(client),
      );
    }
    return this.#client ?? this.#adopt(await this.#patience.connect(this.#connect));
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

/** What a statement found is not kept until the next one. */
function nothing(): void {}
