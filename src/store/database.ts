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

/** What to do about the refusals that an administrator can mend, by SQLSTATE. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ["25006", "the server is read-only; point [db] at the primary"],
  ["42501", "grant the engine's role the rights that docs/database.md lists"],
  ["42P01", "restore the table, or point [db] at the database that has it"],
  ["53100", "free space on the server"],
  ["53300", "allow the server more connections, or find what holds them"],
  ["57014", "the statement took too long; look at the server's load and locks"],
]);

/**
 * A refusal by the database as an error with one line that says what to do; any other error as it is.
 * Both drivers mark theirs with an SQLSTATE of five characters.
 */
export function asDatabaseError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof DatabaseError) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const isRefusal = /^[0-9A-Z]{5}$/.test(code) && "severity" in error;
  const isLost = /^Connection terminated|^Client has encountered a connection error/.test(
    error.message,
  );
  if (!isRefusal && !isLost) return error;
  const remedy = REMEDIES.get(code) ?? "see docs/operations.md";
  return new DatabaseError(
    `the database refused: ${error.message.split("\n")[0]}; ${isLost ? "the connection was lost; the next tick tries again" : remedy}`,
    { cause: error },
  );
}
