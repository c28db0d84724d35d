/** A row as the driver gives it; each store file parses what it reads. */
export interface Row {
  readonly [column: string]: unknown;
}

/** Parameters that both drivers send alike; structured values go as JSON text. */
export type SqlValue = string | number | boolean | null | readonly string[];

/** Where statements go: the database itself, or one transaction on it. */
export interface Queryable {
  /** Runs one statement with `$1` parameters. */
  query(sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]>;
}

/** Postgres, real or embedded, behind one small interface. */
export interface Database extends Queryable {
  /** Commits when `work` resolves, rolls back when it rejects. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /** Runs a text of several statements in one transaction; gives the rows of all of them. */
  script(sql: string): Promise<readonly Row[]>;
  /** Holds a named lock until released or the process ends; undefined while another process has it. */
  tryLock(name: string): Promise<Lock | undefined>;
  close(): Promise<void>;
}

export interface Lock {
  release(): Promise<void>;
}

/** The database cannot be used; the message is one line, says what to do, and holds no secret. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
}

/** Another process has the embedded database; it may well be a tick. */
export class DatabaseBusy extends DatabaseError {}
