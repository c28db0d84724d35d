import { DatabaseError } from "./database.ts";

const LATER = "the next tick tries again";
const READY = `the server starts, stops or recovers; ${LATER}`;
const CONFLICT = `other writers were in the way, several times; ${LATER}`;
const IDLE = `the server ended a session that waited too long; ${LATER}`;

/** What to do about a refusal, by SQLSTATE. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ["23505", "somebody else wrote the same at this moment; do it again"],
  [
    "25006",
    "the database takes no writes: point [db] at the primary, or have default_transaction_read_only lifted",
  ],
  ["25P03", IDLE],
  ["28000", "the server's pg_hba.conf does not let this user in from this host"],
  ["28P01", "check the user and the password in [db]"],
  ["3D000", "check the database's name in [db], or have it created"],
  ["40001", CONFLICT],
  ["40P01", CONFLICT],
  ["42501", "grant the engine's role the rights that docs/database.md lists"],
  ["42703", "the tables lack a column: restore it, or point [db] at the database that has it"],
  ["42P01", "restore the table, or point [db] at the database that has it"],
  ["53100", `the server's disk is full: free space there; ${LATER}`],
  ["53200", `the server is short of memory: look at what else runs there; ${LATER}`],
  ["53300", "allow the server more connections, or find what holds them"],
  ["55P03", `another session holds these rows: find it in pg_locks; ${LATER}`],
  ["57014", `the statement took too long: look at the server's load and locks; ${LATER}`],
  ["57P01", `the server or an administrator ended the connection; ${LATER}`],
  ["57P02", READY],
  ["57P03", READY],
  ["57P05", IDLE],
  ["58030", "the server cannot read or write its files: look at its log"],
  ["XX001", "the server's files are damaged: look at its log, restore a backup"],
  ["XX002", "an index is damaged: look at the server's log, REINDEX it"],
]);

/**
 * An error of a driver as one line that says what to do; any other error as it is. Both drivers mark
 * refusals with an SQLSTATE.
 */
export function asDatabaseError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof DatabaseError) return error;
  const line = error.message.split("\n")[0];
  if (isSilence(error)) {
    return new DatabaseError(
      `the database did not answer in time, and its connection was given up: look at the network and the server's load; ${LATER}`,
      { cause: error },
    );
  }
  const state = sqlState(error);
  if (state !== "") {
    const remedy = REMEDIES.get(state) ?? "see docs/operations.md";
    return new DatabaseError(`the database refused: ${line}; ${remedy}`, { cause: error });
  }
  if (!isLost(error)) return error;
  return new DatabaseError(`the connection to the database was lost: ${line}; ${LATER}`, {
    cause: error,
  });
}

/** What to do about a connection that could not be made. */
export function connectHint(error: unknown): string {
  const text = error instanceof Error ? error.message : "";
  switch (sqlState(error)) {
    case "28P01":
      return "Check [db]: the user and the password.";
    case "28000":
      return /no encryption|SSL off/.test(text)
        ? "Check [db]: the server wants TLS; write sslmode=require into the dsn."
        : "Check [db]: the server's pg_hba.conf does not let this user in from this host.";
    case "3D000":
      return "Check [db]: the database's name; or have it created.";
    case "42501":
      return "Check [db]: the user needs GRANT CONNECT on this database.";
    case "53300":
      return "All connections are taken: allow the server more, or find what holds them.";
    case "57P03":
      return "The server starts, stops or recovers; the next tick tries again.";
  }
  if (/does not support SSL/.test(text))
    return "Check [db]: the server has no TLS; sslmode=prefer goes without it.";
  if (/certificate/.test(text))
    return "Check [db]: sslmode, and sslrootcert, which names the file with the server's authority.";
  return "Check [db] in the configuration and that the server runs.";
}

/** The SQLSTATE of a refusal, also where it is the cause of another error; empty where there is none. */
export function sqlState(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (/^[0-9A-Z]{5}$/.test(code) && "severity" in error) return code;
  return sqlState(error.cause);
}

/** Other writers were in the way: nothing was kept, and the same work may well succeed. */
export function isConflict(error: unknown): boolean {
  return ["40001", "40P01"].includes(sqlState(error));
}

const AWAY =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)$/;

/** The connection is of no more use: the server, the network or this process's patience ended it. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (/^(57P0[1235]|25P03|08...)$/.test(sqlState(error))) return true;
  if ("code" in error && typeof error.code === "string" && AWAY.test(error.code)) return true;
  if (error instanceof AggregateError && error.errors.some(isLost)) return true;
  return (
    isSilence(error) ||
    /^(Connection terminated|Client (has encountered|was closed)|timeout exp)/.test(
      error.message,
    ) ||
    isLost(error.cause)
  );
}

/** Waiting may help: the server is away, not ready yet, or full. */
export function isAway(error: unknown): boolean {
  return isLost(error) || sqlState(error) === "53300";
}

/** What the driver says when its own time limit for an answer has passed. */
function isSilence(error: Error): boolean {
  return error.message === "Query read timeout";
}
