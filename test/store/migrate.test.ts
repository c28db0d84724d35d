import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Database, DatabaseError } from "../../src/store/database.ts";
import { migrate, pendingMigrations } from "../../src/store/migrate.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { createPostgres, DATABASES } from "../support/databases.ts";
import { MONITOR_TABLES, REMOTE_TABLES } from "../support/django_tables.ts";
import { loginTo } from "../support/login.ts";
import { entryRow, entryRows, insertEntry, only, type RawEntry } from "../support/raw_entries.ts";
import { readSchema, withoutOurs } from "../support/schema.ts";

const ALL = readdirSync(fileURLToPath(new URL("../../migrations", import.meta.url)))
  .filter((file) => file.endsWith(".sql"))
  .sort();

const ONE_ACTIVE_EVENT = "swf_alarms_one_active_event";

/** Names from the row contract, written out: a renamed index would be made a second time by Django. */
const INDEX_NAMES = [
  "entry_archive_579b73_idx",
  "entry_context_4f8a8e_idx",
  "entry_context_id_286b045e",
  "entry_context_id_286b045e_like",
  "entry_context_name_b2414ae9_like",
  "entry_context_pkey",
  "entry_id_4b92a3f6_like",
  "entry_kind_5a2419_idx",
  "entry_parent_id_25c20073",
  "entry_parent_id_25c20073_like",
  "entry_pkey",
  "entry_status_cc9d43_idx",
  "entry_versi_entry_i_f15f8a_idx",
  "entry_version_entry_id_c7c5fdd8",
  "entry_version_entry_id_c7c5fdd8_like",
  "entry_version_pkey",
  "swf_alarms_events_of_alarm",
  "swf_alarms_mails",
  "swf_alarms_migration_pkey",
  ONE_ACTIVE_EVENT,
  "swf_alarms_open_notifications",
  "swf_alarms_unsent_clears",
  "uniq_context_name",
  "uniq_entry_version_num",
];

const BUSY = /^another process is migrating this database \(.*\); try again when it has ended$/;

describe.each(DATABASES)("migrate on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
  });
  beforeEach(() => db.script("DROP SCHEMA public CASCADE; CREATE SCHEMA public"));
  afterAll(() => db.close());

  test("an empty database gets the tables, constraints and indexes of the contract, and both contexts", async () => {
    await db.script(MONITOR_TABLES);
    const contract = await readSchema(db);
    await db.script("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    expect(await pendingMigrations(db)).toEqual(ALL);

    expect(await migrate(db)).toMatchObject({ applied: ALL, notes: [] });

    expect(withoutOurs(await readSchema(db))).toEqual(contract);
    expect(await indexNames(db)).toEqual(INDEX_NAMES);
    expect(await contextNames(db)).toEqual(["swf-alarms", "teams"]);
    expect(await db.query("SELECT * FROM entry")).toEqual([]);
    expect(await pendingMigrations(db)).toEqual([]);
  });

  test("repeated, it changes neither the shape nor what has been written since", async () => {
    await migrate(db);
    await insertEntry(db, { kind: "alarm", data: { entry_id: "alarm_x" } });
    const shape = await readSchema(db);
    const rows = await contents(db);
    const ledger = await db.query("SELECT * FROM swf_alarms_migration ORDER BY name");
    expect(await migrate(db)).toMatchObject({ applied: [], notes: [] });
    expect(await readSchema(db)).toEqual(shape);
    expect(await contents(db)).toEqual(rows);
    expect(await db.query("SELECT * FROM swf_alarms_migration ORDER BY name")).toEqual(ledger);
  });

  test("a missing unique index is detected and made again", async () => {
    await migrate(db);
    const shape = await readSchema(db);
    await db.query(`DROP INDEX ${ONE_ACTIVE_EVENT}`);
    const name = "0002_one_active_event.sql";
    expect(await pendingMigrations(db)).toEqual([name]);
    expect(await migrate(db)).toMatchObject({ applied: [name], notes: [] });
    expect(await readSchema(db)).toEqual(shape);
    expect(await pendingMigrations(db)).toEqual([]);
  });

  test("what the lost index let in is cleared when it is made again", async () => {
    await migrate(db);
    await db.query(`DROP INDEX ${ONE_ACTIVE_EVENT}`);
    const data = { entry_id: "event_a", dedupe_key: "k", clear_time: null };
    const oldest = await insertEntry(db, { kind: "event", created: 1, data });
    const twin = await insertEntry(db, { kind: "event", created: 2, data });
    const { notes } = await migrate(db);
    expect(only(notes)).toContain(`cleared event ${twin} `);
    expect((await entryRow(db, oldest)).data).toEqual(data);
  });

  test("a database that a newer engine has migrated is refused, with what to do", async () => {
    await migrate(db);
    await db.query(
      "INSERT INTO swf_alarms_migration (name, applied_at) VALUES ('0999_later.sql', 0)",
    );
    for (const attempt of [migrate, pendingMigrations]) {
      const failure: unknown = await attempt(db).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(DatabaseError);
      expect(String(failure)).toMatch(/0999_later\.sql.*update swf-alarms/);
    }
  });

  test("a database made by swf-monitor keeps its tables and indexes, gets the contexts and the one index", async () => {
    await db.script(MONITOR_TABLES);
    const before = await readSchema(db);
    expect(await contextNames(db)).toEqual([]);

    expect(await migrate(db)).toMatchObject({ applied: ALL, notes: [] });

    const after = await readSchema(db);
    expect(withoutOurs(after)).toEqual(before);
    expect(after.indexes.filter((line) => !before.indexes.includes(line))).toEqual([
      expect.stringContaining("INDEX swf_alarms_events_of_alarm ON public.entry"),
      expect.stringContaining("INDEX swf_alarms_mails ON public.entry"),
      expect.stringContaining("INDEX swf_alarms_open_notifications ON public.entry"),
      expect.stringContaining("INDEX swf_alarms_unsent_clears ON public.entry"),
      expect.stringContaining("UNIQUE INDEX swf_alarms_migration_pkey"),
      expect.stringContaining(`UNIQUE INDEX ${ONE_ACTIVE_EVENT} ON public.entry`),
    ]);
    expect(await contextNames(db)).toEqual(["swf-alarms", "teams"]);
    expect(await migrate(db)).toMatchObject({ applied: [], notes: [] });
  });

  test("a database made by swf-remote keeps its descending indexes, its contexts' words and its rows", async () => {
    await db.script(REMOTE_TABLES);
    const members = { content: "a@host.example", context: "teams" };
    await insertEntry(db, { kind: "team", name: "@prodops", ...members });
    const alarm = await insertEntry(db, { kind: "alarm", data: { entry_id: "alarm_old" } });
    await db.query(
      `INSERT INTO entry_version (version_num, title, content, data, changed_by, "timestamp", entry_id)
       VALUES (1, 't', '', NULL, 'web_ui:x', 1, $1)`,
      [alarm],
    );
    const shape = await readSchema(db);
    expect(shape.indexes.filter((line) => line.includes("DESC"))).toHaveLength(3);
    const rows = await contents(db);

    expect(await migrate(db)).toMatchObject({ applied: ALL, notes: [] });

    expect(withoutOurs(await readSchema(db))).toEqual(shape);
    expect(await contents(db)).toEqual(rows);
  });

  test("a database where one context is missing gets that one and keeps the other", async () => {
    await db.script(REMOTE_TABLES);
    await db.query("DELETE FROM entry_context WHERE name = 'teams'");
    const kept = only(await db.query("SELECT * FROM entry_context"));
    await migrate(db);
    expect(await db.query("SELECT * FROM entry_context ORDER BY name")).toEqual([
      kept,
      expect.objectContaining({ name: "teams" }),
    ]);
  });

  test("of several active events for one entity the oldest stays, the others are cleared and named", async () => {
    await db.script(REMOTE_TABLES);
    const event = (created: number, data: unknown, rest: Partial<RawEntry> = {}) =>
      insertEntry(db, { kind: "event", created, data, ...rest });
    const key = (text: string) => ({ entry_id: "event_a", dedupe_key: text, clear_time: null });
    const twin = key("task:1");

    // Put in out of order: age, not the order of insertion, decides.
    const second = await event(2_000, { ...twin, last_notified: 5, site: "BNL" });
    const oldest = await event(1_000, twin);
    // Python's "no clear_time" comes in two forms.
    const third = await event(3_000, { entry_id: "event_a", dedupe_key: "task:1" });
    // Made in the same second: which one stays is no accident.
    const tied = "0".repeat(36);
    const tiedToo = "1".repeat(36);
    await event(1_000, key("tie"), { id: tiedToo });
    await event(1_000, key("tie"), { id: tied });
    // Longer than an index entry can be even when compressed, and alike up to the last character.
    const noise = randomBytes(3_750).toString("base64");
    const long = await event(1_000, key(`${noise}1`));
    const longOther = await event(2_000, key(`${noise}2`));
    const longTwin = await event(3_000, key(`${noise}1`));

    const stays = [
      ...[oldest, tied, long, longOther],
      // None of these is a second active event of an entity.
      await event(500, { ...twin, clear_time: 600 }),
      await event(500, twin, { archived: true }),
      await event(500, twin, { deletedAt: 700 }),
      await event(500, twin, { context: "teams" }),
      await event(500, twin, { context: null }),
      await event(500, { ...twin, entry_id: "event_b" }),
      await event(500, key("task:2")),
      await event(500, twin, { kind: "ping" }),
      await event(500, { entry_id: "event_a", clear_time: null }),
      await event(501, { entry_id: "event_a", clear_time: null }),
      await event(502, { entry_id: "event_a", dedupe_key: null, clear_time: null }),
      await event(500, { dedupe_key: "task:1", clear_time: null }),
      await event(501, { dedupe_key: "task:1", clear_time: null }),
      await event(500, null),
      await event(501, null),
      await event(500, []),
      await event(500, "text"),
      await event(501, "text"),
    ];
    const staysBefore = await entryRows(db, stays);
    const secondBefore = await entryRow(db, second);

    const { notes } = await migrate(db);

    const cleared: readonly (readonly [string, string])[] = [
      [second, oldest],
      [third, oldest],
      [tiedToo, tied],
      [longTwin, long],
    ];
    for (const [id, kept] of cleared) {
      expect((await entryRow(db, id)).data).toMatchObject({
        clear_time: expect.any(Number),
        clear_reason: `duplicate of ${kept}`,
      });
      const note = only(notes.filter((text) => text.startsWith(`cleared event ${id} `)));
      expect(note).toContain("event_a");
      expect(note).toContain(kept);
    }
    expect(notes).toHaveLength(cleared.length);
    expect(await entryRows(db, stays)).toEqual(staysBefore);

    // All that changed on a cleared one: when and why it ended, and when the row changed.
    const row = await entryRow(db, second);
    const ended = { clear_time: row.timestamp_modified, clear_reason: `duplicate of ${oldest}` };
    expect(row).toEqual({
      ...secondBefore,
      timestamp_modified: expect.any(Number),
      data: { ...Object(secondBefore.data), ...ended },
    });
    expect(Number(row.timestamp_modified)).toBeGreaterThan(Date.now() / 1000 - 3600);

    expect(await migrate(db)).toMatchObject({ applied: [], notes: [] });
  });

  test("a migration that fails is named and changes nothing", async () => {
    await db.script(MONITOR_TABLES);
    await db.query("ALTER TABLE entry DROP COLUMN archived");
    const failure: unknown = await migrate(db).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DatabaseError);
    expect(String(failure)).toMatch(/0002_one_active_event\.sql.*archived.*run migrate/);
    expect(await pendingMigrations(db)).toEqual(ALL.slice(1));
    expect(await indexNames(db)).not.toContain(ONE_ACTIVE_EVENT);

    await db.query("ALTER TABLE entry ADD COLUMN archived boolean NOT NULL");
    expect(await migrate(db)).toMatchObject({ applied: ALL.slice(1), notes: [] });
  });

  test("a migration that cannot be entered in the ledger is not kept either", async () => {
    await db.script(`
      CREATE TABLE swf_alarms_migration (
        name text NOT NULL PRIMARY KEY CHECK (name NOT LIKE '0002%'),
        applied_at double precision NOT NULL)`);
    await expect(migrate(db)).rejects.toThrow(DatabaseError);
    expect(await pendingMigrations(db)).toEqual(ALL.slice(1));
    expect(await indexNames(db)).not.toContain(ONE_ACTIVE_EVENT);
  });
});

describe("migrate on a shared Postgres", () => {
  test("of several that start at once each ends well or says that another is at work, and the result is whole", async () => {
    const dsn = await createPostgres();
    const several = await Promise.all([1, 2, 3, 4].map(() => openPostgres(loginTo(dsn))));
    try {
      const applied: string[] = [];
      for (const result of await Promise.allSettled(several.map((db) => migrate(db)))) {
        if (result.status === "fulfilled") applied.push(...result.value.applied);
        else expect(result.reason).toMatchObject({ message: expect.stringMatching(BUSY) });
      }
      expect(applied.sort()).toEqual(ALL);
      expect(await contextNames(only(several.slice(0, 1)))).toEqual(["swf-alarms", "teams"]);
    } finally {
      await Promise.all(several.map((db) => db.close()));
    }
  });

  test("one that starts while another is at work says so and touches nothing", async () => {
    const dsn = await createPostgres();
    const first = await openPostgres(loginTo(dsn));
    const second = await openPostgres(loginTo(dsn));
    try {
      expect(await first.tryLock("swf-alarms migrate")).toMatchObject({ held: true });
      await expect(migrate(second)).rejects.toThrow(BUSY);
      expect((await readSchema(second)).columns).toEqual([]);
    } finally {
      // Closing gives the lock up.
      await first.close();
      await second.close();
    }
  });

  const ROWS = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ROLE";
  const TABLES = "GRANT ALL ON SCHEMA public TO ROLE";
  const roles: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ["a role that may only read and write rows", [ROWS], ALL],
    ["a role that may make tables but owns none of Django's", [ROWS, TABLES], ALL.slice(1)],
  ];
  test.each(roles)("%s gets advice; nothing is half made", async (_who, rights, pending) => {
    const dsn = await createPostgres();
    const owner = await openPostgres(loginTo(dsn));
    try {
      await owner.script(REMOTE_TABLES);
      const data = { entry_id: "event_a", dedupe_key: "k", clear_time: null };
      for (const created of [1, 2]) await insertEntry(owner, { kind: "event", created, data });
      const name = `r_${dsn.slice(-12)}`;
      await owner.query(`CREATE ROLE ${name} LOGIN PASSWORD 'pw'`);
      for (const right of rights) await owner.query(right.replace("ROLE", name));
      const shape = await readSchema(owner);
      const rows = await contents(owner);

      const address = new URL(dsn);
      address.username = name;
      address.password = "pw";
      const limited = await openPostgres(loginTo(address.href));
      const failure: unknown = await migrate(limited).catch((error: unknown) => error);
      await limited.close();

      expect(failure).toBeInstanceOf(DatabaseError);
      expect(String(failure)).toMatch(/(permission denied|must be owner).*as the owner/);
      expect(withoutOurs(await readSchema(owner))).toEqual(shape);
      expect(await indexNames(owner)).not.toContain(ONE_ACTIVE_EVENT);
      expect(await contents(owner)).toEqual(rows);
      expect(await pendingMigrations(owner)).toEqual(pending);
    } finally {
      await owner.close();
    }
  });
});

async function contents(db: Database) {
  const read = (table: string, key: string) => db.query(`SELECT * FROM ${table} ORDER BY ${key}`);
  return [
    await read("entry_context", "name"),
    await read("entry", "id"),
    await read("entry_version", "id"),
  ];
}

async function contextNames(db: Database): Promise<string[]> {
  const rows = await db.query("SELECT name FROM entry_context ORDER BY name");
  return rows.map((row) => String(row.name));
}

async function indexNames(db: Database): Promise<string[]> {
  const rows = await db.query("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'");
  return rows.map((row) => String(row.indexname)).sort();
}
