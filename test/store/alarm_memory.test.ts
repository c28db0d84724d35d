import { describe, expect, test } from "vitest";
import { readMemory, readPositions, saveMemory } from "../../src/store/alarm_memory.ts";
import type { Database } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { DATABASES } from "../support/databases.ts";
import { insertEntry, only, readEntries } from "../support/rows.ts";

const ALARM = { id: "5f0c2a36-0000-4000-8000-000000000001", name: "rates" };

describe.each(DATABASES)("what an alarm remembers, on $kind", ({ open }) => {
  async function withMemory(work: (db: Database) => Promise<void>): Promise<void> {
    const db = await open();
    try {
      await migrate(db);
      await work(db);
    } finally {
      await db.close();
    }
  }
  const save = (db: Database, at: number, text: string, alarm = ALARM) =>
    db.transaction((tx) => saveMemory(tx, alarm, { at, text }));

  test("is one row, which is replaced", async () => {
    await withMemory(async (db) => {
      expect(await readMemory(db, ALARM)).toBeUndefined();
      await save(db, 100, '{"n":1}');
      const first = only(await readEntries(db, "alarm_memory"));
      expect(first).toMatchObject({
        name: `memory:${ALARM.id}`,
        title: "Memory of rates",
        status: "active",
        context_id: "swf-alarms",
        data: { entry_id: "memory_rates", alarm: "rates", at: 100, value: '{"n":1}' },
        timestamp_created: 100,
      });
      await save(db, 400, "null", { ...ALARM, name: "renamed" });
      expect(await readMemory(db, ALARM)).toEqual({ at: 400, text: "null" });
      expect(only(await readEntries(db, "alarm_memory"))).toMatchObject({
        id: first.id,
        data: { alarm: "renamed", at: 400, value: "null" },
        timestamp_modified: 400,
      });
      expect(await readMemory(db, { id: "another" })).toBeUndefined();
    });
  });

  test("two writers at once make one row", async () => {
    await withMemory(async (db) => {
      await Promise.all([1, 2, 3, 4].map((at) => save(db, at, String(at))));
      const { at, text } = (await readMemory(db, ALARM)) ?? { at: 0, text: "" };
      expect(text).toBe(String(at));
      only(await readEntries(db, "alarm_memory"));
    });
  });

  test("comes back as it was, whatever is in it", async () => {
    await withMemory(async (db) => {
      const value = {
        "": "\0\ud800 and \udc00",
        ["__proto__"]: [1e300, -0.1, 9007199254740991, null, true],
        text: "\\u0000 \" ' $1 漢😀\u2028",
        deep: JSON.parse("[".repeat(90) + "]".repeat(90)),
        long: "x".repeat(250_000),
      };
      await save(db, 1.5, JSON.stringify(value));
      const found = await readMemory(db, ALARM);
      expect(found?.at).toBe(1.5);
      expect(found?.text).toBe(JSON.stringify(value));
    });
  });

  test("is forgotten when a person archives or deletes its row, and begins anew", async () => {
    await withMemory(async (db) => {
      for (const change of ["archived = true", "deleted_at = 5"]) {
        await save(db, 1, "1");
        await db.query(`UPDATE entry SET ${change} WHERE kind = 'alarm_memory'`);
        expect(await readMemory(db, ALARM)).toBeUndefined();
        await save(db, 2, "2");
        expect(await readMemory(db, ALARM)).toEqual({ at: 2, text: "2" });
      }
      only(await readEntries(db, "alarm_memory"));
    });
  });

  test("has positions in spools, each of which is replaced alone", async () => {
    await withMemory(async (db) => {
      const at = (now: number, text: string | undefined, positions: object) =>
        db.transaction((tx) =>
          saveMemory(tx, ALARM, { at: now, text, positions: new Map(Object.entries(positions)) }),
        );
      const odd = JSON.stringify(["\0\ud800"]);
      expect(await readPositions(db, ALARM)).toEqual({});
      await at(100, undefined, { a: "1" });
      expect(await readMemory(db, ALARM)).toBeUndefined();
      await at(200, '"x"', { b: odd });
      await at(300, undefined, { a: "2" });
      expect(await readMemory(db, ALARM)).toEqual({ at: 200, text: '"x"' });
      expect(await readPositions(db, ALARM)).toEqual({ a: "2", b: odd });
      await save(db, 400, '"y"');
      expect(await readPositions(db, ALARM)).toMatchObject({ a: "2" });
      only(await readEntries(db, "alarm_memory"));
    });
  });

  test("forgets positions too when a person archives or deletes its row", async () => {
    await withMemory(async (db) => {
      for (const change of ["archived = true", "deleted_at = 5"]) {
        await save(db, 1, "1");
        await db.transaction((tx) =>
          saveMemory(tx, ALARM, { at: 2, text: undefined, positions: new Map([["a", "1"]]) }),
        );
        await db.query(`UPDATE entry SET ${change} WHERE kind = 'alarm_memory'`);
        expect(await readPositions(db, ALARM)).toEqual({});
        await db.transaction((tx) =>
          saveMemory(tx, ALARM, { at: 3, text: undefined, positions: new Map([["b", "2"]]) }),
        );
        expect(await readMemory(db, ALARM)).toBeUndefined();
        expect(await readPositions(db, ALARM)).toEqual({ b: "2" });
      }
    });
  });

  test.each([
    ["null", null],
    ["a text", "x"],
    ["no time", { value: "1" }],
    ["a time of another type", { at: "1", value: "1" }],
    ["a value that is not a text", { at: 1, value: { n: 1 } }],
  ])("is none if another program wrote %s", async (_, data) => {
    await withMemory(async (db) => {
      await insertEntry(db, { kind: "alarm_memory", name: `memory:${ALARM.id}`, data });
      expect(await readMemory(db, ALARM)).toBeUndefined();
      expect(await readPositions(db, ALARM)).toEqual({});
      await save(db, 5, "5");
      expect(await readMemory(db, ALARM)).toEqual({ at: 5, text: "5" });
    });
  });
});
