import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type Database, DatabaseError } from "../../../src/store/database.ts";
import { openPostgres } from "../../../src/store/postgres/connect.ts";
import { LIMITS, type Limits } from "../../../src/store/postgres/session.ts";
import { createPostgres } from "../../support/databases.ts";
import { loginTo } from "../../support/login.ts";
import { proxyDsn } from "../../support/tcp_proxy.ts";

/** A table whose every new row asks a function, which the test writes, whether it may come in. */
async function judgedTable(db: Database, body: string): Promise<void> {
  await db.script(`
    DROP TABLE IF EXISTS judged; CREATE TABLE judged (n int);
    DROP SEQUENCE IF EXISTS tries; CREATE SEQUENCE tries;
    CREATE OR REPLACE FUNCTION judge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} RETURN NEW; END $$;
    CREATE TRIGGER judge BEFORE INSERT ON judged FOR EACH ROW EXECUTE FUNCTION judge();`);
}

/** A sequence counts on where a transaction is rolled back. */
async function tries(db: Database): Promise<number> {
  const [row] = await db.query("SELECT last_value::int AS tries FROM tries");
  return Number(row?.tries);
}

describe("conflicting transactions", () => {
  let db: Database;
  beforeAll(async () => {
    db = await openPostgres(loginTo(await createPostgres()));
  });
  afterAll(() => db.close());
  const conflict = (code: string, count: number) =>
    judgedTable(
      db,
      `IF nextval('tries') <= ${count} THEN RAISE EXCEPTION 'conflict' USING ERRCODE = '${code}'; END IF;`,
    );

  test.each(["40001", "40P01"])(
    "a transaction that fails with %s is repeated, whole and once",
    async (code) => {
      await conflict(code, 3);
      let works = 0;
      const result = await db.transaction(async (tx) => {
        works += 1;
        await tx.query("CREATE TABLE made_on_the_way (n int)");
        await tx.query("INSERT INTO judged VALUES (1)");
        await tx.query("DROP TABLE made_on_the_way");
        return works;
      });
      expect(result).toBe(4);
      expect(await db.query("SELECT n FROM judged")).toEqual([{ n: 1 }]);
    },
  );

  test("so is a single statement", async () => {
    await conflict("40001", 2);
    await db.query("INSERT INTO judged VALUES (1)");
    expect(await db.query("SELECT n FROM judged")).toEqual([{ n: 1 }]);
    expect(await tries(db)).toBe(3);
  });

  test("after the fourth time it is an error, and nothing is kept", async () => {
    await conflict("40001", 1_000);
    const lost = db.transaction((tx) => tx.query("INSERT INTO judged VALUES (1)"));
    await expect(lost).rejects.toThrow(
      "conflict; other transactions conflicted with this one four times",
    );
    expect(await tries(db)).toBe(4);
    expect(await db.query("SELECT n FROM judged")).toEqual([]);
  });

  test("other errors are not repeated", async () => {
    await judgedTable(
      db,
      "PERFORM nextval('tries'); RAISE EXCEPTION 'no room' USING ERRCODE = '53100';",
    );
    const lost = db.transaction((tx) => tx.query("INSERT INTO judged VALUES (1)"));
    await expect(lost).rejects.toThrow("no room; the server's disk is full: free space there");
    expect(await tries(db)).toBe(1);
  });
});

describe("limits on Postgres", () => {
  let dsn: string;
  let db: Database;
  const limited = async (limits: Partial<Limits>): Promise<Database> => {
    const opened = await openPostgres(loginTo(dsn), { ...LIMITS, ...limits });
    onTestFinished(() => opened.close());
    return opened;
  };
  beforeAll(async () => {
    dsn = await createPostgres();
    db = await openPostgres(loginTo(dsn));
  });
  beforeEach(() => judgedTable(db, "PERFORM pg_sleep(NEW.n);"));
  afterAll(() => db.close());

  test("a statement that takes too long is ended, and the next one works", async () => {
    const hasty = await limited({ statement: 200 });
    await expect(hasty.query("INSERT INTO judged VALUES (600)")).rejects.toThrow(
      "canceling statement due to statement timeout; the statement took too long",
    );
    expect(await hasty.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  test("rows that another session holds are not waited for without end", async () => {
    await db.script("DROP TRIGGER judge ON judged; INSERT INTO judged VALUES (1)");
    const hasty = await limited({ wait: 200 });
    await db.transaction(async (tx) => {
      await tx.query("UPDATE judged SET n = 2");
      const waiting = hasty.transaction((other) => other.query("UPDATE judged SET n = 3"));
      await expect(waiting).rejects.toThrow(
        "canceling statement due to lock timeout; another session locks these rows",
      );
    });
    expect(await hasty.query("SELECT n FROM judged")).toEqual([{ n: 2 }]);
  });

  test("a migration may take longer than a statement, and afterwards the limits hold again", async () => {
    const hasty = await limited({ statement: 300, responseTimeout: 400 });
    const [row] = await hasty.script("SELECT pg_sleep(1); SELECT 'done' AS word");
    expect(row).toBeDefined();
    await expect(hasty.query("SELECT pg_sleep(600)")).rejects.toThrow("statement timeout");
    await expect(hasty.script("SELECT nonsense")).rejects.toThrow("nonsense");
    await expect(hasty.query("SELECT pg_sleep(600)")).rejects.toThrow("statement timeout");
  });

  test("a read-only database is reported, with what to do", async () => {
    const name = new URL(dsn).pathname.slice(1);
    await db.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    onTestFinished(async () => {
      await db.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
    });
    const reader = await limited({});
    await expect(reader.query("INSERT INTO judged VALUES (0)")).rejects.toThrow(
      "cannot execute INSERT in a read-only transaction; the database is read-only: point [db] at the primary",
    );
  });
});

describe("a network that fails", () => {
  let direct: string;
  beforeAll(async () => {
    direct = await createPostgres();
    const db = await openPostgres(loginTo(direct));
    await db.query("CREATE TABLE t (n int)");
    await db.close();
  });

  async function throughProxy(limits: Partial<Limits> = {}) {
    const { proxy, dsn } = await proxyDsn(direct);
    const db = await openPostgres(loginTo(dsn), { ...LIMITS, ...limits });
    onTestFinished(async () => {
      await db.close();
      await proxy.close();
    });
    return { proxy, db };
  }

  test("a server that does not respond is given up, and the next statement has a new session", async () => {
    const { proxy, db } = await throughProxy({ responseTimeout: 300 });
    const [before] = await db.query("SELECT pg_backend_pid() AS pid");
    proxy.freeze();
    const lost: unknown = await db
      .transaction((tx) => tx.query("INSERT INTO t VALUES (1)"))
      .catch((error: unknown) => error);
    expect(lost).toBeInstanceOf(DatabaseError);
    expect(String(lost)).toContain("no response from the database in time");
    proxy.thaw();
    const [after] = await db.query("SELECT pg_backend_pid() AS pid");
    expect(after?.pid).not.toBe(before?.pid);
    expect(await db.query("SELECT n FROM t")).toEqual([]);
  });

  test("a transaction whose connection breaks is lost whole, and the next statement has a new session", async () => {
    const { proxy, db } = await throughProxy();
    const lost = db.transaction(async (tx) => {
      await tx.query("INSERT INTO t VALUES (1)");
      await proxy.shut();
      await tx.query("INSERT INTO t VALUES (2)");
    });
    await expect(lost).rejects.toThrow(/connection to the database was lost: .*next tick tries/);
    await proxy.reopen();
    expect(await db.query("SELECT n FROM t")).toEqual([]);
  });

  test("one attempt is made to connect again, and its error stays", async () => {
    const { proxy, db } = await throughProxy();
    await proxy.shut();
    await expect(db.query("SELECT 1")).rejects.toThrow(DatabaseError);
    await expect(db.query("SELECT 1")).rejects.toThrow("cannot connect to Postgres");
    await proxy.reopen();
    await expect(db.query("SELECT 1")).rejects.toThrow("cannot connect to Postgres");
  });

  test("closing does not wait for the server", async () => {
    const { proxy, db } = await throughProxy();
    expect(await db.tryLock("held")).toMatchObject({ held: true });
    proxy.freeze();
    await db.close();
  });
});
