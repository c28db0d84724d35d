import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DbLogin, Surroundings } from "../../src/config/config.ts";
import { parseDb } from "../../src/config/db.ts";
import { ExpectedError } from "../../src/core/expected_error.ts";
import { place } from "../../src/store/postgres/address.ts";
import { BARE } from "../support/login.ts";

type Files = { readonly [path: string]: string };
interface Given {
  readonly files?: Files;
  readonly env?: Surroundings["env"];
  readonly system?: Surroundings["system"];
}

function parse(db: object, { files = {}, ...given }: Given) {
  const faults: string[] = [];
  const read = (path: string) => files[path];
  const around = {
    ...BARE,
    ...given,
    readText: (path: string) => {
      const text = read(path);
      if (text === undefined) throw new ExpectedError(`cannot read ${path}`);
      return text;
    },
    findText: read,
  };
  const parsed = parseDb(db, around, faults);
  return { faults, login: parsed?.kind === "server" ? parsed.login : undefined };
}

function loginOf(db: object, given: Given = {}): DbLogin {
  const { faults, login } = parse(db, given);
  if (login === undefined || faults.length > 0) throw new Error(faults.join("\n"));
  return login;
}

const HOME = "/home/me";
const SERVICES = `# sites
[other]
host=other.example
[main]
host=main.example
port=6000
dbname=swf
user=svc
sslmode=disable
# the last line
[after]
host=after.example
`;

describe("a dsn is read as libpq reads it", () => {
  const rows: readonly (readonly [string, string, Given, object])[] = [
    [
      "all parts",
      "postgresql://u:p@h:6543/n?connect_timeout=3&options=-c%20geqo%3Doff",
      {},
      {
        ...{ host: "h", port: 6543, database: "n", user: "u", password: "p" },
        ...{ connectionTimeoutMillis: 3_000, options: "-c geqo=off" },
      },
    ],
    [
      "the short scheme; the user is the system's and not $USER, and names the database",
      "postgres://h",
      { env: { USER: "cron", LOGNAME: "cron" } },
      { host: "h", port: 5432, database: "me", user: "me", connectionTimeoutMillis: 10_000 },
    ],
    [
      "nothing at all: the usual socket",
      "postgresql://",
      {},
      { host: "/var/run/postgresql", user: "me", tls: [false] },
    ],
    [
      "percent encoding",
      "postgresql://a%40b:%2F%25%3a@h/n%20m",
      {},
      { user: "a@b", password: "/%:", database: "n m" },
    ],
    ["colons in a password", "postgresql://u:a:b@h/n", {}, { user: "u", password: "a:b" }],
    ["an IPv6 address", "postgresql://[::1]:6543/n", {}, { host: "::1", port: 6543 }],
    [
      "a socket folder as host",
      "postgresql://%2Ftmp/n?port=6543",
      {},
      { host: "/tmp", port: 6543, tls: [false] },
    ],
    [
      "a socket folder in the query",
      "postgresql:///n?host=/tmp&sslmode=require",
      {},
      { host: "/tmp", tls: [false] },
    ],
    [
      "parts in the query",
      "postgresql://?user=u&password=p&dbname=n&host=h",
      {},
      { host: "h", user: "u", password: "p", database: "n" },
    ],
    [
      "variables fill in what is missing",
      "postgresql:///n",
      {
        env: {
          PGHOST: "e",
          PGPORT: "7000",
          PGUSER: "eu",
          PGDATABASE: "en",
          PGPASSWORD: "ep",
          PGSSLMODE: "disable",
          PGCONNECT_TIMEOUT: "4",
        },
      },
      {
        host: "e",
        port: 7000,
        user: "eu",
        database: "n",
        password: "ep",
        tls: [false],
        connectionTimeoutMillis: 4_000,
      },
    ],
    [
      "a service comes before variables, and the dsn before both",
      "postgresql://u@/?service=main",
      { files: { [`${HOME}/.pg_service.conf`]: SERVICES }, env: { PGHOST: "e", PGPORT: "1" } },
      { host: "main.example", port: 6000, database: "swf", user: "u", tls: [false] },
    ],
    [
      "$PGSERVICE, in the file that $PGSERVICEFILE names",
      "postgresql://",
      {
        files: { "/s.conf": SERVICES },
        env: { PGSERVICE: "after", PGSERVICEFILE: "/s.conf", HOME: "/h" },
      },
      { host: "after.example", port: 5432 },
    ],
    [
      "a service that only the system has",
      "postgresql://?service=other",
      {
        files: { "/sys/pg_service.conf": SERVICES, [`${HOME}/.pg_service.conf`]: "[x]\n" },
        env: { PGSYSCONFDIR: "/sys" },
      },
      { host: "other.example" },
    ],
    [
      "a password file: the first line that fits, escapes, and wild cards",
      "postgresql://u@h/n",
      {
        files: {
          [`${HOME}/.pgpass`]:
            "# all\nh:1:n:u:no\n\\*:*:*:*:no\n*:5432:n:u:a\\:b\\\\c \n*:*:*:*:later",
        },
      },
      { password: "a:b\\c " },
    ],
    [
      "a password file knows the usual socket as localhost",
      "postgresql:///n",
      { files: { "/p": "localhost:5432:n:me:secret\r\n" }, env: { PGPASSFILE: "/p" } },
      { password: "secret" },
    ],
    [
      "and another socket by its folder; passfile comes before $PGPASSFILE",
      "postgresql:///n?host=/tmp&passfile=/q",
      {
        files: { "/p": "*:*:*:*:no", "/q": "localhost:*:*:*:no\n/tmp:*:*:*:secret" },
        env: { PGPASSFILE: "/p" },
      },
      { password: "secret" },
    ],
    [
      "parameters that change nothing",
      "postgresql://u@h/n?connect_timeout=0&application_name=x&keepalives=1&keepalives_idle=30&client_encoding=utf8&gssencmode=disable&target_session_attrs=any&channel_binding=prefer&sslnegotiation=postgres",
      { env: { PGCHANNELBINDING: "require", PGSSLMAXPROTOCOLVERSION: "TLSv1.3" } },
      { host: "h", connectionTimeoutMillis: 10_000 },
    ],
    [
      "values of other parameters that change nothing",
      "postgresql://u@h/n",
      {
        env: {
          PGGSSENCMODE: "disable",
          PGCHANNELBINDING: "prefer",
          PGTARGETSESSIONATTRS: "any",
          PGSSLNEGOTIATION: "postgres",
          PGSSLMINPROTOCOLVERSION: "TLSv1.2",
          PGSSLCRL: "",
          PGAPPNAME: "x",
          PGDATA: "/d",
        },
      },
      { host: "h" },
    ],
  ];
  test.each(rows)("%s", (_, dsn, given, expected) => {
    expect(loginOf({ dsn }, given)).toMatchObject(expected);
  });

  const CA = "-----BEGIN CERTIFICATE-----";
  const NONE = { rejectUnauthorized: false };
  const CHAIN = { rejectUnauthorized: true, ca: CA, checkServerIdentity: expect.any(Function) };
  const modes: readonly (readonly [string, string, Files, readonly object[]])[] = [
    ["the default", "", {}, [NONE, { off: true }]],
    ["prefer", "sslmode=prefer", {}, [NONE, { off: true }]],
    ["allow", "sslmode=allow", {}, [{ off: true }, NONE]],
    ["disable", "sslmode=disable", {}, [{ off: true }]],
    ["require", "sslmode=require", {}, [NONE]],
    ["require with an authority", "sslmode=require&sslrootcert=/ca", {}, [CHAIN]],
    [
      "require with psql's usual authority",
      "sslmode=require",
      { [`${HOME}/.postgresql/root.crt`]: CA },
      [CHAIN],
    ],
    ["verify-ca", "sslmode=verify-ca&sslrootcert=/ca", {}, [CHAIN]],
    [
      "verify-full",
      "sslmode=verify-full&sslrootcert=/ca",
      {},
      [{ rejectUnauthorized: true, ca: CA }],
    ],
    [
      "verify-full by the system's authorities",
      "sslmode=verify-full",
      {},
      [{ rejectUnauthorized: true, ca: undefined }],
    ],
    [
      "sslrootcert=system means verify-full",
      "sslrootcert=system",
      {},
      [{ rejectUnauthorized: true, ca: undefined }],
    ],
    [
      "a client's certificate",
      "sslmode=require&sslcert=/ca&sslkey=/ca",
      {},
      [{ ...NONE, cert: CA, key: CA }],
    ],
  ];
  test.each(modes)("sslmode: %s", (_, query, files, expected) => {
    const { tls } = loginOf(
      { dsn: `postgresql://h/n?${query}` },
      { files: { "/ca": CA, ...files } },
    );
    expect(tls.map((each) => each || { off: true })).toMatchObject(expected);
    // Only verify-full checks the name.
    const isFull = query.includes("full") || query.includes("system");
    for (const each of tls)
      if (typeof each === "object") expect("checkServerIdentity" in each).toBe(!isFull);
  });
});

describe("what cannot be read is refused, with what to write", () => {
  const rows: readonly (readonly [string, string, Given, RegExp])[] = [
    [
      "another spelling",
      "?ssl_mode=verify-full",
      {},
      /^db\.dsn: ssl_mode: not supported .*did you mean sslmode\?/,
    ],
    ["other capitals", "?sslMode=require", {}, /^db\.dsn: sslMode: .*did you mean sslmode\?/],
    ["only capitals", "?SSLMODE=require", {}, /did you mean sslmode\?/],
    [
      "another value",
      "?sslmode=verify_full",
      {},
      /^db\.dsn: sslmode: must be one of .*verify-full/,
    ],
    ["capitals in a value", "?sslmode=REQUIRE", {}, /^db\.dsn: sslmode: must be one of/],
    ["the driver's own value", "?sslmode=no-verify", {}, /must be one of/],
    ["an empty value", "?sslmode=", {}, /must be one of/],
    ["the driver's own parameter", "?uselibpqcompat=true", {}, /uselibpqcompat: not supported/],
    ["a schema", "?schema=app", {}, /^db\.dsn: schema: .*set schema in \[db\]/],
    ["JDBC's schema", "?currentSchema=app", {}, /set schema in \[db\]/],
    [
      "a parameter of libpq",
      "?hostaddr=10.0.0.1",
      {},
      /^db\.dsn: hostaddr: not supported by swf-alarms/,
    ],
    [
      "another one",
      "?channel_binding=require",
      {},
      /^db\.dsn: channel_binding: not supported by swf-alarms/,
    ],
    [
      "JDBC's TLS",
      "?ssl=true",
      {},
      /^db\.dsn: ssl: not a parameter of libpq; write sslmode=require$/,
    ],
    [
      "a mistyped harmless name",
      "?keepalives_idel=1",
      {},
      /^db\.dsn: keepalives_idel: not supported/,
    ],
    [
      "a variable with a number that is none",
      "",
      { env: { PGPORT: "http" } },
      /^\$PGPORT: must be a whole number from 1 to 65535; found "http"$/,
    ],
    ["a name like a method", "?constructor=1", {}, /^db\.dsn: constructor: not supported/],
    [
      "a parameter given twice",
      "?sslmode=require&sslmode=disable",
      {},
      /^db\.dsn: sslmode: given twice/,
    ],
    ["a part given twice", "?user=x", {}, /^db\.dsn: user: given twice/],
    ["a parameter without a value", "?sslmode", {}, /^db\.dsn: must be a URL/],
    ["a value with =", "?options=-c%20a=b", {}, /^db\.dsn: must be a URL/],
    ["an empty parameter", "?sslmode=require&", {}, /^db\.dsn: must be a URL/],
    ["a fragment", "#x", {}, /^db\.dsn: must be a URL/],
    [
      "a timeout of another form",
      "?connect_timeout=5s",
      {},
      /^db\.dsn: connect_timeout: must be a whole number/,
    ],
    [
      "a line break",
      "?application%0Aname=x",
      {},
      /^db\.dsn: "application\\nname": has a control character/,
    ],
    ["a line break in a value", "?options=a%0Ab", {}, /^db\.dsn: options: has a control character/],
    [
      "an authority that is not there",
      "?sslrootcert=/gone",
      {},
      /sslrootcert: cannot read \/gone$/,
    ],
    [
      "a relative authority",
      "?sslrootcert=ca.crt",
      {},
      /sslrootcert: cannot read \/etc\/swf\/ca\.crt$/,
    ],
    [
      "a certificate without its key",
      "?sslcert=/c",
      { files: { "/c": "-----BEGIN CERTIFICATE-----" } },
      /^db: sslcert needs its key/,
    ],
    ["verify-ca without an authority", "?sslmode=verify-ca", {}, /needs sslrootcert/],
    [
      "an unknown service",
      "?service=gone",
      {},
      /no service "gone" in \/home\/me\/\.pg_service\.conf or \/etc/,
    ],
    [
      "a service with another spelling",
      "?service=main",
      { files: { [`${HOME}/.pg_service.conf`]: "[main]\nsslmod=verify-full" } },
      /^\/home\/me\/\.pg_service\.conf: line 2: not supported .*did you mean sslmode\?/,
    ],
    ...["password hunter2", "password: hunter2=", "hunter2", "hunter-2==", "hunter2=="].map(
      (line) => {
        const text = `\n[main]\n# caf\u00e9\n  ${line}\nport=1\n`;
        const given: Given = { files: { [`${HOME}/.pg_service.conf`]: text } };
        const says = /^\/home\/me\/\.pg_service\.conf: line 4(?!.*hunter)/;
        return [`a service with the line ${line}`, "?service=main", given, says] as const;
      },
    ),
    [
      "a variable with another value",
      "",
      { env: { PGSSLMODE: "verify_full" } },
      /^\$PGSSLMODE: must be one of/,
    ],
    ["an empty variable", "", { env: { PGSSLMODE: "" } }, /^\$PGSSLMODE: must be one of/],
    [
      "a variable with a wrong number",
      "",
      { env: { PGCONNECT_TIMEOUT: "soon" } },
      /^\$PGCONNECT_TIMEOUT: must be/,
    ],
    ...[
      "PGHOSTADDR=10.0.0.1",
      "PGREQUIREAUTH=scram-sha-256",
      "PGCHANNELBINDING=require",
      "PGGSSENCMODE=require",
      "PGREQUIRESSL=1",
      "PGSSLNEGOTIATION=direct",
      "PGSSLCRL=/crl",
      "PGSSLMINPROTOCOLVERSION=TLSv1.3",
      "PGSSLMAXPROTOCOLVERSION=TLSv1.2",
      "PGTARGETSESSIONATTRS=read-write",
      "PGREQUIREPEER=postgres",
    ].map((text) => {
      const [name = "", value = ""] = text.split("=");
      const given: Given = { env: { [name]: value } };
      return [`the variable ${text}`, "", given, RegExp(`^\\$${name}: not supported`)] as const;
    }),
  ];
  test.each(rows)("%s", (_, query, given, pattern) => {
    const { faults } = parse({ dsn: `postgresql://u:p@h/n${query}` }, given);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(pattern);
    expect(faults[0]).not.toMatch(/[\r\n]/);
  });

  const whole: readonly (readonly [string, string, RegExp])[] = [
    ["several hosts", "postgresql://a,b/n", /^db\.dsn: host: must be one host/],
    ["several hosts in the query", "postgresql:///n?host=a,b", /^db\.dsn: host: must be one host/],
    [
      "several hosts with ports",
      "postgresql://a:1,b:2/n",
      /^db\.dsn: port: must be a whole number/,
    ],
    [
      "a port that there is not",
      "postgresql://h:65536/n",
      /^db\.dsn: port: must be a whole number/,
    ],
    ["a password without a host", "postgresql://u:hunter2", /^db\.dsn: port: must be (?!.*hunter)/],
    ["port 0", "postgresql://h:0/n", /^db\.dsn: port: must be/],
    ["a space", "postgresql://u@h/my db", /^db\.dsn: must be a URL/],
    ["a broken encoding", "postgresql://u:%zz@h/n", /^db\.dsn: must be a URL/],
    ["an encoding that is not UTF-8", "postgresql://u:%ff@h/n", /^db\.dsn: must be a URL/],
    ["a host that is two", "postgresql://a%40b/n", /^db\.dsn: host: must be one host/],
    ["libpq's other form", "host=h password=hunter2", /^db\.dsn: must be a postgresql URL/],
  ];
  test.each(whole)("%s", (_, dsn, pattern) => {
    expect(parse({ dsn }, {}).faults).toEqual([expect.stringMatching(pattern)]);
  });

  test("no user at all, where the system has no name for its own", () => {
    const given = { system: { sockets: "/tmp" } };
    expect(parse({ dsn: "postgresql://h/n" }, given).faults).toEqual([
      expect.stringMatching(/no user: name one/),
    ]);
    expect(loginOf({ dsn: "postgresql://u@h" }, given)).toMatchObject({ user: "u", database: "u" });
  });

  test("a variable counts only where nothing else is given", () => {
    const env = { PGPORT: "http", PGSSLMODE: "verify_full" };
    const dsn = "postgresql://h:1/n?sslmode=disable";
    expect(loginOf({ dsn }, { env })).toMatchObject({ port: 1, tls: [false] });
  });
});

test("whatever a password is: encoded it is read, and raw it is read or refused, but never quoted or taken for a host", () => {
  const piece = fc.constantFrom(..."@@//##??%[]&=:,;+ \\'\"$.-_~!*()<>|^`{}xqjzk0739é✓");
  const passwords = fc.array(piece, { minLength: 1, maxLength: 12 }).map((parts) => parts.join(""));
  const dsns = fc.constantFrom(
    (text: string) => `postgresql://u:${text}@db.example/n`,
    (text: string) => `postgresql://u:${text}@db.example:5432/n?sslmode=require`,
    (text: string) => `postgresql://db.example/n?user=u&password=${text}`,
    (text: string) => `postgresql://db.example/n?password=${text}&user=u`,
  );
  const empty = parse({ dsn: "postgresql://@@" }, {}).faults.join();
  const known = `${empty} ${parse({ dsn: "postgresql://?x=1" }, {}).faults.join()}`;
  fc.assert(
    fc.property(passwords, dsns, (password, write) => {
      const encoded = loginOf({ dsn: write(encodeURIComponent(password)) });
      expect(encoded).toMatchObject({ password, host: "db.example", user: "u", database: "n" });
      const { faults, login } = parse({ dsn: write(password) }, {});
      for (let start = 0; start + 3 <= password.length; start++) {
        const part = password.slice(start, start + 3);
        if (!known.includes(part)) expect(faults.join("\n")).not.toContain(part);
      }
      if (faults.length > 0) return;
      expect(login).toMatchObject({ host: "db.example", user: "u", database: "n" });
      expect(login?.password).toBe(decodeURIComponent(password));
    }),
    { numRuns: 3_000 },
  );
});

describe("a dotenv file is read as the Python engines read it", () => {
  const read = (text: string, given: Given = {}) => {
    const files = { ...given.files, "/x/.env": text };
    return parse({ env_path: "/x/.env" }, { ...given, files });
  };
  const LOGIN = "DB_HOST=h\nDB_NAME=n\nDB_USER=u\n";
  const values: readonly (readonly [string, string, string])[] = [
    ["a # inside", "DB_PASSWORD=a#b", "a#b"],
    ["a # after a space", "DB_PASSWORD=a #b", "a #b"],
    ["double quotes", 'DB_PASSWORD="a #b"', "a #b"],
    ["single quotes", "DB_PASSWORD='a\"b'", 'a"b'],
    ["one pair only", "DB_PASSWORD=\"'a'\"", "'a'"],
    ["unequal quotes", "DB_PASSWORD='a\"", "'a\""],
    ["a lone quote", "DB_PASSWORD='", "'"],
    ["a quote that ends early", "DB_PASSWORD='a' b", "'a' b"],
    ["text after the quotes", 'DB_PASSWORD="a" # b', '"a" # b'],
    ["spaces around", "  DB_PASSWORD =  a b  ", "a b"],
    ["spaces in quotes", "DB_PASSWORD=' a '", " a "],
    ["=", "DB_PASSWORD=a=b==", "a=b=="],
    ["no escapes", "DB_PASSWORD=a\\nb\\\\", "a\\nb\\\\"],
    ["no interpolation", "A=1\nDB_PASSWORD=$A$(A)", "$A$(A)"],
    ["back quotes stay", "DB_PASSWORD=`a`", "`a`"],
    ["the last of two", "DB_PASSWORD=a\nDB_PASSWORD=b", "b"],
    ["Windows line ends", "DB_PASSWORD=a\r\nX=1\r\n", "a"],
    ["a line separator that is none here", "DB_PASSWORD=a\u2028b", "a\u2028b"],
    ["a comment and a line that is none before", "# DB_PASSWORD=c\nhello\nDB_PASSWORD=a", "a"],
  ];
  test.each(values)("a password with %s", (_, line, password) => {
    expect(read(`${LOGIN}${line}`)).toMatchObject({
      faults: [],
      login: { host: "h", port: 5432, database: "n", user: "u", password },
    });
  });

  test("a byte order mark is no part of the first name", () => {
    expect(read(`\uFEFF${LOGIN}`)).toMatchObject({ faults: [], login: { host: "h" } });
  });

  test("what it says comes before the environment; a missing port is 5432, a missing password psql's", () => {
    const env = { PGHOST: "e", PGPORT: "1", PGUSER: "e", PGDATABASE: "e", PGPASSWORD: "ep" };
    expect(read(LOGIN, { env })).toMatchObject({
      faults: [],
      login: { host: "h", port: 5432, user: "u", database: "n", password: "ep" },
    });
    const files = { [`${HOME}/.pgpass`]: "h:5432:n:u:filed" };
    expect(read(`${LOGIN}DB_PASSWORD=\n`, { files })).toMatchObject({
      login: { password: "filed" },
    });
  });

  test("the first family is used, and the families are not mixed", () => {
    const remote = LOGIN.replaceAll("DB_", "SWF_REMOTE_DB_").replace("=h", "=remote");
    expect(read(LOGIN + remote)).toMatchObject({ faults: [], login: { host: "remote" } });
    expect(read(`${LOGIN}SWF_REMOTE_DB_NAME=n\n`).faults).toEqual([
      "db.env_path: /x/.env: SWF_REMOTE_DB_HOST is missing",
      "db.env_path: /x/.env: SWF_REMOTE_DB_USER is missing",
    ]);
  });

  const faults: readonly (readonly [string, string, RegExp])[] = [
    ["without a name", "DB_HOST=h\nDB_USER=u", /DB_NAME is missing$/],
    ["without a host", "DB_NAME=n\nDB_USER=u", /DB_HOST is missing$/],
    ["with an empty user", `${LOGIN}DB_USER=\n`, /DB_USER is missing$/],
    ["with a user in empty quotes", `${LOGIN}DB_USER=""\n`, /DB_USER is missing$/],
    ["that is another file", "SECRET_KEY=x", /has neither SWF_REMOTE_DB_NAME nor DB_NAME/],
    ["that is empty", "", /has neither SWF_REMOTE_DB_NAME nor DB_NAME/],
    ["of a shell", LOGIN.replaceAll("DB_", "export DB_"), /do not begin with "export"/],
    [
      "with a word as port",
      `${LOGIN}DB_PORT=http`,
      /DB_PORT: must be a whole number from 1 to 65535; found "http"$/,
    ],
    ["with port 0", `${LOGIN}DB_PORT=0`, /DB_PORT: must be/],
    ["with port 65536", `${LOGIN}DB_PORT=65536`, /DB_PORT: must be/],
    ["with a negative port", `${LOGIN}DB_PORT=-1`, /DB_PORT: must be/],
    ["with a comment after the host", LOGIN.replace("=h", "=127.0.0.1 # x"), /with no comment/],
    ["with a URL as host", LOGIN.replace("=h", "=http://h"), /DB_HOST: .*with no comment, URL/],
    ["with a port at its host", LOGIN.replace("=h", "=localhost:5433"), /DB_HOST: .*or port$/],
    [
      "with a URL only",
      "DATABASE_URL=postgres://u:hunter2@h/n",
      /a DATABASE_URL belongs into \[db\]/,
    ],
    ["with several hosts", LOGIN.replace("=h", "=a,b"), /DB_HOST: must be one host/],
  ];
  test.each(faults)("refused: one %s", (_, text, pattern) => {
    const found = read(text).faults;
    expect(found).toEqual([expect.stringMatching(/^db\.env_path: \/x\/\.env/)]);
    expect(found[0]).toMatch(pattern);
  });
});

test.each([
  ["postgresql://h/n", "h:5432/n"],
  ["postgresql://[::1]:6543/n", "[::1]:6543/n"],
  ["postgresql:///n?host=/tmp&port=1", "/tmp/.s.PGSQL.1, database n"],
  ["postgresql://u:secret@h", "h:5432/u"],
])("the place of %s is %s", (dsn, expected) => {
  expect(place(loginOf({ dsn }))).toBe(expected);
});
