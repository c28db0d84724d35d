import { ExpectedError } from "../core/expected_error.ts";

/** A row as the driver returns it; each store file parses what it reads. */
export interface Row {
  readonly [column: string]: unknown;
}

/** Parameters that both drivers send alike; structured values are sent as JSON text. */
export type SqlValue = string | number | boolean | null | readonly string[];

/** Where statements go: the database itself, or one transaction on it. */
export interface Queryable {
  /** Runs one statement with `$1` parameters. Throws DatabaseError. */
  query(sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]>;
}

/**
 * One transaction. Everything that writes takes one, so that a tick can check in each that it may still write.
 */
export interface Transaction extends Queryable {
  readonly isTransaction: true;
}

export interface TransactionOptions {
  /**
   * Whether to wait until the transaction is on disk; true by default. Without it, a server that crashes
   * within the next second may lose the whole transaction; a later one that waits makes it safe too.
   */
  readonly flush?: boolean;
}

/** Postgres, real or embedded, behind one small interface. */
export interface Database extends Queryable {
  /**
   * Commits when `work` resolves, rolls back when it rejects. After a conflict with another transaction the
   * work is repeated, so it must have no effect except its statements.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Runs several statements in one transaction, without a time limit; returns the rows of all of them. */
  script(sql: string): Promise<readonly Row[]>;
  /**
   * Takes a named lock until it is released or this process ends. `limit` is the time in seconds that this
   * holder may have it, which it records; a holder that has exceeded its own recorded limit is ended where
   * that is possible, else reported as overdue. Undefined means no limit.
   */
  tryLock(name: string, limit?: number): Promise<LockAttempt>;
  /** Whether any process holds the named lock. */
  isLocked(name: string): Promise<boolean>;
  close(): Promise<void>;
}

export type LockAttempt =
  | {
      readonly held: true;
      readonly lock: Lock;
      /** Describes the stale holder that was ended; undefined if the lock was free. */
      readonly ended: string | undefined;
    }
  | {
      readonly held: false;
      /** Who has it, and what to do if that is known. */
      readonly holder: string;
      /** Whether it has held the lock longer than it may: waiting will not help. */
      readonly overdue: boolean;
    };

export interface Lock {
  /**
   * Aborted once this process knows that its session was lost: another process may have taken the lock since. A
   * session can be lost without this process knowing.
   */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** The database cannot be used; the message is one line, says what to do, and contains no secret. */
export class DatabaseError extends ExpectedError {
  override readonly name = "DatabaseError";
}

/** Another process holds the embedded database or the tick lock. */
export class DatabaseBusy extends DatabaseError {
  /** Whether it has held it longer than any tick may take: waiting will not help. */
  readonly overdue: boolean;

  constructor(message: string, overdue = false) {
    super(message);
    this.overdue = overdue;
  }
}

/** A lock was lost, or another process has taken it since: the holder must not write any more. */
export class LockLost extends DatabaseError {
  override readonly exitCode = 1;
}
