import { randomUUID } from "node:crypto";
import { isJsonObject, type JsonObject, type JsonValue, safeJson, safeText } from "../text/json.ts";
import type { Transaction } from "./database.ts";

/** The context of all rows except teams. */
export const ALARMS_CONTEXT = "swf-alarms";
export const TEAMS_CONTEXT = "teams";

/** The SQL condition of the engine's rows that nobody archived or deleted, worded as in the partial indexes. */
export const LIVE = `context_id = '${ALARMS_CONTEXT}' AND archived = false AND deleted_at IS NULL`;

const TITLE_LENGTH = 255;
/** Rows and characters of JSON per INSERT: Postgres takes at most 256 MB of jsonb. */
const BATCH = 20_000;
const BATCH_SIZE = 16 * 2 ** 20;

export interface NewEntry {
  /** A new UUID unless given. */
  readonly id?: string;
  /** Stored on one line, cut to the column's length. */
  readonly title: string;
  readonly content?: string;
  readonly name?: string;
  readonly data: object;
}

/** What the rows of one INSERT share. */
export interface EntrySet {
  readonly kind: string;
  readonly status: "active" | "done";
  /** Time of creation, in epoch seconds. */
  readonly at: number;
  readonly context?: string;
  /** A constant ON CONFLICT clause. */
  readonly onConflict?: string;
}

/** With a name: the row is the only one of its name, written anew also after a person archived or deleted it. */
export const REPLACE_NAMED = `ON CONFLICT (context_id, name) WHERE name IS NOT NULL DO UPDATE
  SET data = EXCLUDED.data, status = EXCLUDED.status, kind = EXCLUDED.kind, archived = false,
      deleted_at = NULL, timestamp_modified = EXCLUDED.timestamp_modified`;

/** Inserts entries, in as few statements as possible. Returns the ids of the rows that were written. */
export async function insertEntries(
  tx: Transaction,
  { kind, status, at, context = ALARMS_CONTEXT, onConflict = "" }: EntrySet,
  entries: Iterable<NewEntry>,
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (const batch of jsonBatches(entries)) {
    const rows = await tx.query(
      `INSERT INTO entry (id, title, content, kind, name, data, priority, status, archived,
                          timestamp_created, timestamp_modified, deleted_at, parent_id, context_id)
       SELECT made.id, made.title, coalesce(made.content, ''), $2::text, made.name, made.data, NULL, $3::text, false,
              $4::float8, $4::float8, NULL, NULL, $5::text
       FROM jsonb_to_recordset($1::text::jsonb)
         AS made (id text, title text, content text, name text, data jsonb)
       ${onConflict} RETURNING id`,
      [batch, kind, status, at, context],
    );
    for (const row of rows) ids.add(String(row.id));
  }
  return ids;
}

/** One row at a time becomes text, so that a large set is never in memory as a whole. */
function* jsonBatches(entries: Iterable<NewEntry>): Generator<string> {
  let batch: string[] = [];
  let size = 0;
  for (const { id = randomUUID(), title, ...entry } of entries) {
    const text = jsonText({ id, title: entryTitle(title), ...entry });
    if (batch.length === BATCH || (batch.length > 0 && size + text.length > BATCH_SIZE)) {
      yield `[${batch.join(",")}]`;
      batch = [];
      size = 0;
    }
    batch.push(text);
    size += text.length;
  }
  if (batch.length > 0) yield `[${batch.join(",")}]`;
}

/** A text as a title: one line, at most 255 characters as Postgres counts them. */
export function entryTitle(text: string): string {
  const line = safeText(text).replace(/\s+/gu, " ").trim();
  if (line.length <= TITLE_LENGTH) return line;
  return [...line].slice(0, TITLE_LENGTH).join("");
}

/**
 * JSON text without what Postgres refuses (NUL, lone surrogates). `JSON.stringify` writes these as
 * escapes, so most values need no second pass.
 */
export function jsonText(value: object): string {
  const text = JSON.stringify(value);
  return text.includes("\\u") ? JSON.stringify(safeJson(value)) : text;
}

/** Reads a `data` column, which another program may have written: a value of another type is absent. */
export function readData(data: unknown) {
  const object: JsonObject = isJsonObject(data) ? data : {};
  return {
    number: (key: string): number | undefined => {
      const value = object[key];
      return typeof value === "number" ? value : undefined;
    },
    text: (key: string): string | undefined => {
      const value = object[key];
      return typeof value === "string" ? value : undefined;
    },
    array: (key: string): readonly JsonValue[] => {
      const value = object[key];
      return Array.isArray(value) ? value : [];
    },
    texts: (key: string): readonly string[] => {
      const value = object[key];
      return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
    },
    has: (key: string): boolean => object[key] !== undefined,
    object: (key: string): JsonObject => {
      const value = object[key];
      return isJsonObject(value) ? value : {};
    },
  };
}

/**
 * Keeps the title, content and data of an entry as its next version, as Django does before a save, and locks
 * the entry until the change is committed: two changes at once would take the same number.
 */
export async function keepVersion(
  tx: Transaction,
  entryId: string,
  by: string,
  now: number,
): Promise<void> {
  await tx.query("SELECT id FROM entry WHERE id = $1 FOR UPDATE", [entryId]);
  await tx.query(
    `INSERT INTO entry_version (version_num, title, content, data, changed_by, "timestamp", entry_id)
     SELECT coalesce((SELECT max(version_num) FROM entry_version WHERE entry_id = entry.id), 0) + 1,
            title, content, data, $2, $3, id
     FROM entry WHERE id = $1`,
    [entryId, by.slice(0, 100), now],
  );
}

/** SQL for a number in `data`: 0 if it is missing, has another type, or is too large for a time or a counter. */
export function numberAt(key: string, object = "data"): string {
  return `CASE WHEN jsonb_typeof(${object}->'${key}') = 'number' THEN
            CASE WHEN abs((${object}->>'${key}')::numeric) < 1e15 THEN (${object}->>'${key}')::float8 ELSE 0 END
          ELSE 0 END`;
}
