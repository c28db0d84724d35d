import pg from "pg";
import type { Row, SqlValue } from "../database.ts";

/** Milliseconds that a session's statements may take. */
export interface Limits {
  readonly statement: number;
  /** A transaction between its statements: what a process that is gone has locked is free after that. */
  readonly idle: number;
  /** Waiting for a lock of another session: longer than a transaction may be idle. */
  readonly wait: number;
  /** Waiting for the server's response: longer than a statement may take. */
  readonly responseTimeout: number;
}

export const LIMITS: Limits = {
  statement: 60_000,
  idle: 15_000,
  wait: 20_000,
  responseTimeout: 70_000,
};

const END_TIMEOUT = 2_000;

/** Whatever the server, the database or the role has as its default. */
export const BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED";

/**
 * Begins a transaction with all that it needs: a pooler may give every transaction another session. Settings
 * that an older server does not know are left out. Compiling a statement (JIT) takes longer than running ours.
 */
export function beginText({ statement, idle, wait }: Limits, flush: boolean, schema?: string) {
  const path = schema === undefined ? "NULL" : pg.escapeLiteral(pg.escapeIdentifier(schema));
  const commit = flush ? "CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' END" : "'off'";
  return `${BEGIN}; SELECT set_config(name, coalesce(value, current_setting(name)), true)
    FROM (VALUES ('statement_timeout', '${statement}'), ('idle_in_transaction_session_timeout', '${idle}'),
                 ('lock_timeout', '${wait}'), ('transaction_timeout', '0'), ('jit', 'off'), ('search_path', ${path}),
                 ('extra_float_digits', '1'), ('synchronous_commit', ${commit}))
      AS wanted (name, value)
    WHERE current_setting(name, true) IS NOT NULL`;
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
