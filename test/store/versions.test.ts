import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { keepVersion } from "../../src/store/versions.ts";
import { DATABASES } from "../support/databases.ts";
import { insertEntry, only } from "../support/raw_entries.ts";

describe.each(DATABASES)("keepVersion on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  afterAll(() => db.close());

  const versions = (id: string) =>
    db.query(
      `SELECT version_num, title, content, data, changed_by, "timestamp" FROM entry_version
       WHERE entry_id = $1 ORDER BY version_num`,
      [id],
    );

  test("keeps title, content and data as they are now", async () => {
    const data = { entry_id: "alarm_x", text: `'"\\😀`, nothing: null };
    const id = await insertEntry(db, { kind: "alarm", title: "T", content: "C", data });
    await keepVersion(db, id, "cli:me", 5.5);
    expect(await versions(id)).toEqual([
      { version_num: 1, title: "T", content: "C", data, changed_by: "cli:me", timestamp: 5.5 },
    ]);
  });

  test("goes on from what Django counted, each entry for itself", async () => {
    const [id, other] = [
      await insertEntry(db, { kind: "alarm" }),
      await insertEntry(db, { kind: "alarm" }),
    ];
    await db.query(
      `INSERT INTO entry_version (version_num, title, content, data, changed_by, "timestamp", entry_id)
       VALUES (38, 't', '', NULL, 'autosave:x', 1, $1)`,
      [id],
    );
    await keepVersion(db, id, "cli:me", 5);
    await keepVersion(db, id, "cli:me", 6);
    await keepVersion(db, other, "cli:me", 7);
    expect((await versions(id)).map((row) => row.version_num)).toEqual([38, 39, 40]);
    expect((await versions(other)).map((row) => row.version_num)).toEqual([1]);
  });

  test("a row without data is kept without", async () => {
    const id = await insertEntry(db, { kind: "alarm", data: null });
    await keepVersion(db, id, "cli:me", 5);
    expect(only(await versions(id))).toMatchObject({ data: null });
  });

  test("a name too long for its column is cut", async () => {
    const id = await insertEntry(db, { kind: "alarm" });
    await keepVersion(db, id, "x".repeat(300), 5);
    expect(only(await versions(id))).toMatchObject({ changed_by: "x".repeat(100) });
  });

  test("an unknown entry has no version to keep", async () => {
    await keepVersion(db, "nowhere", "cli:me", 5);
    expect(await versions("nowhere")).toEqual([]);
  });
});
