import { join } from "node:path";
import { quote } from "../text/describe.ts";
import type { Surroundings } from "./config.ts";

/** A parameter of libpq. An empty value stands for the default; `at` says where it is set. */
export type Parameter = readonly [name: string, value: string, at: string];

/** The lines of a text that are neither empty nor comments; those without a `=` have no value. */
function linesIn(text: string) {
  return text.split(/\r\n?|\n/).flatMap((line, index) => {
    if (/^\s*(#|$)/.test(line)) return [];
    const [key = "", ...values] = line.split("=");
    const value = values.length === 0 ? undefined : values.join("=").trim();
    return [{ key: key.trim(), value, number: index + 1 }];
  });
}

/** The two families of names that the Django sites use, in the order of preference. */
const PREFIXES = ["SWF_REMOTE_DB_", "DB_"];
const ENDS = { HOST: "host", PORT: "port", NAME: "dbname", USER: "user", PASSWORD: "password" };

/** The login in a dotenv file, read as the Python engines do: no escapes, no comments after a value. */
export function readDotenv(path: string, { readText }: Surroundings, faults: string[]) {
  const all = new Map<string, string>();
  for (const { key, value } of linesIn(readText(path)))
    if (value !== undefined) all.set(key, value.replace(/^(["'])(.*)\1$/s, "$2"));
  const prefix = PREFIXES.find((start) => Object.keys(ENDS).some((end) => all.has(start + end)));
  if (prefix === undefined) {
    faults.push(
      `db.env_path: ${path} has neither SWF_REMOTE_DB_NAME nor DB_NAME; check the path, and that lines do not begin with "export"; a DATABASE_URL belongs into [db] dsn`,
    );
    return undefined;
  }
  return Object.entries(ENDS).flatMap(([end, name]): readonly Parameter[] => {
    const value = all.get(prefix + end) || (end === "PORT" ? "5432" : "");
    const at = `db.env_path: ${path}: ${prefix}${end}`;
    if (value === "" && end !== "PASSWORD") faults.push(`${at} is missing`);
    return value === "" ? [] : [[name, value, at]];
  });
}

/** The parameters of a service, from the first of psql's files that has it. */
export function readService(
  name: string,
  home: string,
  { env, findText }: Surroundings,
  faults: string[],
): readonly Parameter[] {
  const own = env.PGSERVICEFILE || join(home, ".pg_service.conf");
  const paths = [own, join(env.PGSYSCONFDIR || "/etc/postgresql-common", "pg_service.conf")];
  for (const path of paths) {
    const lines = linesIn(findText(path) ?? "");
    const start = lines.findIndex(({ key }) => key.startsWith(`[${name}]`));
    if (start === -1) continue;
    const rest = lines.slice(start + 1);
    const end = rest.findIndex(({ key }) => key.startsWith("["));
    const section = end === -1 ? rest : rest.slice(0, end);
    return section.flatMap(({ key, value, number }): readonly Parameter[] => {
      // The text of a line is never shown, as a password may stand anywhere in it.
      const at = `${path}: line ${number}`;
      if (value !== undefined && /^\w+$/.test(key)) return [[key, value, at]];
      faults.push(`${at} is not "name=value"`);
      return [];
    });
  }
  faults.push(`db: no service ${quote(name)} in ${paths.join(" or ")}`);
  return [];
}

/** The password of the first line for a login, in the text of a file such as ~/.pgpass. */
export function findPassword(text: string, login: readonly string[]): string | undefined {
  for (const line of text.split(/\r?\n/)) {
    const fields = fieldsOf(line);
    const isFor = login.every((part, index) => {
      const field = fields[index];
      return field === "*" || field?.replace(/\\(.)/g, "$1") === part;
    });
    if (isFor) return fields[4]?.replace(/\\(.)/g, "$1");
  }
  return undefined;
}

/** The fields of a line with their escapes: a colon after a backslash separates nothing. */
function fieldsOf(line: string): readonly string[] {
  const fields = [""];
  for (const token of line.match(/\\.|./g) ?? []) {
    if (token === ":") fields.push("");
    else fields.push(`${fields.pop()}${token}`);
  }
  return fields;
}
