import { join } from "node:path";
import { hint } from "../text/nearest.ts";
import type { DbLogin, Surroundings } from "./config.ts";
import { findPassword, type Parameter, readService } from "./login_files.ts";
import { resolvePath } from "./path.ts";

/** Each parameter that is supported, with its variable. */
const VARIABLES: ReadonlyMap<string, string> = new Map(
  "host user password passfile service sslmode sslrootcert sslcert sslkey options port dbname/DATABASE connect_timeout/CONNECT_TIMEOUT"
    .split(" ")
    .map((name) => [name.replace(/\/.*/, ""), `PG${name.replace(/.*\//, "").toUpperCase()}`]),
);
/** Variables that change where or how libpq connects, except with the values that are true here in any case. */
const REFUSED =
  /^PG(HOSTADDR|REQUIRE(AUTH|PEER|SSL)|CHANNELBINDING|GSSENCMODE|SSL(NEGOTIATION|CERTMODE|CRL|CRLDIR|M(IN|AX)PROTOCOLVERSION)|TARGETSESSIONATTRS|REPLICATION)=(?!(|0|allow|any|disable|prefer|TLSv1(\.[12])?)$)/;

const TLS_FILES = { sslrootcert: "root.crt", sslcert: "postgresql.crt", sslkey: "postgresql.key" };
const MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
const PORT =
  /^(port|connect_timeout)=(?!([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])?$)/;
/** What is wrong with a parameter that looks like this. */
const FAULTS: readonly (readonly [RegExp, string])[] = [
  [RegExp(`^sslmode=(?!(${MODES.join("|")})$)`), `must be one of ${MODES.join(", ")}`],
  [/^host=(?!\/).*[/@,\s]/, "must be one host or socket folder; several are not supported"],
  [PORT, "must be a whole number from 1 to 65535"],
  [/^(current)?_?schema=/i, "not a parameter of libpq; set schema in [db]"],
  [/^(?!password=).*[\p{Cc}\p{Zl}\p{Zp}]/u, "has a control character or line separator"],
];

/**
 * How to connect, as psql does: by the given parameters, then those of a service, then the environment, then
 * the defaults. What is wrong is added to `faults`.
 */
export function parseLogin(given: readonly Parameter[], around: Surroundings, faults: string[]) {
  const { env, system, folder, findText } = around;
  const home = env.HOME || system.homedir || "/";
  const service = given.find(([name]) => name === "service")?.[1] || env.PGSERVICE;
  const ofService = service ? readService(service, home, around, faults) : [];
  const variables = [...VARIABLES].map(([name, key]) => [name, env[key], `$${key}`] as const);
  const all = new Map<string, string>();
  for (const [name, value, at] of [...given, ...ofService, ...variables]) {
    if (value === undefined || all.has(name)) continue;
    all.set(name, value);
    const fault = FAULTS.find(([pattern]) => pattern.test(`${name}=${value}`))?.[1];
    if (fault !== undefined) faults.push(`${at}: ${fault}`);
    else if (!VARIABLES.has(name))
      faults.push(`${at}: not supported by swf-alarms (${hint(name, [...VARIABLES.keys()])})`);
  }
  for (const [name, value] of Object.entries(env))
    if (REFUSED.test(`${name}=${value}`))
      faults.push(`$${name}: not supported by swf-alarms; unset it`);

  const get = (name: string): string | undefined => all.get(name) || undefined;
  const user = get("user") ?? system.username ?? "";
  if (user === "") faults.push("db.dsn: no user: name one there, as the system names none");
  const host = get("host") ?? system.sockets;
  const server = { host, port: Number(get("port") ?? 5432), database: get("dbname") ?? user, user };
  const passwords = resolvePath(folder, get("passfile") ?? join(home, ".pgpass"));
  // As libpq names the usual folder there.
  const name = host === system.sockets ? "localhost" : host;
  const entry = [name, String(server.port), server.database, user];
  const inFile = findPassword(findText(passwords, true) ?? "", entry);
  const missing = new Error(
    `no password given: none in [db], in $PGPASSWORD or for this login in ${passwords}, which must have mode 600`,
  );

  const root = get("sslrootcert");
  const wanted = root === "system" ? "verify-full" : (get("sslmode") ?? "prefer");
  const mode = host.startsWith("/") ? "disable" : wanted;
  const [ca, cert, key] = Object.entries(TLS_FILES).map(([name, usual]) => {
    const path = get(name);
    if (path === "system") return undefined;
    const text = findText(resolvePath(folder, path ?? join(home, ".postgresql", usual)));
    if (path !== undefined && text === undefined) faults.push(`db: ${name}: cannot read ${path}`);
    return text;
  });
  if (mode === "verify-ca" && !ca) faults.push("db: sslmode=verify-ca needs sslrootcert");
  const isFull = mode === "verify-full";
  const identity = isFull ? {} : { checkServerIdentity: () => undefined };
  const tls = { ca, cert, key, rejectUnauthorized: isFull || ca !== undefined, ...identity };
  const attempts: { readonly [mode: string]: DbLogin["tls"] } = {
    disable: [false],
    allow: [false, tls],
    prefer: [tls, false],
  };
  return {
    ...server,
    password: get("password") ?? (inFile || (() => Promise.reject(missing))),
    options: get("options"),
    connectionTimeoutMillis: Number(get("connect_timeout") ?? 10) * 1_000,
    tls: attempts[mode] ?? [tls],
  };
}
