import { randomUUID } from "node:crypto";
import * as v from "valibot";
import type { Row, SqlValue } from "../../src/store/database.ts";

const EntryRow = v.strictObject({
  id: v.string(),
  title: v.string(),
  content: v.string(),
  kind: v.string(),
  name: v.nullable(v.string()),
  data: v.record(v.string(), v.unknown()),
  priority: v.nullable(v.number()),
  status: v.nullable(v.string()),
  archived: v.boolean(),
  timestamp_created: v.number(),
  timestamp_modified: v.number(),
  deleted_at: v.nullable(v.number()),
  parent_id: v.nullable(v.string()),
  context_id: v.nullable(v.string()),
});

/** A row of `entry`, every column. */
export type Entry = v.InferOutput<typeof EntryRow>;

/** Rows of one kind, oldest first. */
export async function readEntries(db: Asker, kind: string): Promise<readonly Entry[]> {
  const rows = await db.query(
    "SELECT * FROM entry WHERE kind = $1 ORDER BY timestamp_created, id",
    [kind],
  );
  return rows.map((row) => v.parse(EntryRow, row));
}

/** Whatever takes a statement: a database, or a site that opens its own. */
export interface Asker {
  query(sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]>;
}

/** What a test says of a row; the rest is as other programs write it. */
export interface NewEntry {
  readonly id?: string;
  readonly kind: string;
  readonly title?: string;
  readonly content?: string;
  readonly name?: string | null;
  readonly data: unknown;
  readonly status?: string;
  readonly archived?: boolean;
  readonly created?: number;
  readonly deletedAt?: number;
  readonly context?: string;
}

/** Writes a row as another program would, unchecked. Gives its id. */
export async function insertEntry(db: Asker, entry: NewEntry): Promise<string> {
  const id = entry.id ?? randomUUID();
  const created = entry.created ?? Date.now() / 1000;
  await db.query(
    `INSERT INTO entry (id, title, content, kind, name, data, priority, status, archived,
                        timestamp_created, timestamp_modified, deleted_at, parent_id, context_id)
     VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, NULL, $7, $8, $9, $9, $10, NULL, $11)`,
    [
      id,
      entry.title ?? entry.kind,
      entry.content ?? "",
      entry.kind,
      entry.name ?? null,
      entry.data === null ? null : JSON.stringify(entry.data),
      entry.status ?? "active",
      entry.archived ?? false,
      created,
      entry.deletedAt ?? null,
      entry.context ?? "swf-alarms",
    ],
  );
  return id;
}

/** The row of an alarm that mails ops@example.org; `data` goes over the usual keys. */
export async function insertAlarm(
  db: Asker,
  name: string,
  data: { readonly [key: string]: unknown } = {},
  entry: Partial<NewEntry> = {},
): Promise<string> {
  return await insertEntry(db, {
    kind: "alarm",
    title: `Title of ${name}`,
    content: `Head of ${name}.`,
    ...entry,
    data: {
      entry_id: `alarm_${name}`,
      enabled: true,
      recipients: "ops@example.org",
      renotification_window_hours: 0,
      params: {},
      ...data,
    },
  });
}

/** Every row of every table of the database, with the marks that Postgres leaves on each write. */
export async function dump(db: Asker): Promise<string> {
  const tables = await db.query(
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S', 'i', 'v') ORDER BY 1",
  );
  const lines: string[] = tables.map(({ relname }) => String(relname));
  for (const name of ["entry", "entry_context", "entry_version", "swf_alarms_migration"]) {
    const rows = await db.query(
      `SELECT xmin::text, ctid::text, to_jsonb(t) AS row FROM ${name} t ORDER BY ctid`,
    );
    lines.push(...rows.map((row) => JSON.stringify(row)));
  }
  return lines.join("\n");
}

/** One value below `data`, followed by key. */
export function at(value: unknown, ...keys: readonly string[]): unknown {
  let found = value;
  for (const key of keys) {
    found = typeof found === "object" && found !== null ? Reflect.get(found, key) : undefined;
  }
  return found;
}

/** The only element of a list. */
export function only<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined || items.length !== 1)
    throw new Error(`expected one item, found ${items.length}: ${JSON.stringify(items)}`);
  return item;
}
