import type pg from "pg";
import type { Row, SqlValue } from "../database.ts";

/** What a transaction may do. Times are milliseconds. */
export interface Limits {
  readonly statement: number;
  /** A transaction between its statements: what a process that is gone has locked is free after that. */
  readonly idle: number;
  /** Waiting for a lock of another session: longer than a transaction may be idle. */
  readonly wait: number;
  /** Waiting for the server's response: longer than a statement may take. */
  readonly responseTimeout: number;
  readonly searchPath?: string | undefined;
}

export const LIMITS: Limits = {
  statement: 60_000,
  idle: 15_000,
  wait: 20_000,
  responseTimeout: 70_000,
};

const END_TIMEOUT = 2_000;

/** Begins a transaction with its settings: a pooler may give every transaction another session. Returns no rows. */
export function beginText({ statement, idle, wait, searchPath }: Limits, flush: boolean): string {
  return `BEGIN ISOLATION LEVEL READ COMMITTED; SELECT FROM (VALUES ('statement_timeout', '${statement}'),
      ('lock_timeout', '${wait}'), ('idle_in_transaction_session_timeout', '${idle}'), ('transaction_timeout', '0'),
      ('jit', 'off'), ('extra_float_digits', '1'), ('search_path', ${searchPath ?? "NULL"}),
      ('synchronous_commit', ${flush ? "NULL" : "'off'"})) AS wanted (name, value)
    WHERE CASE WHEN current_setting(name, true) IS NOT NULL THEN set_config(name, value, true) IS NULL END`;
}

/** Sends one statement, or several without parameters. Returns the rows of all of them. */
export async function runStatement(
  client: pg.Client,
  { responseTimeout }: Pick<Limits, "responseTimeout">,
  text: string,
  values: readonly SqlValue[] = [],
): Promise<readonly Row[]> {
  const query = { text, values: [...values], query_timeout: responseTimeout };
  // The result of several statements is a list, which the driver's types do not say.
  return [await client.query<Row>(query)].flat().flatMap(({ rows }) => rows);
}

/** Ends a session. A server that does not respond is not waited for. */
export async function endSession(client: pg.Client): Promise<void> {
  const { stream } = client.connection;
  const timer = setTimeout(() => stream.destroy(), END_TIMEOUT);
  await client.end().catch(() => {});
  clearTimeout(timer);
  stream.destroy();
}
