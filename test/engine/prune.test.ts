import { expect, test } from "vitest";
import type { Database } from "../../src/store/database.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { createPostgres } from "../support/databases.ts";
import { loginTo } from "../support/login.ts";
import { insertEntry, only, readEntries } from "../support/rows.ts";
import { engineAt, START } from "./engine_at.ts";

const DAY = 86_400;
const RETENTION = { engineRunsDays: 14, clearedEventsDays: 30, notificationsDays: 365 };

/** Runs of thirty days ago, enough of today's, and one old row of each other kind. */
async function history(db: Database): Promise<void> {
  await db.query(
    `INSERT INTO entry (id, title, content, kind, data, archived, timestamp_created, timestamp_modified, context_id)
     SELECT gen_random_uuid()::text, '', '', 'engine_run', '{"finished_at": 1}', false, made.at, 0, 'swf-alarms'
     FROM (SELECT $1::float8 - n AS at FROM generate_series(1, 20) AS n
           UNION ALL SELECT $1::float8 - (30 + n % 9) * 86400 FROM generate_series(1, 40) AS n) AS made`,
    [START],
  );
  const created = START - 400 * DAY;
  await insertEntry(db, { kind: "event", created, data: { clear_time: created } });
  await insertEntry(db, { kind: "notification", created, data: { outcome: "delivered" } });
}

const openServer = async (): Promise<Database> => openPostgres(loginTo(await createPostgres()));

async function left(db: Database) {
  const kinds = ["engine_run", "event", "notification"];
  return Object.fromEntries(
    await Promise.all(kinds.map(async (kind) => [kind, (await readEntries(db, kind)).length])),
  );
}

test("a tick removes what is old, and says so", async () => {
  const engine = await engineAt(openServer);
  engine.configure({ retention: RETENTION });
  await history(engine.db);
  expect((await engine.tick())?.errors).toEqual([]);
  expect(await left(engine.db)).toEqual({ engine_run: 21, event: 0, notification: 0 });
  expect(engine.log.join("\n")).toContain(
    "removed rows older than [retention] allows: 40 engine runs, 1 cleared event, 1 notification",
  );
  engine.log.splice(0);
  engine.now += 300;
  expect((await engine.tick())?.errors).toEqual([]);
  expect(engine.log.join("\n")).not.toContain("removed");
});

test("a plan, a dry run and a tick of a few alarms remove nothing", async () => {
  const engine = await engineAt(openServer);
  engine.configure({ retention: RETENTION });
  engine.says("x", {});
  await history(engine.db);
  const before = await left(engine.db);
  await engine.tick("plan");
  await engine.tick("dry-run");
  await engine.tick("tick", ["x"]);
  expect(await left(engine.db)).toEqual({ ...before, engine_run: 62 });
});

test("an error is one line, and costs the tick nothing else", async () => {
  const engine = await engineAt(openServer);
  engine.configure({ retention: RETENTION });
  engine.says("x", { keys: ["a"] });
  await history(engine.db);
  await engine.db.script(
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$;
     CREATE TRIGGER refuse BEFORE DELETE ON entry FOR EACH ROW EXECUTE FUNCTION refuse();`,
  );
  const tick = await engine.tick();
  expect(tick?.errors).toEqual([
    "cannot remove old rows: database error: not today; see docs/operations.md",
  ]);
  const run = (await readEntries(engine.db, "engine_run")).at(-1);
  expect(run?.data).toMatchObject({ errors: 0, finished_at: START });
  await engine.db.query("DROP TRIGGER refuse ON entry");
  engine.now += 300;
  expect((await engine.tick())?.errors).toEqual([]);
  expect(await left(engine.db)).toEqual({ engine_run: 22, event: 1, notification: 0 });
});

test("an alarm that changed nothing leaves four keys in the record; one that did, all of them", async () => {
  const engine = await engineAt(openServer);
  engine.says("x", { keys: ["a"] });
  const noted = async (alarm = "alarm_x") => {
    await engine.tick();
    engine.now += 300;
    return Object((await readEntries(engine.db, "engine_run")).at(-1)?.data.per_alarm)[alarm];
  };
  const quiet = { enabled: false, errors: 0, error_message: "" };
  // Mail is off, so the event stays owed; what would be mailed is on record when it is news.
  expect(await noted()).toMatchObject({ opened: 1, mail: "mail is off", outcome: "complete" });
  expect(await noted()).toEqual({ ...quiet, alarms_seen: 1 });
  engine.says("x", {});
  expect(await noted()).toMatchObject({ cleared: 1, alarms_seen: 0 });
  expect(await noted()).toEqual({ ...quiet, alarms_seen: 0 });
  engine.says("x", { incomplete: "half an answer" });
  expect(await noted()).toMatchObject({ outcome: "partial", errors: 1, params: {} });
  engine.module(
    "y.js",
    "export const PARAMS = { at: { type: 'number', required: true } };\nexport function detect() {}",
  );
  expect(await noted("alarm_y")).toEqual({
    ...quiet,
    alarms_seen: 0,
    not_configured: expect.stringContaining("at"),
  });
  expect(only(await readEntries(engine.db, "event")).data.clear_time).toBe(START + 600);
});
