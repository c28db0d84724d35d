import { object, optional } from "valibot";
import type { DbConfig, Surroundings } from "./config.ts";
import { parseDsn } from "./dsn.ts";
import { isTable, orFault, parseTable } from "./issue.ts";
import { parseLogin } from "./login.ts";
import { readDotenv } from "./login_files.ts";
import { resolvePath } from "./path.ts";
import { isPath, pathLike, stringThat } from "./values.ts";

export const Db = object({
  dsn: optional(
    stringThat('a postgresql URL such as "postgresql://user:password@host:5432/name"', (value) =>
      /^postgres(ql)?:\/\/\P{Cc}*$/u.test(value),
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
  const { dsn = "", env_path: file } = db;
  if (dsn === "" && file === undefined) {
    if (schema !== undefined)
      faults.push(
        "db.schema: the embedded database has no other; remove it, or set dsn or env_path",
      );
    return { kind: "embedded", path: resolvePath(around.folder, db.path ?? "state") };
  }
  const envPath = file === undefined ? undefined : resolvePath(around.folder, file);
  const parameters =
    envPath === undefined
      ? parseDsn(dsn, faults)
      : orFault("db.env_path", faults, () => readDotenv(envPath, around, faults));
  if (parameters === undefined) return undefined;
  return {
    kind: "server",
    login: parseLogin(parameters, around, faults),
    schema,
    envPath,
    hasPassword: parameters.some(([name]) => name === "password"),
  };
}
