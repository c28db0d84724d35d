import { describe, expect, test } from "vitest";
import { DatabaseError } from "../../src/store/database.ts";
import {
  asDatabaseError,
  connectError,
  isLost,
  isMissingRight,
  isMissingTable,
} from "../../src/store/database_error.ts";

/** An error as both drivers make it of what the server reported. */
function serverError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code, severity: "ERROR" });
}

/** An error as Node makes it of what the network did. */
function networkError(code: string, message = `connect ${code} 127.0.0.1:5432`): Error {
  return Object.assign(new Error(message), { code });
}

const LATER = "the next tick tries again";

const ERRORS: readonly (readonly [string, Error, string])[] = [
  [
    "a read-only server",
    serverError("25006", "cannot execute INSERT in a read-only transaction"),
    "database error: cannot execute INSERT in a read-only transaction; the database is read-only: point [db] at the primary, or lift default_transaction_read_only",
  ],
  [
    "a full disk",
    serverError("53100", 'could not extend file "base/1/2": No space left on device'),
    `database error: could not extend file "base/1/2": No space left on device; the server's disk is full: free space there; ${LATER}`,
  ],
  [
    "no memory",
    serverError("53200", "out of memory"),
    `database error: out of memory; the server is out of memory: check what else runs there; ${LATER}`,
  ],
  [
    "no connections left",
    serverError("53300", "sorry, too many clients already"),
    "database error: sorry, too many clients already; all connections are in use: allow the server more, or close some",
  ],
  [
    "a statement that took too long",
    serverError("57014", "canceling statement due to statement timeout"),
    `database error: canceling statement due to statement timeout; the statement took too long: check the server's load and locks; ${LATER}`,
  ],
  [
    "rows that another session locks",
    serverError("55P03", "canceling statement due to lock timeout"),
    `database error: canceling statement due to lock timeout; another session locks these rows: find it in pg_locks; ${LATER}`,
  ],
  [
    "a conflict",
    serverError("40001", "could not serialize access due to concurrent update"),
    `database error: could not serialize access due to concurrent update; other transactions conflicted with this one four times; ${LATER}`,
  ],
  [
    "a deadlock",
    serverError("40P01", "deadlock detected"),
    `database error: deadlock detected; other transactions conflicted with this one four times; ${LATER}`,
  ],
  [
    "a missing table",
    serverError("42P01", 'relation "entry" does not exist'),
    'database error: relation "entry" does not exist; restore the table, or point [db] at the database that has it',
  ],
  [
    "a missing column",
    serverError("42703", 'column "archived" does not exist'),
    'database error: column "archived" does not exist; restore the column, or point [db] at the database that has it',
  ],
  [
    "a missing right",
    serverError("42501", "permission denied for table entry"),
    "database error: permission denied for table entry; grant the engine's role the rights in deploy/grants.sql",
  ],
  [
    "a server that is shut down",
    serverError("57P01", "terminating connection due to administrator command"),
    `database error: terminating connection due to administrator command; the server is starting or stopping, or closed the connection; ${LATER}`,
  ],
  [
    "a server that starts",
    serverError("57P03", "the database system is starting up"),
    `database error: the database system is starting up; the server is starting or stopping, or closed the connection; ${LATER}`,
  ],
  [
    "a damaged index",
    serverError("XX002", "index is corrupted"),
    "database error: index is corrupted; the server's files are damaged: check its log, and restore a backup",
  ],
  [
    "a site's own rule, of several lines",
    serverError("P0001", "not on Sundays\nCONTEXT: a trigger"),
    "database error: not on Sundays; see docs/operations.md",
  ],
  [
    "a connection that ended",
    new Error("Connection terminated unexpectedly"),
    `the connection to the database was lost: Connection terminated unexpectedly; ${LATER}`,
  ],
  [
    "a reset",
    networkError("ECONNRESET", "read ECONNRESET"),
    `the connection to the database was lost: read ECONNRESET; ${LATER}`,
  ],
  [
    "a server that does not respond",
    new Error("Query read timeout"),
    `no response from the database in time: check the network and the server's load; ${LATER}`,
  ],
];

test.each(ERRORS)("%s is one line that says what to do", (_sentence, error, message) => {
  const converted = asDatabaseError(error);
  expect(converted).toBeInstanceOf(DatabaseError);
  expect(converted).toMatchObject({ message, cause: error });
  expect(asDatabaseError(converted)).toBe(converted);
});

test.each([
  new TypeError("x is not a function"),
  networkError("ENOENT"),
  Object.assign(new Error("a code of five letters that is not an SQLSTATE"), { code: "EPERM" }),
  "a text",
  undefined,
])("what is not an error of the database stays unchanged: %s", (error) => {
  expect(asDatabaseError(error)).toBe(error);
});

const NO_ENTRY = 'no pg_hba.conf entry for host "10.0.0.1", user "u", database "x"';
const HINTS: readonly (readonly [string, unknown, string])[] = [
  [
    "a wrong password",
    serverError("28P01", 'password authentication failed for user "u"'),
    "check user and password, in [db] or where psql has them ($PGPASSWORD, ~/.pgpass)",
  ],
  [
    "an unknown database",
    serverError("3D000", 'database "x" does not exist'),
    "check the name of the database in [db], or create it",
  ],
  [
    "TLS required",
    serverError("28000", `${NO_ENTRY}, no encryption`),
    "the server requires TLS: add sslmode=require to the dsn in [db]",
  ],
  [
    "TLS required, as Postgres 13 reports it",
    serverError("28000", `${NO_ENTRY}, SSL off`),
    "the server requires TLS: add sslmode=require to the dsn in [db]",
  ],
  [
    "a host that is not allowed",
    serverError("28000", `${NO_ENTRY}, SSL encryption`),
    "the server's pg_hba.conf does not allow this user from this host",
  ],
  [
    "no right to connect",
    serverError("42501", 'permission denied for database "x"'),
    "grant the engine's role the rights in deploy/grants.sql",
  ],
  [
    "a server without TLS",
    new Error("The server does not support SSL connections"),
    "the server has no TLS: sslmode=prefer in [db] connects without it",
  ],
  [
    "a certificate that cannot be verified",
    networkError("DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate"),
    "check sslmode and sslrootcert in [db]; sslrootcert names the server's CA file",
  ],
  [
    "too many connections",
    serverError("53300", "sorry, too many clients already"),
    "all connections are in use: allow the server more, or close some",
  ],
  [
    "recovery",
    serverError("57P03", "the database system is in recovery mode"),
    `the server is starting or stopping, or closed the connection; ${LATER}`,
  ],
  [
    "a server that is not running",
    networkError("ECONNREFUSED"),
    "check [db] in the configuration, and that the server is running",
  ],
];

test.each(HINTS)("no connection because of %s: what to do", (_sentence, error, hint) => {
  const made = connectError("h:5432/x", error);
  const text = error instanceof Error ? error.message : "";
  expect(made).toMatchObject({
    message: `cannot connect to Postgres at h:5432/x: ${text}; ${hint}`,
    cause: error,
  });
});

test("all addresses of a host are reported", () => {
  const errors = [
    networkError("ECONNREFUSED", "connect A"),
    networkError("ECONNREFUSED", "connect B"),
  ];
  expect(connectError("p", new AggregateError(errors)).message).toContain(
    "at p: connect A; connect B; ",
  );
});

describe("a lost connection", () => {
  test.each([
    ["the session was ended", serverError("57P01", "x"), true],
    ["an idle session was ended", serverError("57P05", "x"), true],
    ["the network refused", networkError("ECONNREFUSED"), true],
    ["no response", new Error("Query read timeout"), true],
    ["a conflict", serverError("40001", "x"), false],
    ["an error in the statement", serverError("42601", "x"), false],
    ["a defect", new TypeError("x"), false],
    ["nothing", undefined, false],
  ] as const)("%s", (_sentence, error, lost) => {
    expect(isLost(error)).toBe(lost);
    expect(isLost(new DatabaseError("converted", { cause: error }))).toBe(lost);
  });
});

test("a missing right and a missing table are recognised, also as a cause", () => {
  const cause = (code: string) => new DatabaseError("x", { cause: serverError(code, "x") });
  expect([isMissingRight(cause("42501")), isMissingRight(cause("42P01"))]).toEqual([true, false]);
  expect([isMissingTable(cause("42P01")), isMissingTable(networkError("EPIPE"))]).toEqual([
    true,
    false,
  ]);
});
