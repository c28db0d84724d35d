import { describe, expect, test } from "vitest";
import { DatabaseError } from "../../src/store/database.ts";
import {
  asDatabaseError,
  connectHint,
  isAway,
  isConflict,
  isLost,
  sqlState,
} from "../../src/store/database_error.ts";

/** An error as both drivers make it of what the server said. */
function refusal(code: string, message: string): Error {
  return Object.assign(new Error(message), { code, severity: "ERROR" });
}

/** An error as Node makes it of what the network did. */
function network(code: string, message = `connect ${code} 127.0.0.1:5432`): Error {
  return Object.assign(new Error(message), { code });
}

const LATER = "the next tick tries again";

const REFUSALS: readonly (readonly [string, Error, string])[] = [
  [
    "a read-only server",
    refusal("25006", "cannot execute INSERT in a read-only transaction"),
    "the database refused: cannot execute INSERT in a read-only transaction; the database takes no writes: point [db] at the primary, or have default_transaction_read_only lifted",
  ],
  [
    "a full disk",
    refusal("53100", 'could not extend file "base/1/2": No space left on device'),
    `the database refused: could not extend file "base/1/2": No space left on device; the server's disk is full: free space there; ${LATER}`,
  ],
  [
    "no memory",
    refusal("53200", "out of memory"),
    `the database refused: out of memory; the server is short of memory: look at what else runs there; ${LATER}`,
  ],
  [
    "no connections left",
    refusal("53300", "sorry, too many clients already"),
    "the database refused: sorry, too many clients already; allow the server more connections, or find what holds them",
  ],
  [
    "a statement that took too long",
    refusal("57014", "canceling statement due to statement timeout"),
    `the database refused: canceling statement due to statement timeout; the statement took too long: look at the server's load and locks; ${LATER}`,
  ],
  [
    "rows that another holds",
    refusal("55P03", "canceling statement due to lock timeout"),
    `the database refused: canceling statement due to lock timeout; another session holds these rows: find it in pg_locks; ${LATER}`,
  ],
  [
    "other writers",
    refusal("40001", "could not serialize access due to concurrent update"),
    `the database refused: could not serialize access due to concurrent update; other writers were in the way, several times; ${LATER}`,
  ],
  [
    "a deadlock",
    refusal("40P01", "deadlock detected"),
    `the database refused: deadlock detected; other writers were in the way, several times; ${LATER}`,
  ],
  [
    "a missing table",
    refusal("42P01", 'relation "entry" does not exist'),
    'the database refused: relation "entry" does not exist; restore the table, or point [db] at the database that has it',
  ],
  [
    "a missing column",
    refusal("42703", 'column "archived" does not exist'),
    'the database refused: column "archived" does not exist; the tables lack a column: restore it, or point [db] at the database that has it',
  ],
  [
    "a missing right",
    refusal("42501", "permission denied for table entry"),
    "the database refused: permission denied for table entry; grant the engine's role the rights that docs/database.md lists",
  ],
  [
    "a server that is shut down",
    refusal("57P01", "terminating connection due to administrator command"),
    `the database refused: terminating connection due to administrator command; the server or an administrator ended the connection; ${LATER}`,
  ],
  [
    "a server that starts",
    refusal("57P03", "the database system is starting up"),
    `the database refused: the database system is starting up; the server starts, stops or recovers; ${LATER}`,
  ],
  [
    "a site's own rule, of several lines",
    refusal("P0001", "not on Sundays\nCONTEXT: a trigger"),
    "the database refused: not on Sundays; see docs/operations.md",
  ],
  [
    "a connection that ended",
    new Error("Connection terminated unexpectedly"),
    `the connection to the database was lost: Connection terminated unexpectedly; ${LATER}`,
  ],
  [
    "a reset",
    network("ECONNRESET", "read ECONNRESET"),
    `the connection to the database was lost: read ECONNRESET; ${LATER}`,
  ],
  [
    "a server that says nothing",
    new Error("Query read timeout"),
    `the database did not answer in time, and its connection was given up: look at the network and the server's load; ${LATER}`,
  ],
];

test.each(REFUSALS)("%s is one line that says what to do", (_sentence, error, message) => {
  const worded = asDatabaseError(error);
  expect(worded).toBeInstanceOf(DatabaseError);
  expect(worded).toMatchObject({ message, cause: error });
  // What has been worded stays as it is.
  expect(asDatabaseError(worded)).toBe(worded);
});

test.each([
  new TypeError("x is not a function"),
  network("ENOENT"),
  Object.assign(new Error("a code of five letters, and no refusal"), { code: "EPERM" }),
  "a text",
  undefined,
])("what is no trouble of the database stays as it is: %s", (error) => {
  expect(asDatabaseError(error)).toBe(error);
});

const ADVICE: readonly (readonly [string, unknown, string])[] = [
  [
    "a wrong password",
    refusal("28P01", 'password authentication failed for user "u"'),
    "Check [db]: the user and the password.",
  ],
  [
    "an unknown database",
    refusal("3D000", 'database "x" does not exist'),
    "Check [db]: the database's name; or have it created.",
  ],
  [
    "TLS required",
    refusal(
      "28000",
      'no pg_hba.conf entry for host "10.0.0.1", user "u", database "x", no encryption',
    ),
    "Check [db]: the server wants TLS; write sslmode=require into the dsn.",
  ],
  [
    "TLS required, in the words of Postgres 13",
    refusal("28000", 'no pg_hba.conf entry for host "10.0.0.1", user "u", database "x", SSL off'),
    "Check [db]: the server wants TLS; write sslmode=require into the dsn.",
  ],
  [
    "a host that may not come in",
    refusal(
      "28000",
      'no pg_hba.conf entry for host "10.0.0.1", user "u", database "x", SSL encryption',
    ),
    "Check [db]: the server's pg_hba.conf does not let this user in from this host.",
  ],
  [
    "no right to connect",
    refusal("42501", 'permission denied for database "x"'),
    "Check [db]: the user needs GRANT CONNECT on this database.",
  ],
  [
    "no TLS there",
    new Error("The server does not support SSL connections"),
    "Check [db]: the server has no TLS; sslmode=prefer goes without it.",
  ],
  [
    "a certificate that nobody vouches for",
    network("DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate"),
    "Check [db]: sslmode, and sslrootcert, which names the file with the server's authority.",
  ],
  [
    "too many connections",
    refusal("53300", "sorry, too many clients already"),
    "All connections are taken: allow the server more, or find what holds them.",
  ],
  [
    "recovery",
    refusal("57P03", "the database system is in recovery mode"),
    "The server starts, stops or recovers; the next tick tries again.",
  ],
  [
    "nobody there",
    network("ECONNREFUSED"),
    "Check [db] in the configuration and that the server runs.",
  ],
];

test.each(ADVICE)(
  "a connection that could not be made, %s: what to do",
  (_sentence, error, advice) => {
    expect(connectHint(error)).toBe(advice);
  },
);

describe("what is worth another try", () => {
  const cause = (error: Error) => new DatabaseError("worded", { cause: error });
  const [gone, full, conflict, syntax] = [
    refusal("57P01", "x"),
    refusal("53300", "x"),
    refusal("40001", "x"),
    refusal("42601", "x"),
  ];
  test.each([
    ["the session was ended", gone, true, true, false],
    ["the server is full", full, false, true, false],
    ["other writers", conflict, false, false, true],
    ["a mistake in the statement", syntax, false, false, false],
    ["refused by the network", network("ECONNREFUSED"), true, true, false],
    [
      "refused on each of its addresses",
      new AggregateError([network("ECONNREFUSED")]),
      true,
      true,
      false,
    ],
    ["silence", new Error("Query read timeout"), true, true, false],
    ["a defect", new TypeError("x"), false, false, false],
    ["nothing", undefined, false, false, false],
  ] as const)("%s", (_sentence, error, lost, away, conflicts) => {
    const judge = (what: unknown) => [isLost(what), isAway(what), isConflict(what)];
    expect(judge(error)).toEqual([lost, away, conflicts]);
    if (error !== undefined) expect(judge(cause(error))).toEqual([lost, away, conflicts]);
  });

  test("the SQLSTATE is found behind words, and only where there is one", () => {
    expect(sqlState(cause(syntax))).toBe("42601");
    expect(sqlState(network("EPIPE"))).toBe("");
  });
});
