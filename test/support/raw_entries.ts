import { randomUUID } from "node:crypto";
import type { Queryable, Row } from "../../src/store/database.ts";

/** A row of `entry` as another program may have made it; what is left out is as Django would set it. */
export interface RawEntry {
  readonly id?: string;
  readonly title?: string;
  readonly content?: string;
  readonly kind: string;
  readonly name?: string;
  /** Stored as JSON; null is the SQL null. */
  readonly data?: unknown;
  readonly status?: string;
  readonly archived?: boolean;
  /** Epoch seconds; also the time of modification. */
  readonly created?: number;
  readonly deletedAt?: number;
  /** Null for a row that lies in no context. */
  readonly context?: string | null;
}

/** Puts a row into `entry` as it is, past the engine. Gives its id. */
export async function insertEntry(db: Queryable, entry: RawEntry): Promise<string> {
  const id = entry.id ?? randomUUID();
  const data = entry.data === undefined ? {} : entry.data;
  await db.query(
    `INSERT INTO entry (id, title, content, kind, name, data, priority, status, archived,
                        timestamp_created, timestamp_modified, deleted_at, parent_id, context_id)
     VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, NULL, $7, $8, $9, $9, $10, NULL, $11)`,
    [
      id,
      entry.title ?? "a title",
      entry.content ?? "",
      entry.kind,
      entry.name ?? null,
      data === null ? null : JSON.stringify(data),
      entry.status ?? "active",
      entry.archived ?? false,
      entry.created ?? 1_700_000_000,
      entry.deletedAt ?? null,
      entry.context === undefined ? "swf-alarms" : entry.context,
    ],
  );
  return id;
}

/** Puts a version of an entry into `entry_version`, as the dashboard's editor does. */
export async function insertVersion(db: Queryable, entryId: string): Promise<void> {
  await db.query(
    `INSERT INTO entry_version (version_num, title, content, data, changed_by, "timestamp", entry_id)
     VALUES (1, '', '', '{}', 'web_ui:x', 1, $1)`,
    [entryId],
  );
}

/** The whole row of `entry`, every column. */
export async function entryRow(db: Queryable, id: string): Promise<Row> {
  return only(await db.query("SELECT * FROM entry WHERE id = $1", [id]));
}

/** Whole rows of `entry` by id, to see that nothing else was touched. */
export async function entryRows(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Row>> {
  const rows = await db.query("SELECT * FROM entry WHERE id = ANY($1::text[]) ORDER BY id", [ids]);
  return new Map(rows.map((row) => [String(row.id), row]));
}

/** The one item of a list that must have one. */
export function only<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined || items.length !== 1)
    throw new Error(`expected one item, found ${items.length}`);
  return item;
}
