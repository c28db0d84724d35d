import { resolve } from "node:path";
import { object, optional } from "valibot";
import type { DbConfig, Surroundings } from "./config.ts";
import { parseDbLogin } from "./db_login.ts";
import { parseTable } from "./issue.ts";
import { pathLike, stringThat } from "./values.ts";

export const Db = object({
  dsn: optional(
    stringThat(
      'a URL such as "postgresql://user:password@host:5432/name"',
      (value) => /^postgres(ql)?:\/\//.test(value) && !/\p{Cc}/u.test(value) && URL.canParse(value),
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
  if (db.dsn !== undefined) return { kind: "dsn", dsn: db.dsn };
  if (db.env_path === undefined)
    return { kind: "embedded", path: resolve(around.folder, db.path ?? "state") };
  const path = resolve(around.folder, db.env_path);
  const login = parseDbLogin(around.readText(path), path);
  if (typeof login !== "string") return { kind: "env file", path, login };
  faults.push(`db.env_path: ${login}`);
  return undefined;
}
