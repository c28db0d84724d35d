import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Config } from "../config/config.ts";
import { errorText } from "../text/describe.ts";
import { type Database, DatabaseError, type Row } from "./database.ts";
import { isMissingRight, isMissingTable } from "./database_error.ts";

const FOLDER = fileURLToPath(new URL("../../migrations", import.meta.url));
const LOCK = "swf-alarms migrate";

const LEDGER = `
  CREATE TABLE IF NOT EXISTS swf_alarms_migration (
    name text NOT NULL PRIMARY KEY,
    applied_at double precision NOT NULL
  )`;

/** The dashboards' tables in all schemas, and what has their names where they would be; `$1` are those that were there. */
const TABLES = `
  SELECT nspname AS schema, relname AS name, path AS "table", current_database() AS database, current_user AS role,
         CASE WHEN NOT pg_table_is_visible(found.oid) THEN 'not used' WHEN NOT is_ours THEN 'foreign'
              WHEN path = ANY($1) THEN 'found' ELSE 'made' END AS state
  FROM pg_class AS found JOIN pg_namespace ON pg_namespace.oid = relnamespace,
    concat(quote_ident(nspname), '.', relname) AS path,
    LATERAL (SELECT relkind IN ('r', 'p') AND EXISTS (
      SELECT FROM pg_attribute WHERE attrelid = found.oid AND attname = 'data' AND atttypid = 'jsonb'::regtype)) AS _ (is_ours)
  WHERE relname IN ('entry', 'entry_context', 'entry_version') AND (is_ours OR pg_table_is_visible(found.oid)) ORDER BY path`;

/**
 * Applies the pending migrations. Safe to repeat, and to run twice at once. Returns the tables, the names of the
 * migrations that were applied now, and what these changed in existing data, one line each.
 */
export async function migrate(db: Database, config?: Pick<Config, "db">) {
  const attempt = await db.tryLock(LOCK);
  if (!attempt.held)
    throw new DatabaseError(
      `another process is migrating this database (${attempt.holder}); try again when it has ended`,
    );
  try {
    const before = await db.query(TABLES, [[]]);
    requireOwnTables(before, config?.db.kind === "server" && config.db.schema !== undefined);
    await attemptTo("create the table swf_alarms_migration", () => db.query(LEDGER));
    const applied: string[] = [];
    const notes: string[] = [];
    for (const name of await pendingMigrations(db)) {
      const rows = await attemptTo(`apply the migration ${name}`, () => apply(db, name));
      notes.push(...rows.flatMap(({ note }) => (typeof note === "string" ? [note] : [])));
      applied.push(name);
    }
    const tables = await db.query(TABLES, [before.map(({ table }) => String(table))]);
    return { tables, applied, notes };
  } finally {
    await attempt.lock.release();
  }
}

/** `isNamed` is whether the configuration names the schema. Throws DatabaseError. */
function requireOwnTables(tables: readonly Row[], isNamed: boolean): void {
  const foreign = tables.find(({ state }) => state === "foreign");
  if (foreign !== undefined)
    throw new DatabaseError(
      `${foreign.table} belongs to another program: it has no column data of the type jsonb; set [db] schema to a schema without it`,
    );
  const visible = tables.filter(({ state }) => state !== "not used").map(({ name }) => name);
  const elsewhere = isNamed ? undefined : tables.find(({ name }) => !visible.includes(name));
  if (elsewhere !== undefined)
    throw new DatabaseError(
      `the table ${elsewhere.table} is not on the search path of the role ${elsewhere.role}: to use it, set [db] schema = ${JSON.stringify(elsewhere.schema)}; to make another one, set [db] schema to the schema for it`,
    );
}

/** The usual advice about rights is for the engine's own role; migrations need the owner of the tables. */
async function attemptTo<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isRight = error instanceof Error && isMissingRight(error);
    const reason = isRight
      ? `${errorText(error.cause)}; run migrate as the owner of the tables (see --dsn)`
      : `${errorText(error)}; nothing was changed, run migrate again when that is fixed`;
    throw new DatabaseError(`cannot ${what}: ${reason}`);
  }
}

/** The migration and its entry in the ledger commit together. The name is that of a file of this package. */
async function apply(db: Database, name: string): Promise<readonly Row[]> {
  const sql = readFileSync(join(FOLDER, name), "utf8");
  const ledger = `INSERT INTO swf_alarms_migration (name, applied_at) VALUES ('${name}', extract(epoch FROM clock_timestamp())::float8)
    ON CONFLICT (name) DO UPDATE SET applied_at = excluded.applied_at`;
  return await db.script(`${sql};\n${ledger};`);
}

/**
 * Names of the migrations that the database lacks, in order; the one that makes the unique index counts as
 * lacking while the index is missing. Throws DatabaseError if the database is newer than this engine.
 */
export async function pendingMigrations(db: Database): Promise<readonly string[]> {
  const known = readdirSync(FOLDER)
    .filter((file) => file.endsWith(".sql"))
    .sort();
  const done = await appliedMigrations(db);
  const newer = done.filter((name) => !known.includes(name));
  if (newer.length > 0)
    throw new DatabaseError(
      `the database has migrations that this engine does not know (${newer.join(", ")}); update swf-alarms`,
    );
  return known.filter((name) => !done.includes(name));
}

/** Empty if there is no ledger yet. */
async function appliedMigrations(db: Database): Promise<readonly string[]> {
  try {
    const rows = await db.query(
      `SELECT name FROM swf_alarms_migration
       WHERE name <> '0002_one_active_event.sql' OR to_regclass('swf_alarms_one_active_event') IS NOT NULL`,
    );
    return rows.map(({ name }) => String(name));
  } catch (error) {
    if (isMissingTable(error)) return [];
    throw error;
  }
}
