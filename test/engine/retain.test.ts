import { expect, test } from "vitest";
import { DAY } from "../../src/core/retention.ts";
import type { Database } from "../../src/store/database.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { createPostgres } from "../support/databases.ts";
import { insertEntry, only, readEntries } from "../support/rows.ts";
import { engineAt, START } from "./engine_at.ts";

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

const openServer = async (): Promise<Database> => openPostgres({ dsn: await createPostgres() });

/** A database that tells every statement, and the beginning of every transaction. */
function listening(db: Database, heard: string[]): Database {
  return {
    query: (sql, params) => {
      heard.push(sql);
      return db.query(sql, params);
    },
    transaction: (work) => {
      heard.push("BEGIN");
      return db.transaction(work);
    },
    script: (sql) => db.script(sql),
    tryLock: (name, staleAfter) => db.tryLock(name, staleAfter),
    close: () => db.close(),
  };
}

async function left(db: Database) {
  const kinds = ["engine_run", "engine_day", "event", "notification"];
  return Object.fromEntries(
    await Promise.all(kinds.map(async (kind) => [kind, (await readEntries(db, kind)).length])),
  );
}

test("ticks remove what is due in a few steps each, and then look once a day, without a statement", async () => {
  const heard: string[] = [];
  const engine = await engineAt(async () => listening(await openServer(), heard));
  engine.configure({ retention: RETENTION });
  await history(engine.db);
  const days: (number | undefined)[] = [];
  for (let tick = 0; tick < 14; tick++) {
    expect((await engine.tick())?.errors).toEqual([]);
    days.push((await left(engine.db)).engine_day);
    engine.now += 300;
  }
  // No tick makes more than five steps; a slow machine makes fewer.
  for (const [tick, made = 0] of days.entries())
    expect(made - (days[tick - 1] ?? 0)).toBeLessThan(6);
  expect(await left(engine.db)).toEqual({
    engine_run: 34,
    engine_day: 9,
    event: 0,
    notification: 0,
  });
  expect(engine.log.join("\n")).toMatch(
    /removed what \[retention\] no longer keeps: \d+ engine runs/,
  );

  const forEver = { clearedEventsDays: undefined, notificationsDays: undefined };
  engine.configure({ retention: { ...forEver, engineRunsDays: undefined } });
  heard.splice(0);
  await engine.tick();
  const statements = heard.splice(0).length;
  engine.configure({ retention: RETENTION });
  engine.now += 300;
  await engine.tick();
  expect(heard.splice(0)).toHaveLength(statements);
  engine.now += DAY;
  await engine.tick();
  expect(heard.join("\n")).toContain("DELETE FROM entry");
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

test("a refusal is said on one tick a day, holds up no other kind, and ends by itself", async () => {
  const engine = await engineAt(openServer);
  engine.configure({ retention: RETENTION });
  engine.says("x", { keys: ["a"] });
  await history(engine.db);
  await engine.db.query("ALTER TABLE entry ADD CONSTRAINT in_the_way CHECK (kind <> 'engine_day')");
  const first = await engine.tick();
  expect(first?.errors).toEqual([
    expect.stringMatching(
      /^cannot remove what \[retention\] no longer keeps \(engine_runs\): the database refused: .*in_the_way.*; tried again tomorrow, or at once by: bin\/swf-alarms prune --yes$/,
    ),
  ]);
  const run = (await readEntries(engine.db, "engine_run")).at(-1);
  expect(run?.data).toMatchObject({ errors: 0, finished_at: START });
  // On a slow machine a tick makes but one step.
  for (let tick = 0; tick < 3; tick++) {
    engine.now += 300;
    expect((await engine.tick())?.errors).toEqual([]);
  }
  expect(await left(engine.db)).toMatchObject({ engine_day: 0, event: 1, notification: 0 });
  const log = engine.log.join("\n");
  for (const what of ["1 cleared event", "1 notification"])
    expect(log).toMatch(new RegExp(`removed what .* keeps: .*${what}`));
  engine.now += DAY;
  expect((await engine.tick())?.errors).toHaveLength(1);
  await engine.db.query("ALTER TABLE entry DROP CONSTRAINT in_the_way");
  engine.now += DAY;
  expect((await engine.tick())?.errors).toEqual([]);
  expect((await left(engine.db)).engine_day).toBeGreaterThan(0);
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
