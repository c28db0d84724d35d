import { randomUUID } from "node:crypto";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Database } from "../../../src/store/database.ts";
import { openPostgres } from "../../../src/store/postgres/connect.ts";
import { asAdmin, createPostgres } from "../../support/databases.ts";
import { loginTo } from "../../support/login.ts";

async function open(dsn: string, schema?: string): Promise<Database> {
  const db = await openPostgres({ ...loginTo(dsn), schema });
  onTestFinished(() => db.close());
  return db;
}

describe("a database that cannot hold every text is refused, with what to do", () => {
  test.each([
    ["LATIN1", "ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'"],
    ["SQL_ASCII", "ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'"],
    ["EUC_JP", "ENCODING 'EUC_JP' TEMPLATE template0 LOCALE 'C'"],
  ])("%s", async (encoding, options) => {
    const dsn = await createPostgres(options);
    await expect(openPostgres(loginTo(`${dsn}?sslmode=prefer`))).rejects.toThrow(
      new RegExp(
        `^the database \\w+ has the encoding ${encoding}, .*needs UTF8.*CREATE DATABASE name ENCODING 'UTF8' .*pg_dump`,
      ),
    );
  });

  test("the way out works: a new database, and a dump in UTF8", async () => {
    const dsn = await createPostgres("ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0");
    const db = await open(dsn);
    await db.query("CREATE TABLE t (x text)");
    await db.query("INSERT INTO t VALUES ($1)", ["é 🦊"]);
    expect(await db.query("SELECT x FROM t")).toEqual([{ x: "é 🦊" }]);
  });
});

/** Sets a default of the database, as an administrator does for it, a role or the server. */
async function withDefaults(...defaults: readonly string[]): Promise<string> {
  const dsn = await createPostgres();
  const name = new URL(dsn).pathname.slice(1);
  for (const one of defaults) await asAdmin(dsn, `ALTER DATABASE ${name} SET ${one}`);
  return dsn;
}

describe("defaults of the server, the database or the role change nothing", () => {
  const STRICT = [
    "default_transaction_isolation = 'serializable'",
    "default_transaction_isolation = 'repeatable read'",
  ];
  test.each(STRICT)("%s, and another program that writes all the time", async (setting) => {
    const dsn = await withDefaults(setting);
    await asAdmin(dsn, "CREATE TABLE t AS SELECT 0 AS n");
    const db = await open(dsn);
    let tries = 0;
    await db.transaction(async (tx) => {
      tries += 1;
      await tx.query("SELECT n FROM t");
      // It changes what was read, in every attempt.
      await asAdmin(dsn, "UPDATE t SET n = n + 1");
      await tx.query("UPDATE t SET n = n + 10");
    });
    expect(tries).toBe(1);
    expect(
      await db.query("SELECT n, current_setting('transaction_isolation') AS i FROM t"),
    ).toEqual([{ n: 11, i: "read committed" }]);
    const rows = await db.script("SELECT current_setting('transaction_isolation') AS i");
    expect(rows).toEqual([{ i: "read committed" }]);
    expect(await db.tryLock("x")).toMatchObject({ held: true });
  });

  test.each([
    ["extra_float_digits = -15"],
    ["transaction_timeout = '300ms'"],
    ["statement_timeout = '300ms'"],
    ["lock_timeout = '1ms'"],
    ["idle_in_transaction_session_timeout = '1ms'"],
    ["idle_session_timeout = '50ms'"],
    ["client_encoding = 'LATIN1'"],
    ["DateStyle = 'German'"],
    ["IntervalStyle = 'sql_standard'"],
    ["TimeZone = 'Asia/Tokyo'"],
    ["standard_conforming_strings = off"],
    ["bytea_output = 'escape'"],
    ["transform_null_equals = on"],
    ["array_nulls = off"],
    ["row_security = off"],
    ["session_replication_role = 'replica'"],
    ["default_transaction_deferrable = on"],
    ["plan_cache_mode = 'force_generic_plan'"],
    ["quote_all_identifiers = on"],
    ["search_path = nowhere, public"],
  ])("%s", async (setting) => {
    const dsn = await createPostgres();
    const name = new URL(dsn).pathname.slice(1);
    await asAdmin(dsn, "CREATE TABLE t (id text, at float8, data jsonb)");
    try {
      await asAdmin(dsn, `ALTER DATABASE ${name} SET ${setting}`);
    } catch (error) {
      // An older server does not know it.
      if (!String(error).includes("unrecognized configuration parameter")) throw error;
    }
    const db = await open(dsn);
    const at = 1_800_000_000.123456;
    const text = "NULL \\ ' é 🦊";
    const [row] = await db.transaction(async (tx) => {
      await tx.query("INSERT INTO t VALUES ($1, $2, jsonb_build_object('at', $2::float8))", [
        text,
        at,
      ]);
      await tx.query("SELECT pg_sleep(0.5)");
      await new Promise((resolve) => setTimeout(resolve, 100));
      return await tx.query("SELECT * FROM t WHERE id = ANY($1::text[])", [[text]]);
    });
    expect(row).toEqual({ id: text, at, data: { at } });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await db.query("SELECT data FROM t WHERE at = $1", [at])).toEqual([{ data: { at } }]);
  });
});

describe("the schema of the tables", () => {
  test.each(["app", "Mixed Case", 'a "quote"', "it's", "back\\slash", "äöü🦊", "select", "a, b"])(
    "%s",
    async (schema) => {
      const dsn = await withDefaults("search_path = ''");
      await expect(openPostgres(loginTo(dsn))).rejects.toThrow(
        /^the database \w+ has no schema "" \(the search path\) that the role postgres may use: set \[db\] schema .*; .*CREATE SCHEMA/,
      );
      const ident = pg.escapeIdentifier(schema);
      await expect(openPostgres({ ...loginTo(dsn), schema })).rejects.toThrow(/ has no schema /);
      await asAdmin(dsn, `CREATE SCHEMA ${ident}`);
      const db = await open(dsn, schema);
      await db.script("CREATE TABLE t (n int); INSERT INTO t VALUES (1)");
      await db.transaction((tx) => tx.query("INSERT INTO t VALUES (2)"));
      expect(await db.query("SELECT sum(n)::int AS n FROM t")).toEqual([{ n: 3 }]);
      expect(await asAdmin(dsn, `SELECT sum(n)::int AS n FROM ${ident}.t`)).toEqual([{ n: 3 }]);
    },
  );

  test("one that the role may not use, or that differs in case, is named with what to do", async () => {
    const dsn = await createPostgres();
    const role = `r_${randomUUID().replaceAll("-", "")}`;
    await asAdmin(dsn, `CREATE SCHEMA "App"; CREATE ROLE ${role} LOGIN PASSWORD 'pw'`);
    onTestFinished(async () => {
      await asAdmin(dsn, `DROP OWNED BY ${role}; DROP ROLE ${role}`);
    });
    const as = Object.assign(new URL(dsn), { username: role, password: "pw" }).href;
    const refused = new RegExp(
      `no schema "?[aA]pp"? .the search path. that the role ${role} may use: .*GRANT USAGE`,
    );
    await expect(openPostgres({ ...loginTo(as), schema: "App" })).rejects.toThrow(refused);
    await asAdmin(dsn, `GRANT USAGE ON SCHEMA "App" TO ${role}`);
    await expect(openPostgres({ ...loginTo(as), schema: "app" })).rejects.toThrow(refused);
    await open(as, "App");
  });
});
