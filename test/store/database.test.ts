import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Database } from "../../src/store/database.ts";
import { DATABASES } from "../support/databases.ts";

/** What the rest of the engine takes for granted, whichever Postgres is behind it. */
describe.each(DATABASES)("the database interface on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
  });
  beforeEach(() => db.script("DROP TABLE IF EXISTS t; CREATE TABLE t (n int UNIQUE)"));
  afterAll(() => db.close());

  const numbers = async () => (await db.query("SELECT n FROM t ORDER BY n")).map(({ n }) => n);

  test("parameters and columns come as the same JavaScript values from both", async () => {
    const rows = await db.query(
      `SELECT $1::text AS text, $2::float8 AS float, $3::int AS int, $4::boolean AS bool,
              $5::text AS nothing, $6::text[] AS list, $7::text::jsonb AS json,
              count(*)::int AS count, 0.1::float8 + 0.2::float8 AS sum`,
      [`'"\\😀`, 1_790_000_000.123456, 7, true, null, ["a", `b'"\\,{}`], '{"a":[1,null]}'],
    );
    expect(rows).toEqual([
      {
        text: `'"\\😀`,
        float: 1_790_000_000.123456,
        int: 7,
        bool: true,
        nothing: null,
        list: ["a", `b'"\\,{}`],
        json: { a: [1, null] },
        count: 1,
        sum: 0.1 + 0.2,
      },
    ]);
  });

  test("a query that fails rejects and the next one works", async () => {
    await expect(db.query("SELECT nonsense")).rejects.toThrow("nonsense");
    expect(await db.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  describe("transaction", () => {
    test("commits what the work wrote, and gives its result", async () => {
      const result = await db.transaction(async (tx) => {
        await tx.query("INSERT INTO t VALUES ($1)", [1]);
        await tx.query("INSERT INTO t VALUES ($1)", [2]);
        return "done";
      });
      expect(result).toBe("done");
      expect(await numbers()).toEqual([1, 2]);
    });

    test("keeps what it wrote also where nobody waits for the disk", async () => {
      await db.transaction((tx) => tx.query("INSERT INTO t VALUES (1)"), { flush: false });
      expect(await numbers()).toEqual([1]);
    });

    test("keeps nothing when the work throws, and rejects with that very error", async () => {
      const error = new Error("halfway");
      const lost = db.transaction(async (tx) => {
        await tx.query("INSERT INTO t VALUES (1)");
        throw error;
      });
      await expect(lost).rejects.toBe(error);
      expect(await numbers()).toEqual([]);
    });

    test("keeps nothing when a statement fails", async () => {
      const lost = db.transaction(async (tx) => {
        await tx.query("INSERT INTO t VALUES (1)");
        await tx.query("INSERT INTO t VALUES (1)");
      });
      await expect(lost).rejects.toThrow("t_n_key");
      expect(await numbers()).toEqual([]);
    });

    test("a deferred check that fails at the commit rejects", async () => {
      await db.script(
        "ALTER TABLE t ADD COLUMN r int REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED",
      );
      const lost = db.transaction((tx) => tx.query("INSERT INTO t VALUES (1, 99)"));
      await expect(lost).rejects.toThrow("t_r_fkey");
      expect(await numbers()).toEqual([]);
    });

    test("goes on to serve after fifty that failed", async () => {
      for (let count = 0; count < 50; count++)
        await db.transaction((tx) => tx.query("SELECT nonsense")).catch(() => {});
      await db.transaction((tx) => tx.query("INSERT INTO t VALUES (1)"));
      expect(await numbers()).toEqual([1]);
    });
  });

  describe("script", () => {
    test("runs several statements and gives the rows of all of them", async () => {
      const rows = await db.script(
        "INSERT INTO t VALUES (1), (2) RETURNING n; CREATE TABLE IF NOT EXISTS t (n int); SELECT 'x' AS note;",
      );
      expect(rows).toEqual([{ n: 1 }, { n: 2 }, { note: "x" }]);
    });

    test("a single statement gives its rows too", async () => {
      expect(await db.script("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    });

    test("keeps nothing of it when one statement fails", async () => {
      await expect(
        db.script("INSERT INTO t VALUES (1); ALTER TABLE t ADD COLUMN x int; SELECT nonsense"),
      ).rejects.toThrow("nonsense");
      expect(await db.query("SELECT * FROM t")).toEqual([]);
      await expect(db.query("SELECT x FROM t")).rejects.toThrow();
    });
  });

  test("a lock can be taken, given back and taken again; names do not get in each other's way", async () => {
    for (let round = 0; round < 3; round++) {
      for (const name of ["tick", `'; -- "\\`]) {
        const attempt = await db.tryLock(name, 1);
        expect(attempt).toMatchObject({ held: true, ended: undefined });
        if (!attempt.held) continue;
        expect(attempt.lock.lost.aborted).toBe(false);
        await attempt.lock.release();
      }
    }
  });
});
