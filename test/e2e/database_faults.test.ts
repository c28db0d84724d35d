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

/** Makes the database refuse with an SQLSTATE, as a real trouble would, until `count` were refused. */
async function refuse(site: Site, when: string, code: string, count = 1_000_000): Promise<void> {
  await site.withDatabase(async (db) => {
    await db.query("CREATE SEQUENCE refused");
    await db.query(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF ${when} AND nextval('refused') <= ${count}
         THEN RAISE EXCEPTION 'refused by the test' USING ERRCODE = '${code}'; END IF;
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

test("a server that is not there: exit code 2, one line with what to check, nothing asked or mailed", async () => {
  const site = await busySite({});
  site.configure({ dsn: "postgresql://u:secret@127.0.0.1:1/db" });
  expectLines(
    await site.tick(),
    2,
    /cannot connect to Postgres at 127\.0\.0\.1:1\/db: .*ECONNREFUSED.*Check \[db\] in the configuration and that the server runs\./,
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
    /the database refused: cannot execute INSERT in a read-only transaction; the database takes no writes: point \[db\] at the primary, .*/,
  );
  expect(site.source.requests).toEqual([]);
  expect(await site.tick("--plan")).toMatchObject({ code: 0, stderr: "" });
});

test("a missing table and a missing column are named, with what to do", async () => {
  const site = await busySite({});
  // The first tick of a day looks for old rows, and whether a version refers to them.
  expect(await site.tick()).toEqual(QUIET);
  await site.query("DROP TABLE entry_version");
  const set = await site.command(["alarm", "set", "things", "--title", "New"]);
  expectLines(set, 2, /the database refused: relation "entry_version" .*; restore the table, .*/);
  expect(only(await site.entries("alarm")).title).toBe("Title of things");
  // Ticks make no versions.
  expect(await site.tick()).toEqual(QUIET);
  await site.query("ALTER TABLE entry RENAME COLUMN archived TO put_away");
  expectLines(
    await site.tick(),
    2,
    /the database refused: column .*archived.*; the tables lack .*/,
  );
});

test.each([
  [
    "53100",
    /things: cannot record this tick: the database refused: refused by the test; the server's disk is full: free space there; the next tick tries again/,
  ],
  ["57014", /things: cannot record this tick: .*; the statement took too long: .*/],
  [
    "40001",
    /things: cannot record this tick: .*; other writers were in the way, several times; .*/,
  ],
])(
  "a write that is refused with %s costs its alarm alone, and says what to do",
  async (code, line) => {
    const site = await busySite({});
    site.module("others.js", THINGS);
    await insertAlarm(site, "others");
    await refuse(site, "NEW.data->>'entry_id' = 'event_things'", code);
    expectLines(await site.tick(), 1, line);
    expect((await site.entries("event")).map(({ data }) => data.entry_id)).toEqual([
      "event_others",
    ]);
    const run = only(await site.entries("engine_run"));
    expect(perAlarm(run, "alarm_things").errors).toBe(1);
    expect(perAlarm(run, "alarm_others").errors).toBe(0);
    await site.query("DROP TRIGGER refuse ON entry");
    expect(await site.tick()).toEqual(QUIET);
  },
);

test("other writers in the way now and then cost nothing", async () => {
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
    /things: cannot record this tick: the database refused: terminating connection .*; the server or an administrator ended the connection; the next tick tries again/,
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
    2,
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

/** The tick waits for its server for 20 s, and must be given the time for all the rest too. */
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

test(
  "a server that restarts in the middle of a tick is waited for, and nothing is lost",
  async () => {
    const { site, dsn } = await siteOnOwnServer();
    const held = holdAnswers(site);
    const ticking = site.tick();
    await held.asked;
    await server.stop();
    held.release();
    await server.start();
    expect(await ticking).toEqual(QUIET);
    const runs = await migrated(dsn, (db) => readEntries(db, "engine_run"));
    expect(perAlarm(only(runs), "alarm_things")).toMatchObject({ errors: 0, bundle_sent: true });
    expect(site.mail.mails).toHaveLength(1);
  },
  LONG,
);

test(
  "a server that goes for good costs the rest of the tick, in clear words; the next tick does it",
  async () => {
    const { site, dsn } = await siteOnOwnServer();
    const held = holdAnswers(site);
    const ticking = site.tick();
    await held.asked;
    await server.stop();
    held.release();
    const away = String.raw`cannot connect to Postgres at 127\.0\.0\.1:\d+/\w+: .*ECONNREFUSED.*`;
    expectLines(
      await ticking,
      1,
      new RegExp(`things: cannot record this tick: ${away}`),
      new RegExp(`cannot close the record of this tick, .*: ${away}`),
    );
    expect(site.mail.mails).toEqual([]);
    expectLines(await site.tick(), 2, new RegExp(away));
    await server.start();
    expect(await site.tick()).toEqual(QUIET);
    expect(site.mail.mails).toHaveLength(1);
    const [crashed, whole] = await migrated(dsn, (db) => readEntries(db, "engine_run"));
    expect(crashed?.data).toMatchObject({ errors: 1, crashed_at: whole?.data.started_at });
  },
  LONG,
);
