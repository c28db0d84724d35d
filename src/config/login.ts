import { join, resolve } from "node:path";
import type { ConnectionOptions } from "node:tls";
import type { Surroundings } from "./config.ts";
import { hint } from "./issue.ts";
import { findPassword, readService } from "./login_files.ts";

/** A parameter of libpq. An empty value stands for the default; `at` says where it is set. */
export type Parameter = readonly [name: string, value: string, at: string];

/** Each parameter that is supported, with its variable. */
const VARIABLES: ReadonlyMap<string, string> = new Map(
  "host user password passfile service sslmode sslrootcert sslcert sslkey options port dbname/DATABASE connect_timeout/CONNECT_TIMEOUT"
    .split(" ")
    .map((name) => [name.replace(/\/.*/, ""), `PG${name.replace(/.*\//, "").toUpperCase()}`]),
);
/** Variables that change where or how libpq connects, except with the values that are true here in any case. */
const REFUSED =
  /^PG(HOSTADDR|REQUIRE(AUTH|PEER|SSL)|CHANNELBINDING|GSSENCMODE|SSL(NEGOTIATION|CERTMODE|CRL|CRLDIR|M(IN|AX)PROTOCOLVERSION)|TARGETSESSIONATTRS|REPLICATION)=(?!(|0|allow|any|disable|postgres|prefer|TLSv1(\.[12])?)$)/;

const TLS_FILES = { sslrootcert: "root.crt", sslcert: "postgresql.crt", sslkey: "postgresql.key" };
const MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
/** What is wrong with a parameter that looks like this. */
const FAULTS: readonly (readonly [RegExp, string])[] = [
  [RegExp(`^sslmode=(?!(${MODES.join("|")})$)`), `must be one of ${MODES.join(", ")}`],
  [/^host=(?!\/).*[/@,\s]/, "must be one host or socket folder; several are not supported"],
  [
    /^(port|connect_timeout)=(?!([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])?$)/,
    "must be a whole number from 1 to 65535",
  ],
  [/^(current)?_?schema=/i, "not a parameter of libpq; set schema in [db]"],
  [/^(?!password=).*\p{Cc}/u, "has a control character"],
];

function faultOf(name: string, value: string): string | undefined {
  const known = [...VARIABLES.keys()];
  const fault = FAULTS.find(([pattern]) => pattern.test(`${name}=${value}`))?.[1];
  return (
    fault ??
    (known.includes(name) ? undefined : `not supported by swf-alarms (${hint(name, known)})`)
  );
}

export type DbLogin = ReturnType<typeof parseLogin>;

/**
 * How to connect, as psql does: by the given parameters, then those of a service, then the environment, then
 * the defaults. What is wrong is added to `faults`.
 */
export function parseLogin(given: readonly Parameter[], around: Surroundings, faults: string[]) {
  const { env, account, folder, readText, socketFolder } = around;
  const home = env.HOME || account?.homedir || "/";
  const service = given.find(([name]) => name === "service")?.[1] || env.PGSERVICE;
  const variables = [...VARIABLES].map(([name, key]) => [name, env[key] ?? "", `$${key}`] as const);
  const parameters = [
    ...given,
    ...(service ? readService(service, home, around, faults) : []),
    ...variables.filter(([, value]) => value !== ""),
  ];
  const all = new Map<string, string>();
  for (const [name, value, at] of parameters) {
    const fault = all.has(name) ? undefined : faultOf(name, value);
    if (fault !== undefined) faults.push(`${at}: ${fault}`);
    if (!all.has(name)) all.set(name, value);
  }
  for (const [name, value] of Object.entries(env))
    if (REFUSED.test(`${name}=${value ?? ""}`))
      faults.push(`$${name}: not supported by swf-alarms; unset it`);

  const get = (name: string): string | undefined => all.get(name) || undefined;
  const user = get("user") ?? account?.username ?? "";
  if (user === "")
    faults.push("db: no user: name one in the dsn; the system has no name for its own");
  const host = get("host") ?? socketFolder;
  const port = Number(get("port") ?? 5432);
  const database = get("dbname") ?? user;
  const file = resolve(folder, get("passfile") ?? join(home, ".pgpass"));
  const entry = [host === socketFolder ? "localhost" : host, String(port), database, user];
  const noPassword = `no password given in [db], in $PGPASSWORD or, with mode 600, in ${file}`;

  const isSystem = get("sslrootcert") === "system";
  const mode = isSystem ? "verify-full" : (get("sslmode") ?? "prefer");
  const [ca, cert, key] = Object.entries(TLS_FILES).map(([name, usual]) => {
    const path = get(name);
    if (path === "system") return undefined;
    const text = readText(resolve(folder, path ?? join(home, ".postgresql", usual)));
    if (path !== undefined && text === undefined) faults.push(`db: ${name}: cannot read ${path}`);
    return text;
  });
  if (mode === "verify-ca" && ca === undefined)
    faults.push("db: sslmode=verify-ca needs sslrootcert");
  const tls: ConnectionOptions = {
    ...{ ca, cert, key },
    rejectUnauthorized: mode === "verify-full" || ca !== undefined,
    ...(mode === "verify-full" ? {} : { checkServerIdentity: () => undefined }),
  };
  const attempts = { disable: [false], allow: [false, tls], prefer: [tls, false] }[mode] ?? [tls];
  return {
    /** A name, an address, or the folder of a Unix socket. */
    host,
    port,
    database,
    user,
    password:
      get("password") ?? (findPassword(readText(file, true) ?? "", entry) || reject(noPassword)),
    options: get("options"),
    connectionTimeoutMillis: Number(get("connect_timeout") ?? 10) * 1_000,
    /** To try in turn; false is an unencrypted connection. */
    tls: host.startsWith("/") ? [false] : attempts,
  };
}

/** What the driver asks for a password if there is none. */
function reject(reason: string) {
  return (): never => {
    throw new Error(reason);
  };
}
