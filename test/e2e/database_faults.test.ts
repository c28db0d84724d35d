import pg from "pg";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { busySite, holdAnswers, PATIENT } from "../support/busy_site.ts";
import { perAlarm } from "../support/contract.ts";
import { migrated } from "../support/migrated.ts";
import { type OwnPostgres, startPostgres } from "../support/own_postgres.ts";
import type { ProcessResult } from "../support/process.ts";
import { QUIET } from "../support/quiet.ts";
import { insertAlarm, only, readEntries } from "../support/rows.ts";
import { type Site, THINGS } from "../support/site.ts";

/** Makes writes fail with an SQLSTATE, until `count` have failed. */
async function refuse(site: Site, when: string, code: string, count = 1_000_000): Promise<void> {
  await site.withDatabase(async (db) => {
    await db.query("CREATE SEQUENCE refused");
    await db.query(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF ${when} AND nextval('refused') <= ${count}
         THEN RAISE EXCEPTION 'made by the test' USING ERRCODE = '${code}'; END IF;
         RETURN NEW; END $$`,
    );
    await db.query(
      "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON entry FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
  });
}

/** An administrator's own session on the site's database. */
async function connectAdmin(dsn: string | undefined): Promise<pg.Client> {
  const admin = new pg.Client({ connectionString: dsn });
  admin.on("error", () => {});
  await admin.connect();
  onTestFinished(() => admin.end());
  return admin;
}

/** One line on stderr for each pattern, and no stack. */
function expectLines(result: ProcessResult, code: number, ...patterns: readonly RegExp[]): void {
  expect(result).toMatchObject({ code, stdout: "" });
  const lines = result.stderr.split("\n").slice(0, -1);
  expect(lines).toEqual(
    patterns.map(({ source }) => expect.stringMatching(`^swf-alarms: ${source}$`)),
  );
}

test("a server that is not running: exit code 2, one line with what to check, nothing requested or mailed", async () => {
  const site = await busySite({});
  site.configure({ dsn: "postgresql://u:secret@127.0.0.1:1/db" });
  expectLines(
    await site.tick(),
    2,
    /cannot connect to Postgres at 127\.0\.0\.1:1\/db: .*ECONNREFUSED.*; check \[db\] in the configuration, and that the server is running/,
  );
  expect(site.source.requests).toEqual([]);
  expect(site.mail.calls).toEqual([]);
});

test("a read-only database: exit code 2, one line with what to do", async () => {
  const site = await busySite({});
  const name = new URL(site.dsn ?? "").pathname.slice(1);
  await site.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  expectLines(
    await site.tick(),
    2,
    /database error: cannot execute INSERT in a read-only transaction; the database is read-only: point \[db\] at the primary, .*/,
  );
  expect(site.source.requests).toEqual([]);
  expect(await site.tick("--plan")).toMatchObject({ code: 0, stderr: "" });
});

test("a missing table and a missing column are named, with what to do", async () => {
  const site = await busySite({});
  await site.query("DROP TABLE entry_version");
  const set = await site.command(["alarm", "set", "things", "--title", "New"]);
  expectLines(set, 2, /database error: relation "entry_version" .*; restore the table, .*/);
  expect(only(await site.entries("alarm")).title).toBe("Title of things");
  expectLines(await site.tick(), 1, /cannot remove old rows: .*"entry_version".*/);
  await site.query("ALTER TABLE entry RENAME COLUMN archived TO put_away");
  expectLines(await site.tick(), 2, /database error: column .*archived.*; restore the column, .*/);
});

test.each([
  [
    "53100",
    /things: cannot record this tick: database error: made by the test; the server's disk is full: free space there; the next tick tries again/,
  ],
  ["57014", /things: cannot record this tick: .*; the statement took too long: .*/],
  [
    "40001",
    /things: cannot record this tick: .*; other transactions conflicted with this one four times; .*/,
  ],
])("a write that fails with %s costs its alarm alone, and says what to do", async (code, line) => {
  const site = await busySite({});
  site.module("others.js", THINGS);
  await insertAlarm(site, "others");
  await refuse(site, "NEW.data->>'entry_id' = 'event_things'", code);
  expectLines(await site.tick(), 1, line);
  expect((await site.entries("event")).map(({ data }) => data.entry_id)).toEqual(["event_others"]);
  const run = only(await site.entries("engine_run"));
  expect(perAlarm(run, "alarm_things").errors).toBe(1);
  expect(perAlarm(run, "alarm_others").errors).toBe(0);
  await site.query("DROP TRIGGER refuse ON entry");
  expect(await site.tick()).toEqual(QUIET);
});

test("a few conflicts with other transactions cost nothing", async () => {
  const site = await busySite({});
  await refuse(site, "NEW.kind = 'event'", "40001", 2);
  expect(await site.tick()).toEqual(QUIET);
  expect(await site.entries("event")).toHaveLength(1);
  expect(site.mail.mails).toHaveLength(1);
});

test("a connection lost inside a transaction costs its alarm whole; the others go on with a new one", async () => {
  const site = await busySite({});
  site.module("others.js", THINGS);
  await insertAlarm(site, "others");
  site.things = [
    { key: "a", subject: "A" },
    { key: "b", subject: "B" },
  ];
  await site.withDatabase(async (db) => {
    await db.query("CREATE SEQUENCE ended");
    await db.query(
      `CREATE FUNCTION end_session() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF NEW.data->>'entry_id' = 'event_things' AND NEW.data->>'dedupe_key' = 'b' AND nextval('ended') = 1
         THEN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(600); END IF;
         RETURN NEW; END $$`,
    );
    await db.query(
      "CREATE TRIGGER end_session BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION end_session()",
    );
  });
  expectLines(
    await site.tick(),
    1,
    /things: cannot record this tick: database error: terminating connection .*; the server is starting or stopping, or closed the connection; the next tick tries again/,
  );
  const events = await site.entries("event");
  expect(events.map(({ data }) => data.entry_id)).toEqual(["event_others", "event_others"]);
  const run = only(await site.entries("engine_run"));
  expect(perAlarm(run, "alarm_things")).toMatchObject({ errors: 1, bundle_sent: false });
  expect(perAlarm(run, "alarm_others")).toMatchObject({ errors: 0, bundle_sent: true });
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(2);
});

const LOCK_HOLDER = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

test("a tick whose lock is lost writes nothing more, ends with one line, and the next one continues", async () => {
  const site = await busySite({ engine: PATIENT });
  site.module("others.js", THINGS);
  await insertAlarm(site, "others");
  const held = holdAnswers(site);
  const ticking = site.tick();
  await held.asked;
  const admin = await connectAdmin(site.dsn);
  await admin.query(`SELECT pg_terminate_backend(pid) FROM (${LOCK_HOLDER}) AS holder`);
  // Free only when that session has gone.
  await admin.query("SELECT pg_advisory_lock(hashtext('swf-alarms tick'))");
  held.release();
  expectLines(
    await ticking,
    1,
    /the tick ended early because the connection that holds its lock was lost; what was recorded stays, and the next tick continues/,
  );
  expect(await site.entries("event")).toEqual([]);
  expect(site.mail.mails).toEqual([]);
  await admin.query("SELECT pg_advisory_unlock(hashtext('swf-alarms tick'))");
  expect(await site.tick()).toEqual(QUIET);
  expect(await site.entries("event")).toHaveLength(2);
});

let server: OwnPostgres;
beforeAll(async () => {
  server = await startPostgres(["-c", "fsync=off"]);
  return server.close;
});

/** Stopping and starting a server takes a while. */
const LONG = 180_000;

/** A site whose database is on a server that may be stopped. */
async function siteOnOwnServer(): Promise<{ site: Site; dsn: string }> {
  const admin = await connectAdmin(`${server.url}postgres`);
  const name = `t_${Date.now()}`;
  await admin.query(`CREATE DATABASE ${name}`);
  const dsn = server.url + name;
  await migrated(dsn, (db) => insertAlarm(db, "things"));
  const site = await busySite({ engine: PATIENT, dsn });
  return { site, dsn };
}

test.each([
  ["stops", false],
  ["restarts", true],
])(
  "a server that %s in the middle of a tick ends it with one line, and the next one continues",
  async (_, restarts) => {
    const { site, dsn } = await siteOnOwnServer();
    const held = holdAnswers(site);
    const ticking = site.tick();
    await held.asked;
    await server.stop();
    if (restarts) await server.start();
    held.release();
    expectLines(await ticking, 1, /the tick ended early because the connection .* was lost; .*/);
    expect(site.mail.mails).toEqual([]);
    if (!restarts) {
      const away = /cannot connect to Postgres at 127\.0\.0\.1:\d+\/\w+: .*ECONNREFUSED.*/;
      expectLines(await site.tick(), 2, away);
      await server.start();
    }
    expect(await site.tick()).toEqual(QUIET);
    expect(site.mail.mails).toHaveLength(1);
    const [crashed, whole] = await migrated(dsn, (db) => readEntries(db, "engine_run"));
    expect(crashed?.data).toMatchObject({ errors: 1, crashed_at: whole?.data.started_at });
  },
  LONG,
);
