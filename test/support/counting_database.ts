import type {
  Database,
  LockAttempt,
  Queryable,
  Row,
  SqlValue,
  TransactionOptions,
} from "../../src/store/database.ts";

/** A statement as the store sends it. */
export interface Statement {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

/** A database that keeps what it is asked, the two ends of a transaction too. */
export class CountingDatabase implements Database {
  readonly #db: Database;
  #sent: Statement[] = [];

  constructor(db: Database) {
    this.#db = db;
  }

  /** What was sent since this was asked last. */
  take(): readonly Statement[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  query(sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> {
    this.#sent.push({ sql, params });
    return this.#db.query(sql, params);
  }

  async transaction<T>(
    work: (tx: Queryable) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    const { flush = true } = options;
    this.#sent.push({ sql: flush ? "BEGIN" : "BEGIN, unflushed", params: [] });
    const result = await this.#db.transaction(
      (tx) =>
        work({
          query: (sql, params = []) => {
            this.#sent.push({ sql, params });
            return tx.query(sql, params);
          },
        }),
      options,
    );
    this.#sent.push({ sql: "COMMIT", params: [] });
    return result;
  }

  script(sql: string): Promise<readonly Row[]> {
    return this.#db.script(sql);
  }

  tryLock(name: string, limit?: number): Promise<LockAttempt> {
    return this.#db.tryLock(name, limit);
  }

  isLocked(name: string): Promise<boolean> {
    return this.#db.isLocked(name);
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
