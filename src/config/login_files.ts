import { join } from "node:path";
import { quote } from "../text/describe.ts";
import type { Surroundings } from "./config.ts";

/** A parameter of libpq. An empty value stands for the default; `at` says where it is set. */
export type Parameter = readonly [name: string, value: string, at: string];

const LINES = /^[^\S\r\n]*([^#=\s][^=\r\n]*)(=?)([^\r\n]*)/gm;

/** The lines of a text that are neither empty nor comments, as key, value and `=`. */
function linesIn(text: string) {
  const lines = [...text.matchAll(LINES)];
  return lines.map(([, key = "", sign, value = ""]) => [key.trim(), value.trim(), sign] as const);
}

/** The two families of names that the Django sites use, in the order of preference. */
const PREFIXES = ["SWF_REMOTE_DB_", "DB_"];
const ENDS = { HOST: "host", PORT: "port", NAME: "dbname", USER: "user", PASSWORD: "password" };

/** The login in a dotenv file, read as the Python engines do: no escapes, no comments after a value. */
export function readDotenv(path: string, { readText }: Surroundings, faults: string[]) {
  const lines = linesIn(readText(path)).filter(([, , sign]) => sign === "=");
  const all = new Map(lines.map(([key, value]) => [key, value.replace(/^(["'])(.*)\1$/s, "$2")]));
  const prefix = PREFIXES.find((start) => Object.keys(ENDS).some((end) => all.has(start + end)));
  if (prefix === undefined) {
    faults.push(
      `db.env_path: ${path} has neither SWF_REMOTE_DB_NAME nor DB_NAME; check the path, and that lines do not begin with "export"`,
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
export function readService(name: string, home: string, around: Surroundings, faults: string[]) {
  const { PGSERVICEFILE, PGSYSCONFDIR } = around.env;
  const own = PGSERVICEFILE || join(home, ".pg_service.conf");
  const paths = [own, join(PGSYSCONFDIR || "/etc/postgresql-common", "pg_service.conf")];
  for (const path of paths) {
    const [, ...sections] = around.findText(path)?.split(/^\s*\[/m) ?? [];
    const section = sections.find((text) => text.startsWith(`${name}]`));
    const lines = linesIn(section?.slice(name.length + 1) ?? "");
    if (section !== undefined)
      return lines.map(([key, value]) => [key, value, `${path}: ${key}`] as const);
  }
  faults.push(`db: no service ${quote(name)} in ${paths.join(" or ")}`);
  return [];
}

/** The password of the first line for a login, in the text of a file such as ~/.pgpass. */
export function findPassword(text: string, login: readonly string[]): string | undefined {
  for (const line of text.split(/\r?\n/)) {
    const raw = Array.from(
      line.matchAll(/((?:\\.|[^:\\])*)\\?(?::|$)/g),
      ([, field = ""]) => field,
    );
    const fields = raw.map((field) => field.replace(/\\(.)/g, "$1"));
    if (login.every((part, index) => raw[index] === "*" || fields[index] === part))
      return fields[4];
  }
  return undefined;
}
