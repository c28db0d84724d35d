import * as v from "valibot";
import type { Queryable } from "../../src/store/database.ts";
import { insertEntry, only, type RawEntry } from "./raw_entries.ts";

export { insertEntry, only };

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
export async function readEntries(db: Queryable, kind: string): Promise<readonly Entry[]> {
  const rows = await db.query(
    "SELECT * FROM entry WHERE kind = $1 ORDER BY timestamp_created, id",
    [kind],
  );
  return rows.map((row) => v.parse(EntryRow, row));
}

const OF_ENGINE = /^(alarm|event|notification_alarm)_engine$/;

/** Without the rows of the alarm `engine`, which the first tick makes. */
export function withoutEngine(rows: readonly Entry[]): readonly Entry[] {
  return rows.filter(({ data }) => !OF_ENGINE.test(String(data.entry_id)));
}

/** What the engine keeps about alarms and sources. */
export async function readStateRows(db: Queryable): Promise<readonly Entry[]> {
  const rows = await readEntries(db, "engine_state");
  return rows.filter(({ name }) => /^state:(quarantine|source):/.test(name ?? ""));
}

/** The events of one alarm, oldest first. */
export async function eventsOf(db: Queryable, alarm: string): Promise<readonly Entry[]> {
  const events = await readEntries(db, "event");
  return events.filter(({ data }) => data.entry_id === `event_${alarm}`);
}

/** The row of an alarm that mails ops@example.org; `data` goes over the usual keys. */
export async function insertAlarm(
  db: Queryable,
  name: string,
  data: { readonly [key: string]: unknown } = {},
  entry: Partial<RawEntry> = {},
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

/** Changes keys of an alarm's row. */
export async function changeAlarm(db: Queryable, name: string, data: object): Promise<void> {
  await db.query(
    `UPDATE entry SET data = data || $2::text::jsonb WHERE kind = 'alarm' AND data->>'entry_id' = $1`,
    [`alarm_${name}`, JSON.stringify(data)],
  );
}

/** Every row of every table of the database, with the marks that Postgres leaves on each write. */
export async function dump(db: Queryable): Promise<string> {
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
