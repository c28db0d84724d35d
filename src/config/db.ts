import { object, optional } from "valibot";
import type { DbConfig, Surroundings } from "./config.ts";
import { parseDsn } from "./dsn.ts";
import { parseTable } from "./issue.ts";
import { parseLogin } from "./login.ts";
import { readDotenv } from "./login_files.ts";
import { resolvePath } from "./path.ts";
import { pathLike, stringThat } from "./values.ts";

export const Db = object({
  dsn: optional(
    stringThat('a URL such as "postgresql://user:password@host:5432/name"', (value) =>
      /^postgres(ql)?:\/\/\P{Cc}*$/u.test(value),
    ),
  ),
  env_path: optional(pathLike("/var/www/app/.env")),
  path: optional(pathLike("state")),
});

export function parseDb(
  table: unknown,
  around: Surroundings,
  faults: string[],
): DbConfig | undefined {
  const db = parseTable(Db, ["db"], table, faults);
  if (db === undefined) return undefined;
  const given = Object.keys(db);
  if (given.length > 1) faults.push(`db: keep only one of ${given.join(", ")}`);
  const { dsn = "", env_path: file } = db;
  if (dsn === "" && file === undefined)
    return { kind: "embedded", path: resolvePath(around.folder, db.path ?? "state") };
  const envPath = file === undefined ? undefined : resolvePath(around.folder, file);
  const parameters =
    envPath === undefined ? parseDsn(dsn, faults) : readDotenv(envPath, around, faults);
  if (parameters === undefined) return undefined;
  return {
    kind: "server",
    login: parseLogin(parameters, around, faults),
    envPath,
    hasPassword: parameters.some(([name]) => name === "password"),
  };
}
