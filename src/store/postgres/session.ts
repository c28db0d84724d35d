import type pg from "pg";
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

/** Begins a transaction with its limits: a pooler may give every transaction another session. */
export function beginText({ statement, idle, wait }: Limits, flush: boolean): string {
  const settings = [
    `statement_timeout = ${statement}`,
    `idle_in_transaction_session_timeout = ${idle}`,
    `lock_timeout = ${wait}`,
    ...(flush ? [] : ["synchronous_commit = off"]),
  ];
  return ["BEGIN", ...settings.map((setting) => `SET LOCAL ${setting}`)].join("; ");
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
