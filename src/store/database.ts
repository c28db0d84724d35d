import { ExpectedError } from "../core/expected_error.ts";

/** A row as the driver gives it; each store file parses what it reads. */
export interface Row {
  readonly [column: string]: unknown;
}

/** Parameters that both drivers send alike; structured values go as JSON text. */
export type SqlValue = string | number | boolean | null | readonly string[];

/** Where statements go: the database itself, or one transaction on it. */
export interface Queryable {
  /** Runs one statement with `$1` parameters. Throws DatabaseError where the database refuses or is away. */
  query(sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]>;
}

export interface TransactionOptions {
  /**
   * Whether to wait until the disk has it; true unless said otherwise. Without, a server that crashes
   * within the next second may lose it, whole; a later transaction that waits makes it safe too.
   */
  readonly flush?: boolean;
}

/** Postgres, real or embedded, behind one small interface. */
export interface Database extends Queryable {
  /**
   * Commits when `work` resolves, rolls back when it rejects. Where other writers were in the way the
   * whole work is repeated, so it must have no effect but its statements.
   */
  transaction<T>(work: (tx: Queryable) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * Runs a text of several statements in one transaction, however long it takes; gives the rows of all
   * of them.
   */
  script(sql: string): Promise<readonly Row[]>;
  /**
   * Takes a named lock for as long as this process lives. A holder that did nothing for `staleAfter`
   * seconds since it took the lock is dead or hangs, and is ended; undefined leaves every holder alone.
   */
  tryLock(name: string, staleAfter?: number): Promise<LockAttempt>;
  close(): Promise<void>;
}

export type LockAttempt =
  | {
      readonly held: true;
      readonly lock: Lock;
      /** The stale holder that was ended for it, in words; undefined where the lock was free. */
      readonly ended: string | undefined;
    }
  | {
      readonly held: false;
      /** Who has it, and what to do where that is known. */
      readonly holder: string;
    };

export interface Lock {
  /** False once the session that held it was lost; another process may have it by now. */
  isHeld(): boolean;
  release(): Promise<void>;
}

/** The database cannot be used; the message is one line, says what to do, and holds no secret. */
export class DatabaseError extends ExpectedError {
  override readonly name = "DatabaseError";
}

/** Another process is at work: it has the embedded database, or the lock of the ticks. */
export class DatabaseBusy extends DatabaseError {
  /** Whether it has been at work longer than any tick may take: waiting will not help. */
  readonly overdue: boolean;

  constructor(message: string, overdue = false) {
    super(message);
    this.overdue = overdue;
  }
}
