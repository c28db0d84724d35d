import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { busySite, holdAnswers, PATIENT } from "../support/busy_site.ts";
import { asAdmin, createPostgres } from "../support/databases.ts";
import { loginTo } from "../support/login.ts";
import { HAS_PGBOUNCER, startPgbouncer } from "../support/pgbouncer.ts";
import { QUIET } from "../support/quiet.ts";
import type { Site } from "../support/site.ts";

if (!HAS_PGBOUNCER)
  console.log("skipped: pgbouncer is not installed (Debian: apt install pgbouncer)");
const pooled = test.skipIf(!HAS_PGBOUNCER);

/** A site whose engine reaches its database through a pooler in transaction mode. */
async function pooledSite(): Promise<Site> {
  const site = await busySite({});
  site.configure({ engine: PATIENT, dsn: await startPgbouncer(site.dsn ?? "") });
  return site;
}

pooled("of four ticks that overlap behind PgBouncer in transaction mode one works", async () => {
  const site = await pooledSite();
  const held = holdAnswers(site);
  const first = site.tick();
  await held.asked;
  expect(await Promise.all([site.tick(), site.tick(), site.tick()])).toEqual([QUIET, QUIET, QUIET]);
  expect(await site.entries("skipped_tick")).toHaveLength(3);
  const status = await site.command(["status"]);
  expect(status.stdout).toMatch(/^running now +for \d+ s$/m);
  held.release();
  expect(await first).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(1);
  expect(await site.entries("engine_run")).toHaveLength(1);
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(1);
});

pooled("ten ticks at the same moment behind it leave one event and one mail", async () => {
  const site = await pooledSite();
  const results = await Promise.all(Array.from({ length: 10 }, () => site.tick()));
  expect(results).toEqual(Array.from({ length: 10 }, () => QUIET));
  expect(await site.entries("event")).toHaveLength(1);
  expect(site.mail.mails).toHaveLength(1);
});

pooled(
  "what others leave on a session of the pooler does not matter, and [db] schema holds there",
  async () => {
    const direct = await createPostgres();
    const dsn = await startPgbouncer(direct, 1);
    await asAdmin(direct, "CREATE SCHEMA app");
    const leave =
      "SET search_path = nowhere; SET default_transaction_isolation = 'serializable'; SET extra_float_digits = -10";
    const [plain, own] = [
      await openPostgres(loginTo(dsn)),
      await openPostgres({ ...loginTo(dsn), schema: "app" }),
    ];
    await own.script("CREATE TABLE t (x jsonb)");
    for (const db of [plain, own]) {
      await asAdmin(dsn, leave);
      await db.transaction((tx) =>
        tx.query("INSERT INTO app.t SELECT to_jsonb(1800000000.25::float8)"),
      );
      const [row] = await db.query(
        "SELECT current_setting('transaction_isolation') AS level, current_schema() AS schema",
      );
      expect(row).toEqual({ level: "read committed", schema: db === own ? "app" : "public" });
    }
    expect(await own.query("SELECT DISTINCT x FROM t")).toEqual([{ x: 1_800_000_000.25 }]);
    await Promise.all([plain.close(), own.close()]);
  },
);

pooled("no setting of the engine stays on a session that others get from the pooler", async () => {
  // One session, so that everybody gets the one that the engine has used.
  const dsn = await startPgbouncer(await createPostgres(), 1);
  const show = `SELECT name, setting FROM pg_settings
    WHERE name <> 'transaction_isolation' AND source NOT IN ('default', 'configuration file', 'command line', 'override') OR name = 'application_name' ORDER BY name`;
  const other = new pg.Client({ connectionString: dsn, application_name: "other" });
  await other.connect();
  onTestFinished(() => other.end());
  const before = (await other.query(show)).rows;
  const db = await openPostgres(loginTo(dsn));
  await db.query("SELECT 1");
  await db.transaction((tx) => tx.query("SELECT 1"), { flush: false });
  await db.script("SELECT 1; SELECT 2");
  const attempt = await db.tryLock("a lock", 60);
  if (attempt.held) await attempt.lock.release();
  await db.close();
  expect((await other.query(show)).rows).toEqual(before);
});
