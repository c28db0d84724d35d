import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "../../src/store/database.ts";
import {
  entryTitle,
  insertEntries,
  jsonText,
  keepVersion,
  readData,
} from "../../src/store/entry.ts";
import { migrate } from "../../src/store/migrate.ts";
import { CountingDatabase } from "../support/counting_database.ts";
import { DATABASES } from "../support/databases.ts";
import { entryRow, insertEntry, only } from "../support/raw_entries.ts";

describe("entryTitle", () => {
  test.each([
    ["a short text stays", "40.0% of 10 failed", "40.0% of 10 failed"],
    ["255 characters stay", "x".repeat(255), "x".repeat(255)],
    ["the 256th character goes", `${"x".repeat(255)}y`, "x".repeat(255)],
    ["emoji count as one character, as in Postgres", "😀".repeat(255), "😀".repeat(255)],
    ["an emoji is not cut in half", `${"x".repeat(254)}😀😀`, `${"x".repeat(254)}😀`],
    ["line breaks and tabs become spaces", " a\r\nb\tc\n", "a b c"],
    ["what Postgres refuses is replaced", "a\0b\ud800c", "a\uFFFDb\uFFFDc"],
    ["an empty text stays empty", "", ""],
  ])("%s", (_sentence, text, title) => {
    expect(entryTitle(text)).toBe(title);
  });
});

describe("jsonText", () => {
  test.each([
    ["plain values go as they are", { a: [1, "x", null, true] }, '{"a":[1,"x",null,true]}'],
    ["NUL and lone surrogates are replaced", { "k\0": "v\ud800" }, '{"k\uFFFD":"v\uFFFD"}'],
    ["keys without a value are left out", { a: undefined, b: 1 }, '{"b":1}'],
  ])("%s", (_sentence, value, json) => {
    expect(jsonText(value)).toBe(json);
  });
});

test("keys of a data column are read by their type", () => {
  const data = readData({ n: 1, t: "x", o: { a: 1 }, nothing: null });
  expect([data.number("n"), data.number("t"), data.number("none")]).toEqual([
    1,
    undefined,
    undefined,
  ]);
  expect([data.text("t"), data.text("n")]).toEqual(["x", undefined]);
  expect([data.object("o"), data.object("t")]).toEqual([{ a: 1 }, {}]);
  expect([data.has("nothing"), data.has("none")]).toEqual([true, false]);
  for (const other of [undefined, null, "x", [1]])
    expect(readData(other).number("0")).toBeUndefined();
});

describe.each(DATABASES)("insertEntries on $kind", ({ open }) => {
  let db: CountingDatabase;
  beforeAll(async () => {
    db = new CountingDatabase(await open());
    await migrate(db);
  });
  afterAll(() => db.close());

  test("writes every column of the row", async () => {
    const entry = {
      title: "a\nb",
      content: "c\0",
      name: "n",
      data: { entry_id: "x", list: [1, null] },
    };
    const [id = ""] = await db.transaction((tx) =>
      insertEntries(tx, { kind: "k", status: "done", at: 5.25, context: "teams" }, [entry]),
    );
    expect(await entryRow(db, id)).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      title: "a b",
      content: "c\uFFFD",
      kind: "k",
      name: "n",
      data: entry.data,
      priority: null,
      status: "done",
      archived: false,
      timestamp_created: 5.25,
      timestamp_modified: 5.25,
      deleted_at: null,
      parent_id: null,
      context_id: "teams",
    });
  });

  test("what is left out has a default, and an entry may have its own id", async () => {
    const ids = await db.transaction((tx) =>
      insertEntries(tx, { kind: "k", status: "active", at: 1 }, [
        { title: "t", data: {} },
        { id: "own", title: "t", data: {} },
      ]),
    );
    expect(ids.size).toBe(2);
    expect(await entryRow(db, "own")).toMatchObject({
      content: "",
      name: null,
      timestamp_created: 1,
      context_id: "swf-alarms",
    });
  });

  test("many are one statement, large ones several, none is none", async () => {
    const statements = async (texts: readonly string[]): Promise<number> => {
      db.take();
      const entries = texts.map((content) => ({ title: "t", content, data: {} }));
      const ids = await db.transaction((tx) =>
        insertEntries(tx, { kind: "k", status: "done", at: 1 }, entries),
      );
      expect(ids.size).toBe(texts.length);
      return db.take().filter(({ sql }) => sql.includes("entry")).length;
    };
    expect(await statements(Array.from({ length: 1000 }, () => "x"))).toBe(1);
    const large = "x".repeat(9 * 2 ** 20);
    expect(await statements([large, large, "x"])).toBe(2);
    expect(await statements([])).toBe(0);
  });
});

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
    await db.transaction((tx) => keepVersion(tx, id, "cli:me", 5.5));
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
    await db.transaction((tx) => keepVersion(tx, id, "cli:me", 5));
    await db.transaction((tx) => keepVersion(tx, id, "cli:me", 6));
    await db.transaction((tx) => keepVersion(tx, other, "cli:me", 7));
    expect((await versions(id)).map((row) => row.version_num)).toEqual([38, 39, 40]);
    expect((await versions(other)).map((row) => row.version_num)).toEqual([1]);
  });

  test("a row without data is kept without", async () => {
    const id = await insertEntry(db, { kind: "alarm", data: null });
    await db.transaction((tx) => keepVersion(tx, id, "cli:me", 5));
    expect(only(await versions(id))).toMatchObject({ data: null });
  });

  test("a name too long for its column is cut", async () => {
    const id = await insertEntry(db, { kind: "alarm" });
    await db.transaction((tx) => keepVersion(tx, id, "x".repeat(300), 5));
    expect(only(await versions(id))).toMatchObject({ changed_by: "x".repeat(100) });
  });

  test("an unknown entry has no version to keep", async () => {
    await db.transaction((tx) => keepVersion(tx, "nowhere", "cli:me", 5));
    expect(await versions("nowhere")).toEqual([]);
  });
});
