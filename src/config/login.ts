import { join } from "node:path";
import type { ConnectionOptions } from "node:tls";
import { errorText } from "../text/describe.ts";
import { hint } from "../text/nearest.ts";
import type { DbLogin, Environment, Surroundings } from "./config.ts";
import { orFault } from "./issue.ts";
import { findPassword, type Parameter, readService } from "./login_files.ts";
import { resolvePath } from "./path.ts";

/** Each parameter that is supported, with its variable. */
const VARIABLES = {
  host: "PGHOST",
  port: "PGPORT",
  dbname: "PGDATABASE",
  user: "PGUSER",
  password: "PGPASSWORD",
  passfile: "PGPASSFILE",
  service: "PGSERVICE",
  sslmode: "PGSSLMODE",
  sslrootcert: "PGSSLROOTCERT",
  sslcert: "PGSSLCERT",
  sslkey: "PGSSLKEY",
  options: "PGOPTIONS",
  connect_timeout: "PGCONNECT_TIMEOUT",
};
type Name = keyof typeof VARIABLES;
const SUPPORTED = Object.keys(VARIABLES);

/** Variables that change where or how libpq connects, and that are not supported. */
const REFUSED = [
  "PGHOSTADDR",
  "PGREQUIREAUTH",
  "PGREQUIREPEER",
  "PGREQUIRESSL",
  "PGCHANNELBINDING",
  "PGGSSENCMODE",
  "PGSSLNEGOTIATION",
  "PGSSLCERTMODE",
  "PGSSLCRL",
  "PGSSLCRLDIR",
  "PGSSLMINPROTOCOLVERSION",
  "PGSSLMAXPROTOCOLVERSION",
  "PGTARGETSESSIONATTRS",
  "PGREPLICATION",
];
/** Values of these variables with which the engine connects in any case. */
const HARMLESS = ["", "0", "allow", "any", "disable", "prefer", "TLSv1", "TLSv1.1", "TLSv1.2"];

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
  faults.push(...refusedVariables(env));
  const get = (name: Name): string | undefined => parameters.get(name) || undefined;

  const user = get("user") ?? system.username ?? "";
  if (user === "") faults.push("db.dsn: no user: name one there, as the system names none");
  const host = get("host") ?? system.sockets;
  const server = { host, port: Number(get("port") ?? 5432), database: get("dbname") ?? user, user };
  return {
    ...server,
    password: get("password") ?? storedPassword(server, get("passfile"), home, around),
    options: get("options"),
    connectionTimeoutMillis: Number(get("connect_timeout") ?? 10) * 1_000,
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
  const variables = Object.entries(VARIABLES).map(
    ([name, variable]) => [name, env[variable], `$${variable}`] as const,
  );
  const parameters = new Map<string, string>();
  for (const [name, value, at] of [...given, ...ofService, ...variables]) {
    if (value === undefined || parameters.has(name)) continue;
    parameters.set(name, value);
    const fault = parameterFault(name, value);
    if (fault !== undefined) faults.push(`${at}: ${fault}`);
  }
  return parameters;
}

/** An empty value stands for the default, except of sslmode. */
function parameterFault(name: string, value: string): string | undefined {
  if (name === "sslmode" && !MODES.includes(value)) return `must be one of ${MODES.join(", ")}`;
  if (name === "host" && !value.startsWith("/") && /[/@,\s]/.test(value))
    return "must be one host or socket folder; several are not supported";
  const isNumber = name === "port" || name === "connect_timeout";
  if (isNumber && value !== "" && !(/^[1-9]\d{0,4}$/.test(value) && Number(value) <= 65_535))
    return "must be a whole number from 1 to 65535";
  if (/^(current)?_?schema$/i.test(name)) return "not a parameter of libpq; set schema in [db]";
  if (name !== "password" && /[\p{Cc}\p{Zl}\p{Zp}]/u.test(name + value))
    return "has a control character or line separator";
  if (SUPPORTED.includes(name)) return undefined;
  return `not supported by swf-alarms${hint(name, SUPPORTED)}`;
}

function refusedVariables(env: Environment): readonly string[] {
  const names = REFUSED.filter((name) => !HARMLESS.includes(env[name] ?? ""));
  return names.map((name) => `$${name}: not supported by swf-alarms; unset it`);
}

/** The password in a file such as ~/.pgpass; if there is none, a function that says where it was looked for. */
function storedPassword(
  { host, port, database, user }: Pick<DbLogin, "host" | "port" | "database" | "user">,
  passfile: string | undefined,
  home: string,
  { folder, system, findText }: Surroundings,
): DbLogin["password"] {
  // As libpq names the usual folder there.
  const name = host === system.sockets ? "localhost" : host;
  let place = "";
  try {
    const path = resolvePath(folder, passfile ?? join(home, ".pgpass"));
    place = `for this login in ${path}`;
    const text = findText(path, "secret") ?? "";
    const password = findPassword(text, [name, String(port), database, user]);
    if (password) return password;
  } catch (error) {
    place = `in a password file: ${errorText(error)}`;
  }
  const missing = `no password given: none in [db], in $PGPASSWORD or ${place}`;
  return () => Promise.reject(new Error(missing));
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
  const readPem = (name: Name, usual: string): string | undefined => {
    const given = get(name);
    if (given === "system") return undefined;
    return orFault(`db: ${name}`, faults, () =>
      given === undefined
        ? findText(join(home, ".postgresql", usual), "pem")
        : readText(resolvePath(folder, given), "pem"),
    );
  };
  const before = faults.length;
  const ca = readPem("sslrootcert", "root.crt");
  const cert = readPem("sslcert", "postgresql.crt");
  const key = readPem("sslkey", "postgresql.key");
  if (faults.length > before) return [];
  if (mode === "verify-ca" && !ca) faults.push("db: sslmode=verify-ca needs sslrootcert");
  if (cert && !key) faults.push("db: sslcert needs its key: name it in sslkey");

  const isFull = mode === "verify-full";
  const tls: ConnectionOptions = { ca, cert, key, rejectUnauthorized: isFull || ca !== undefined };
  // Only verify-full compares the certificate's name.
  if (!isFull) tls.checkServerIdentity = () => undefined;
  if (mode === "allow") return [false, tls];
  return mode === "prefer" ? [tls, false] : [tls];
}
