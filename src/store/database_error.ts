import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseError } from "./database.ts";

const DAMAGED = "the server's files are damaged: check its log, and restore a backup";
const LATER = "the next tick tries again";

/** What to do about an error, by its SQLSTATE or by the class of it, which is its first two characters. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  [
    "25006",
    "the database is read-only: point [db] at the primary, or lift default_transaction_read_only",
  ],
  ["28000", "the server's pg_hba.conf does not allow this user from this host"],
  ["28P01", "check user and password, in [db] or where psql has them ($PGPASSWORD, ~/.pgpass)"],
  ["3D000", "check the name of the database in [db], or create it"],
  ["40", `other transactions conflicted with this one four times; ${LATER}`],
  ["42501", "grant the engine's role the rights in deploy/grants.sql"],
  ["42703", "restore the column, or point [db] at the database that has it"],
  ["42P01", "restore the table, or point [db] at the database that has it"],
  ["53100", `the server's disk is full: free space there; ${LATER}`],
  ["53200", `the server is out of memory: check what else runs there; ${LATER}`],
  ["53300", "all connections are in use: allow the server more, or close some"],
  ["55P03", `another session locks these rows: find it in pg_locks; ${LATER}`],
  ["57014", `the statement took too long: check the server's load and locks; ${LATER}`],
  ["57", `the server is starting or stopping, or closed the connection; ${LATER}`],
  ["XX001", DAMAGED],
  ["XX002", DAMAGED],
  ["XX", "an internal error of the server: check its log"],
]);

/**
 * A driver's error as one line that says what to do; any other error unchanged. Both drivers mark errors of
 * the server with an SQLSTATE.
 */
export function asDatabaseError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof DatabaseError) return error;
  const line = firstLine(error);
  const make = (message: string): DatabaseError => new DatabaseError(message, { cause: error });
  if (isResponseTimeout(error))
    return make(
      `no response from the database in time: check the network and the server's load; ${LATER}`,
    );
  const state = sqlState(error);
  if (state !== "") {
    const advice = adviceOn(state) ?? "see docs/operations.md";
    return make(`database error: ${line}; ${advice}`);
  }
  return isLost(error) ? make(`the connection to the database was lost: ${line}; ${LATER}`) : error;
}

/** The error about a connection that could not be made; `place` names the database without a password. */
export function connectError(place: string, error: unknown): DatabaseError {
  const text = describe(error);
  const message = `cannot connect to Postgres at ${place}: ${text}; ${hint(error, text)}`;
  return new DatabaseError(message, { cause: error });
}

function hint(error: unknown, text: string): string {
  const state = sqlState(error);
  if (state === "28000" && /no encryption|SSL off/.test(text))
    return "the server requires TLS: add sslmode=require to the dsn in [db]";
  if (/does not support SSL/.test(text))
    return "the server has no TLS: sslmode=prefer in [db] connects without it";
  if (/^no password given/.test(text)) return "the server asks for one";
  if (/certificate/.test(text))
    return "check sslmode and sslrootcert in [db]; sslrootcert names the server's CA file";
  return adviceOn(state) ?? "check [db] in the configuration, and that the server is running";
}

function adviceOn(state: string): string | undefined {
  return ADVICE.get(state) ?? ADVICE.get(state.slice(0, 2));
}

function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join("; ");
  return error instanceof Error ? firstLine(error) : String(error);
}

function firstLine({ message }: Error): string {
  return message.split("\n")[0] ?? "";
}

/** The SQLSTATE of an error or of its cause; empty if there is none. */
function sqlState(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (/^[0-9A-Z]{5}$/.test(code) && "severity" in error) return code;
  return sqlState(error.cause);
}

export function isMissingRight(error: unknown): boolean {
  return sqlState(error) === "42501";
}

export function isMissingTable(error: unknown): boolean {
  return sqlState(error) === "42P01";
}

const NETWORK =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)$/;

/** Whether the connection cannot be used any more. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (/^(57P0.|25P03|08...)$/.test(sqlState(error)) || isResponseTimeout(error)) return true;
  if ("code" in error && typeof error.code === "string" && NETWORK.test(error.code)) return true;
  return (
    /^(Connection terminated|Client (has encountered|was closed))/.test(error.message) ||
    isLost(error.cause)
  );
}

/** What the driver reports when its own time limit for a response has passed. */
function isResponseTimeout(error: Error): boolean {
  return error.message === "Query read timeout";
}

const REPEATS = 3;
const FIRST_PAUSE = 50;

/** Repeats the work after a conflict with another transaction: the database kept nothing of it. */
export async function repeatConflicts<T>(work: () => Promise<T>): Promise<T> {
  for (let done = 0; ; done++) {
    try {
      return await work();
    } catch (error) {
      if (done === REPEATS || !["40001", "40P01"].includes(sqlState(error))) throw error;
      await sleep(FIRST_PAUSE * 2 ** done);
    }
  }
}
