import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { busySite, holdAnswers, PATIENT } from "../support/busy_site.ts";
import { createPostgres } from "../support/databases.ts";
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

pooled("no setting of the engine stays on a session that others get from the pooler", async () => {
  // One session, so that everybody gets the one that the engine has used.
  const dsn = await startPgbouncer(await createPostgres(), 1);
  const show = `SELECT name, setting FROM pg_settings
    WHERE source NOT IN ('default', 'configuration file', 'command line', 'override') OR name = 'application_name' ORDER BY name`;
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
