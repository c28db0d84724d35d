import type { Database, LockAttempt, Queryable, Row, SqlValue } from "../../src/store/database.ts";

/**
 * A database whose user dies after so many statements: from then on it hears nothing, as if its process
 * had been killed. What it had committed stays, a transaction that was open is rolled back.
 */
export class MortalDatabase implements Database {
  readonly #db: Database;
  readonly #fate: { readonly statements: number; readonly kept: boolean } | undefined;
  #done = 0;
  isDead = false;

  /** `kept` tells whether the last statement reached the database. */
  constructor(
    db: Database,
    fate: { readonly statements: number; readonly kept: boolean } | undefined,
  ) {
    this.#db = db;
    this.#fate = fate;
  }

  /** The process is gone from here on. */
  die(): never {
    this.isDead = true;
    throw new Error("killed");
  }

  query(sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]> {
    return this.#live(() => this.#db.query(sql, params));
  }

  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    return this.#live(() =>
      this.#db.transaction(async (tx) => {
        const result = await work({
          query: (sql, params) => this.#live(() => tx.query(sql, params)),
        });
        if (this.isDead) this.die();
        return result;
      }),
    );
  }

  script(sql: string): Promise<readonly Row[]> {
    return this.#live(() => this.#db.script(sql));
  }

  tryLock(name: string): Promise<LockAttempt> {
    return this.#db.tryLock(name);
  }

  isLocked(name: string): Promise<boolean> {
    return this.#db.isLocked(name);
  }

  async close(): Promise<void> {}

  async #live<T>(statement: () => Promise<T>): Promise<T> {
    if (this.isDead) this.die();
    this.#done += 1;
    const isLast = this.#done === this.#fate?.statements;
    if (isLast && this.#fate?.kept !== true) this.die();
    const result = await statement();
    if (isLast) this.die();
    return result;
  }
}
