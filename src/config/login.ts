import { isIP } from "node:net";
import { join } from "node:path";
import type { ConnectionOptions } from "node:tls";
import { attempt } from "../text/attempt.ts";
import { quote } from "../text/describe.ts";
import { hint } from "../text/nearest.ts";
import type { DbLogin, Surroundings } from "./config.ts";
import { orFault } from "./issue.ts";
import { findPassword, type Parameter, readService } from "./login_files.ts";
import { resolvePath } from "./path.ts";

/** Each parameter that is supported, with its variable behind `PG`. */
const VARIABLES = {
  host: "HOST",
  port: "PORT",
  dbname: "DATABASE",
  user: "USER",
  password: "PASSWORD",
  passfile: "PASSFILE",
  service: "SERVICE",
  sslmode: "SSLMODE",
  sslrootcert: "SSLROOTCERT",
  sslcert: "SSLCERT",
  sslkey: "SSLKEY",
  options: "OPTIONS",
  connect_timeout: "CONNECT_TIMEOUT",
};
type Name = keyof typeof VARIABLES;
const SUPPORTED = Object.keys(VARIABLES);

/** Parameters that change where or how libpq connects, each with the values that change nothing here. */
const UNSUPPORTED = {
  hostaddr: [],
  require_auth: [],
  requirepeer: [],
  requiressl: ["0"],
  channel_binding: ["disable", "prefer"],
  gssencmode: ["disable", "prefer"],
  sslnegotiation: ["postgres"],
  sslcertmode: ["allow"],
  sslcrl: [],
  sslcrldir: [],
  ssl_min_protocol_version: ["TLSv1", "TLSv1.1", "TLSv1.2"],
  ssl_max_protocol_version: ["TLSv1.3"],
  target_session_attrs: ["any"],
};
const HARMLESS = new Map<string, readonly string[]>(Object.entries(UNSUPPORTED));
/** Parameters that the engine sets itself. */
const OWN = /^(client_encoding|(fallback_)?application_name|keepalives(_idle|_interval|_count)?)$/;

const MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/**
 * How to connect, as psql does: by the given parameters, then those of a service, then the environment, then
 * the defaults. What is wrong is added to `faults`.
 */
export function parseLogin(
  given: readonly Parameter[],
  around: Surroundings,
  faults: string[],
): DbLogin {
  const { env, system } = around;
  const home = env.HOME || system.homedir || "/";
  const parameters = readParameters(given, home, around, faults);
  const get = (name: Name): string | undefined => parameters.get(name) || undefined;

  const user = get("user") ?? system.username ?? "";
  if (user === "") faults.push("db.dsn: no user: name one there, as the system names none");
  const host = get("host") ?? system.sockets;
  const server = { host, port: Number(get("port") ?? 5432), database: get("dbname") ?? user, user };
  return {
    ...server,
    password: get("password") ?? storedPassword(server, get("passfile"), home, around),
    options: get("options"),
    connectionTimeoutMillis: (Number(get("connect_timeout")) || 10) * 1_000,
    tls: tlsAttempts(host, get, home, around, faults),
  };
}

/** Each parameter from the first place that has it. */
function readParameters(
  given: readonly Parameter[],
  home: string,
  around: Surroundings,
  faults: string[],
): ReadonlyMap<string, string> {
  const { env } = around;
  const service = given.find(([name]) => name === "service")?.[1] || env.PGSERVICE;
  const read = () => (service ? readService(service, home, around, faults) : []);
  const ofService = orFault("db: service", faults, read) ?? [];
  const others = [...HARMLESS.keys()].map((name) => [name, name.replaceAll("_", "")] as const);
  const variables = [...Object.entries(VARIABLES), ...others].map(([name, ending]) => {
    const variable = `PG${ending.toUpperCase()}`;
    return [name, env[variable], `$${variable}`] as const;
  });
  const parameters = new Map<string, string>();
  for (const [name, value, at] of [...given, ...ofService, ...variables]) {
    if (value === undefined || parameters.has(name)) continue;
    parameters.set(name, value);
    // In a dsn of a wrong form it may be a part of the password.
    const found = at.startsWith("db.dsn") ? "" : `; found ${quote(value)}`;
    const fault = parameterFault(name, value, found);
    if (fault !== undefined) faults.push(`${at}: ${fault}`);
  }
  return parameters;
}

/** An empty value stands for the default, except of sslmode. */
function parameterFault(name: string, value: string, found: string): string | undefined {
  if (name === "sslmode" && !MODES.includes(value)) return `must be one of ${MODES.join(", ")}`;
  const isHost = !/[/@,:#\s]/.test(value) || value.startsWith("/") || isIP(value) === 6;
  if (name === "host" && !isHost)
    return `must be one host name, address or socket folder, with no comment, URL or port`;
  const least = name === "port" ? 1 : 0;
  const isNumber = /^\d{1,5}$/.test(value) && Number(value) >= least && Number(value) <= 65_535;
  if (["port", "connect_timeout"].includes(name) && value !== "" && !isNumber)
    return `must be a whole number from ${least} to 65535${found}`;
  if (/^(current)?_?schema$/i.test(name)) return "not a parameter of libpq; set schema in [db]";
  if (name !== "password" && /[\p{Cc}\p{Zl}\p{Zp}]/u.test(name + value))
    return "has a control character or line separator";
  if (name === "ssl") return "not a parameter of libpq; write sslmode=require";
  const isHarmless = HARMLESS.get(name)?.concat("").includes(value);
  if (SUPPORTED.includes(name) || isHarmless || OWN.test(name)) return undefined;
  return `not supported by swf-alarms${hint(name, SUPPORTED)}`;
}

/** The password in the given file, or ~/.pgpass; if there is none, a function that says where it was looked for. */
function storedPassword(
  { host, port, database, user }: Pick<DbLogin, "host" | "port" | "database" | "user">,
  given: string | undefined,
  home: string,
  { folder, system, findText }: Surroundings,
): DbLogin["password"] {
  // As libpq names the usual folder there.
  const name = host === system.sockets ? "localhost" : host;
  const path = given ? attempt(() => resolvePath(folder, given), given) : join(home, ".pgpass");
  const reasons: string[] = [];
  const text = orFault("in the password file", reasons, () => findText(path, "secret")) ?? "";
  const password = findPassword(text, [name, String(port), database, user]);
  const [place = `for this login in ${path}`] = reasons;
  const missing = new Error(`no password given: none in [db], in $PGPASSWORD or ${place}`);
  return password || (() => Promise.reject(missing));
}

/** What to try in turn, by sslmode and the files of certificates. */
function tlsAttempts(
  host: string,
  get: (name: Name) => string | undefined,
  home: string,
  { folder, findText, readText }: Surroundings,
  faults: string[],
): DbLogin["tls"] {
  const isSystem = get("sslrootcert") === "system";
  const mode = isSystem ? "verify-full" : (get("sslmode") ?? "prefer");
  if (host.startsWith("/") || mode === "disable") return [false];
  const readPem = (name: Name, usual: string) =>
    orFault(`db: ${name}`, faults, () => {
      const given = get(name);
      if (given === undefined) return findText(join(home, ".postgresql", usual), "pem");
      return given === "system" ? undefined : readText(resolvePath(folder, given), "pem");
    });
  const ca = readPem("sslrootcert", "root.crt");
  const cert = readPem("sslcert", "postgresql.crt");
  const key = readPem("sslkey", "postgresql.key");
  if (mode === "verify-ca" && !ca) faults.push("db: sslmode=verify-ca needs sslrootcert");
  if (cert && !key) faults.push("db: sslcert needs its key: name it in sslkey");

  const isFull = mode === "verify-full";
  const tls: ConnectionOptions = { ca, cert, key, rejectUnauthorized: isFull || ca !== undefined };
  // Only verify-full compares the certificate's name.
  if (!isFull) tls.checkServerIdentity = () => undefined;
  if (mode === "allow") return [false, tls];
  return mode === "prefer" ? [tls, false] : [tls];
}
