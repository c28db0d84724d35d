import type { Queryable } from "../../src/store/database.ts";

/** Everything that makes up the shape of the public schema, one line each, sorted. */
export interface SchemaLines {
  readonly columns: readonly string[];
  readonly constraints: readonly string[];
  readonly indexes: readonly string[];
}

/** Reads the shape from the database's own catalogue, so that two databases can be compared. */
export async function readSchema(db: Queryable): Promise<SchemaLines> {
  const columns = await db.query(
    `SELECT concat_ws(' ', table_name, ordinal_position, column_name, data_type, character_maximum_length,
                      'nullable', is_nullable, 'default', column_default, 'identity', is_identity, identity_generation) AS line
     FROM information_schema.columns WHERE table_schema = 'public'`,
  );
  // Not-null constraints have names of their own only since Postgres 18; the columns above hold them.
  const constraints = await db.query(
    `SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid), condeferrable, condeferred) AS line
     FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'`,
  );
  const indexes = await db.query(
    "SELECT indexdef AS line FROM pg_indexes WHERE schemaname = 'public'",
  );
  const lines = (rows: typeof columns): string[] => rows.map((row) => String(row.line)).sort();
  return { columns: lines(columns), constraints: lines(constraints), indexes: lines(indexes) };
}

/** The shape without what the engine adds to tables of Django's. */
export function withoutOurs(schema: SchemaLines): SchemaLines {
  const keep = (lines: readonly string[]): string[] =>
    lines.filter((line) => !line.includes("swf_alarms_"));
  return {
    columns: keep(schema.columns),
    constraints: keep(schema.constraints),
    indexes: keep(schema.indexes),
  };
}
