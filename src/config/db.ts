import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { object, optional } from "valibot";
import { quote } from "../text/describe.ts";
import type { DbConfig, DbLogin, Surroundings } from "./config.ts";
import { isTable, parseTable } from "./issue.ts";
import { isPath, pathLike, stringThat } from "./values.ts";

export const Db = object({
  dsn: optional(
    stringThat(
      'a URL such as "postgresql://user:password@host:5432/name"',
      (value) => /^postgres(ql)?:\/\//.test(value) && !/\p{Cc}/u.test(value) && URL.canParse(value),
    ),
  ),
  env_path: optional(pathLike("/var/www/app/.env")),
  path: optional(pathLike("state")),
  schema: optional(stringThat('the name of a schema, such as "app"', isPath)),
});

export function parseDb(
  table: unknown,
  around: Surroundings,
  faults: string[],
): DbConfig | undefined {
  const instead = { dsn: around.dsn, schema: isTable(table) ? table.schema : undefined };
  const parsed = parseTable(Db, ["db"], around.dsn === undefined ? table : instead, faults);
  if (parsed === undefined) return undefined;
  const { schema, ...db } = parsed;
  const given = Object.keys(db);
  if (given.length > 1) faults.push(`db: keep only one of ${given.join(", ")}`);
  if (db.dsn !== undefined) return { kind: "dsn", dsn: db.dsn, schema };
  if (schema !== undefined && db.env_path === undefined)
    faults.push("db.schema: the embedded database has no other; remove it, or set dsn or env_path");
  if (db.env_path === undefined)
    return { kind: "embedded", path: resolve(around.folder, db.path ?? "state") };
  const path = resolve(around.folder, db.env_path);
  const login = parseDbLogin(around.readText(path), path);
  if (typeof login !== "string") return { kind: "env file", path, login, schema };
  faults.push(`db.env_path: ${login}`);
  return undefined;
}

/** The two families of names that the Django sites use, in the order of preference. */
const PREFIXES = ["SWF_REMOTE_DB_", "DB_"];

/**
 * The database login in a dotenv text, or what is wrong with it; no message holds the password. `text` is
 * undefined where the file could not be read.
 */
export function parseDbLogin(text: string | undefined, path: string): DbLogin | string {
  if (text === undefined)
    return `cannot read ${path}; check the path and that the engine's user may read it`;
  const values = parseEnv(text);
  const prefix = PREFIXES.find((candidate) => values[`${candidate}NAME`] !== undefined);
  if (prefix === undefined)
    return `${path} has neither SWF_REMOTE_DB_NAME nor DB_NAME; name the file that holds the database login`;
  const part = (name: string): string | undefined => values[prefix + name] || undefined;
  const port = part("PORT");
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536))
    return `${path}: ${prefix}PORT must be a port number, found ${quote(port)}`;
  return {
    host: part("HOST"),
    port: port === undefined ? undefined : Number(port),
    database: part("NAME"),
    user: part("USER"),
    password: part("PASSWORD"),
  };
}
