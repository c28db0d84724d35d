import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { errorText } from "../text/describe.ts";
import { type Database, DatabaseError, type Row } from "./database.ts";
import { sqlState } from "./database_error.ts";

const FOLDER = fileURLToPath(new URL("../../migrations", import.meta.url));
const LOCK = "swf-alarms migrate";
/** SQLSTATE of a table that does not exist. */
const NO_TABLE = "42P01";

/**
 * Indexes that a migration made and that promises rest on. One that is gone makes its migration pending
 * again; those migrations can be repeated.
 */
const INDEXES: ReadonlyMap<string, readonly string[]> = new Map([
  ["0002_one_active_event.sql", ["swf_alarms_one_active_event"]],
  [
    "0004_mails_of_an_alarm.sql",
    ["swf_alarms_owed_clears", "swf_alarms_unfinished_mail", "swf_alarms_mails"],
  ],
  ["0005_events_of_an_alarm.sql", ["swf_alarms_events_of_alarm"]],
]);

const LEDGER = `
  CREATE TABLE IF NOT EXISTS swf_alarms_migration (
    name text NOT NULL PRIMARY KEY,
    applied_at double precision NOT NULL
  )`;

export interface MigrationReport {
  /** Names of the migrations applied now. */
  readonly applied: readonly string[];
  /** What they changed in existing data, one line each. */
  readonly notes: readonly string[];
}

/** Brings the database up to this engine's schema. Safe to repeat, and to run twice at once. */
export async function migrate(db: Database): Promise<MigrationReport> {
  const attempt = await db.tryLock(LOCK);
  if (!attempt.held)
    throw new DatabaseError(
      `another process is migrating this database (${attempt.holder}); try again when it has ended`,
    );
  try {
    await makeLedger(db);
    const applied: string[] = [];
    const notes: string[] = [];
    for (const name of await pendingMigrations(db)) {
      const rows = await applyMigration(db, name);
      notes.push(...rows.flatMap((row) => (typeof row.note === "string" ? [row.note] : [])));
      applied.push(name);
    }
    return { applied, notes };
  } finally {
    await attempt.lock.release();
  }
}

async function makeLedger(db: Database): Promise<void> {
  try {
    await db.query(LEDGER);
  } catch (error) {
    throw new DatabaseError(
      `cannot make the table swf_alarms_migration: ${reason(error)}. Run migrate as a role that may create tables, such as the owner of the tables.`,
    );
  }
}

/**
 * Names of the migrations that the database lacks, in order; also those whose indexes somebody dropped.
 * Throws DatabaseError when it is newer than this engine.
 */
export async function pendingMigrations(db: Database): Promise<readonly string[]> {
  const known = readdirSync(FOLDER)
    .filter((file) => file.endsWith(".sql"))
    .sort();
  const found = await findNames(db);
  if (found === undefined) return known;
  const done = new Set(found.filter((row) => row.applied === true).map(({ name }) => String(name)));
  const present = new Set(found.map(({ name }) => String(name)));
  const newer = [...done].filter((name) => !known.includes(name));
  if (newer.length > 0) {
    throw new DatabaseError(
      `the database has migrations that this engine does not know (${newer.join(", ")}); update swf-alarms`,
    );
  }
  const isWhole = (name: string): boolean =>
    (INDEXES.get(name) ?? []).every((index) => present.has(index));
  return known.filter((name) => !done.has(name) || !isWhole(name));
}

/** The ledger's migrations and the watched indexes that are there; undefined where there is no ledger yet. */
async function findNames(db: Database): Promise<readonly Row[] | undefined> {
  try {
    return await db.query(
      `SELECT name, true AS applied FROM swf_alarms_migration
       UNION ALL
       SELECT name, false FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NOT NULL`,
      [[...INDEXES.values()].flat()],
    );
  } catch (error) {
    if (sqlState(error) === NO_TABLE) return undefined;
    throw error;
  }
}

/** The migration and its entry in the ledger commit together. The name comes from our own folder. */
async function applyMigration(db: Database, name: string) {
  const sql = readFileSync(join(FOLDER, name), "utf8");
  const ledger = `INSERT INTO swf_alarms_migration (name, applied_at) VALUES ('${name}', extract(epoch FROM clock_timestamp())::float8)
    ON CONFLICT (name) DO UPDATE SET applied_at = excluded.applied_at`;
  try {
    return await db.script(`${sql};\n${ledger};`);
  } catch (error) {
    throw new DatabaseError(
      `cannot apply the migration ${name}: ${reason(error)}. Nothing of it was kept; run migrate ${isRights(error) ? "as the owner of the tables" : "again when that is mended"}.`,
    );
  }
}

function isRights(error: unknown): boolean {
  return sqlState(error) === "42501";
}

/** The usual advice is for the engine's own role; migrations want the owner of the tables. */
function reason(error: unknown): string {
  return errorText(isRights(error) && error instanceof Error ? (error.cause ?? error) : error);
}
