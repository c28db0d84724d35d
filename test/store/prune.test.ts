import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DAY } from "../../src/core/retention.ts";
import type { Database, Queryable } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import {
  countClearedEvents,
  countNotifications,
  removeClearedEvents,
  removeNotifications,
  type Step,
} from "../../src/store/prune.ts";
import { foldRuns } from "../../src/store/run_days.ts";
import { createPostgres, DATABASES } from "../support/databases.ts";
import { entryRows, insertEntry, insertVersion, type RawEntry } from "../support/raw_entries.ts";

const BEFORE = 1_793_491_200;
const OLD = BEFORE - 5;
const EVENTS = { kind: "cleared_events", from: 0, before: BEFORE } as const;
const MAILS = { kind: "notifications", from: 0, before: BEFORE } as const;
const RUNS = { kind: "engine_runs", from: 0, before: BEFORE } as const;

interface Case {
  readonly what: string;
  readonly entry: Partial<RawEntry>;
  readonly goes: boolean;
}

const EVENT_CASES: readonly Case[] = [
  { what: "cleared before the limit", entry: { data: { clear_time: OLD } }, goes: true },
  {
    what: "archived, cleared",
    entry: { data: { clear_time: OLD }, archived: true },
    goes: true,
  },
  { what: "taken away, cleared", entry: { data: { clear_time: OLD }, deletedAt: OLD }, goes: true },
  {
    what: "cleared and mailed",
    entry: { data: { clear_time: OLD, last_notified: OLD } },
    goes: true,
  },
  { what: "cleared at the limit", entry: { data: { clear_time: BEFORE } }, goes: false },
  {
    what: "fired long before it cleared",
    entry: { data: { clear_time: BEFORE + 1 }, created: OLD - 900 * DAY },
    goes: false,
  },
  { what: "active", entry: { data: { clear_time: null } }, goes: false },
  {
    what: "active, and archived",
    entry: { data: { clear_time: null }, archived: true },
    goes: false,
  },
  { what: "active, without the key", entry: { data: {} }, goes: false },
  { what: "without data", entry: { data: null }, goes: false },
  { what: "with a text for a time", entry: { data: { clear_time: "100" } }, goes: false },
  { what: "with a time beyond all", entry: { data: { clear_time: 1e300 } }, goes: false },
  { what: "owed a mail", entry: { data: { clear_time: OLD, mail_owed: true } }, goes: false },
  {
    what: "of another context",
    entry: { data: { clear_time: OLD }, context: "teams" },
    goes: false,
  },
  { what: "of no context", entry: { data: { clear_time: OLD }, context: null }, goes: false },
];

/** Mails that name `fresh`, `told`, `owed` and `gone`, which are events in these states. */
const named = (id: string, key = "new_event_ids") => ({ [key]: ["no-such-event", id] });
const MAIL_CASES: readonly Case[] = [
  { what: "delivered", entry: { data: { outcome: "delivered", ...named("fresh") } }, goes: true },
  {
    what: "failed for good",
    entry: { data: { outcome: "failed", ...named("fresh") } },
    goes: true,
  },
  { what: "of unknown fate, of no event", entry: { data: { outcome: "unknown" } }, goes: true },
  {
    what: "of unknown fate, but its event was mailed later",
    entry: { data: { outcome: "unknown", ...named("told") } },
    goes: true,
  },
  {
    what: "of unknown fate, of an event that cleared and is owed nothing",
    entry: { data: { outcome: "unknown", ...named("gone") } },
    goes: true,
  },
  {
    what: "of unknown fate, of an active event that is owed",
    entry: { data: { outcome: "unknown", ...named("fresh") } },
    goes: false,
  },
  {
    what: "that may have been sent, of an event that cleared and is owed",
    entry: {
      data: {
        outcome: "failed",
        may_have_been_sent: true,
        ...named("owed", "cleared_event_ids"),
      },
    },
    goes: false,
  },
  {
    what: "interrupted, of a continuing event that is owed",
    entry: { data: { outcome: "interrupted", ...named("fresh", "continuing_event_ids") } },
    goes: false,
  },
  {
    what: "pending",
    entry: { data: { outcome: "partial", pending: ["a@example.org"] } },
    goes: false,
  },
  { what: "at the limit", entry: { created: BEFORE, data: { outcome: "delivered" } }, goes: false },
  { what: "without data", entry: { data: null }, goes: true },
  { what: "of another context", entry: { context: "teams", data: {} }, goes: false },
];

/** 2,500 cleared ones, a second apart, the newest a second before the limit. */
async function insertEvents(db: Queryable): Promise<void> {
  await db.query(
    `INSERT INTO entry (id, title, content, kind, data, archived, timestamp_created, timestamp_modified, context_id)
     SELECT gen_random_uuid()::text, '', '', 'event', '{"clear_time": 1}', false, $1 - n, 0, 'swf-alarms'
     FROM generate_series(1, 2500) AS n`,
    [BEFORE],
  );
}

describe.each(DATABASES)("what is removed on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  beforeEach(() => db.script("DELETE FROM entry_version; DELETE FROM entry"));
  afterAll(() => db.close());

  async function insertCases(kind: string, cases: readonly Case[]): Promise<void> {
    for (const { what, entry } of cases)
      await insertEntry(db, { kind, title: what, created: OLD, ...entry });
  }
  async function leftOf(kind: string): Promise<readonly string[]> {
    const rows = await db.query("SELECT title FROM entry WHERE kind = $1", [kind]);
    return rows.map(({ title }) => String(title)).sort();
  }
  const staying = (cases: readonly Case[]): readonly string[] =>
    cases
      .filter(({ goes }) => !goes)
      .map(({ what }) => what)
      .sort();

  test("cleared events go, and only those", async () => {
    await insertCases("event", EVENT_CASES);
    const going = EVENT_CASES.length - staying(EVENT_CASES).length;
    expect(await countClearedEvents(db, EVENTS)).toEqual({ rows: going, oldest: OLD, newest: OLD });
    expect(await removeClearedEvents(db, EVENTS)).toEqual({
      removed: { "cleared events": going },
      reached: BEFORE,
    });
    expect(await leftOf("event")).toEqual(staying(EVENT_CASES));
    expect(await countClearedEvents(db, EVENTS)).toMatchObject({ rows: 0, oldest: undefined });
  });

  test("notifications go, but for those that something rests on", async () => {
    const events = {
      fresh: { clear_time: null },
      told: { clear_time: null, last_notified: OLD },
      owed: { clear_time: OLD, mail_owed: true },
      gone: { clear_time: OLD },
    };
    for (const [id, data] of Object.entries(events))
      await insertEntry(db, { id, kind: "event", data });
    await insertCases("notification", MAIL_CASES);
    const going = MAIL_CASES.length - staying(MAIL_CASES).length;
    expect(await countNotifications(db, MAILS)).toMatchObject({ rows: going });
    expect(await removeNotifications(db, MAILS)).toEqual({
      removed: { notifications: going },
      reached: BEFORE,
    });
    expect(await leftOf("notification")).toEqual(staying(MAIL_CASES));
  });

  test("what something refers to stays, its versions and what is below it too", async () => {
    const data = { clear_time: OLD };
    const edited = await insertEntry(db, { kind: "event", created: OLD, data });
    const parent = await insertEntry(db, { kind: "notification", created: OLD });
    const child = await insertEntry(db, { kind: "event", created: OLD, data });
    await insertEntry(db, { kind: "notification", created: OLD });
    await db.query("UPDATE entry SET parent_id = $1 WHERE id = $2", [parent, child]);
    await insertVersion(db, edited);
    expect((await removeNotifications(db, MAILS)).removed).toEqual({ notifications: 1 });
    expect((await removeClearedEvents(db, EVENTS)).removed).toEqual({ "cleared events": 1 });
    expect([...(await entryRows(db, [edited, parent, child])).keys()].sort()).toEqual(
      [edited, parent].sort(),
    );
    // With what was below it gone, nothing holds the parent any more.
    expect((await removeNotifications(db, MAILS)).removed).toEqual({ notifications: 1 });
  });

  test("a step takes a thousand rows, the oldest first, and says where the next one begins", async () => {
    await insertEvents(db);
    const reached: number[] = [];
    let from = 0;
    for (let rows = 2500; from < BEFORE; rows -= 1000) {
      const step = await removeClearedEvents(db, { ...EVENTS, from });
      from = step.reached;
      reached.push(from);
      expect(await leftOf("event")).toHaveLength(Math.max(0, rows - 1000));
    }
    expect(reached).toEqual([BEFORE - 1501, BEFORE - 501, BEFORE]);
  });

  test("rows of other kinds never go, however old", async () => {
    const ids: string[] = [];
    for (const kind of ["alarm", "team", "engine_state", "engine_day", "ping", "note", "run", ""])
      for (const context of ["swf-alarms", "teams", null])
        ids.push(await insertEntry(db, { kind, context, created: 1, data: { clear_time: 1 } }));
    for (const kind of ["engine_run", "skipped_tick"])
      for (const context of ["teams", null])
        ids.push(await insertEntry(db, { kind, context, created: 1 }));
    const before = await entryRows(db, ids);
    await db.query(
      `INSERT INTO entry (id, title, content, kind, data, archived, timestamp_created, timestamp_modified, context_id)
       SELECT gen_random_uuid()::text, '', '', kind, '{}', false, $1::float8 + n * 1000, 0, 'swf-alarms'
       FROM generate_series(-30, 30) AS n, unnest(ARRAY['engine_run', 'skipped_tick', 'event', 'notification']) AS kind`,
      [BEFORE],
    );
    await removeClearedEvents(db, EVENTS);
    await removeNotifications(db, MAILS);
    for (let from = 0; from < BEFORE; )
      from = (await foldRuns(db, { ...RUNS, from }, BEFORE)).reached;
    expect(await entryRows(db, ids)).toEqual(before);
    const counts = await db.query(
      "SELECT kind, count(*)::int AS rows FROM entry WHERE NOT id = ANY($1::text[]) GROUP BY 1 ORDER BY 1",
      [ids],
    );
    expect(counts).toEqual([
      { kind: "engine_day", rows: 1 },
      { kind: "engine_run", rows: 31 },
      { kind: "event", rows: 61 },
      { kind: "notification", rows: 31 },
      { kind: "skipped_tick", rows: 31 },
    ]);
  });
});

test("two that remove the same rows at once leave none, and each counts its own", async () => {
  const dsn = await createPostgres();
  const [one, other] = await Promise.all([openPostgres({ dsn }), openPostgres({ dsn })]);
  const removeAll = async (db: Queryable): Promise<readonly Step[]> => {
    const steps: Step[] = [];
    for (let from = 0; from < BEFORE; from = steps.at(-1)?.reached ?? BEFORE)
      steps.push(await removeClearedEvents(db, { ...EVENTS, from }));
    return steps;
  };
  try {
    await migrate(one);
    await insertEvents(one);
    const { steps } = await one.transaction(async (tx) => {
      await removeClearedEvents(tx, EVENTS);
      const steps = removeAll(other);
      const waiting =
        "SELECT 1 FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid";
      while ((await tx.query(waiting)).length === 0) await sleep(20);
      // In an object, or else the transaction would wait for those who wait for it.
      return { steps };
    });
    expect(await steps).toEqual([
      { removed: { "cleared events": 0 }, reached: BEFORE - 1501 },
      { removed: { "cleared events": 1000 }, reached: BEFORE - 501 },
      { removed: { "cleared events": 500 }, reached: BEFORE },
    ]);
    expect(await one.query("SELECT id FROM entry")).toEqual([]);
  } finally {
    await Promise.all([one.close(), other.close()]);
  }
});

test("on a large table every step goes by an index on kind and time", async () => {
  const db = await openPostgres({ dsn: await createPostgres() });
  const plans: string[] = [];
  try {
    await migrate(db);
    await db.query(
      `INSERT INTO entry (id, title, content, kind, data, archived, timestamp_created, timestamp_modified, context_id)
       SELECT gen_random_uuid()::text, '', '', kind, '{"clear_time": 1}', false, n * 300, 0, 'swf-alarms'
       FROM generate_series(1, 5000) AS n, unnest(ARRAY['engine_run', 'skipped_tick', 'event', 'notification']) AS kind`,
    );
    await db.query("ANALYZE entry");
    const explained: Queryable = {
      query: async (sql, params) => {
        const isPlain = /pg_advisory_xact_lock|INSERT/.test(sql);
        const plan = isPlain ? [] : await db.query(`EXPLAIN ${sql}`, params);
        plans.push(plan.map((row) => String(row["QUERY PLAN"])).join("\n"));
        return await db.query(sql, params);
      },
    };
    const sweep = { from: 0, before: 10 * DAY };
    await removeClearedEvents(explained, { ...sweep, kind: "cleared_events" });
    await removeNotifications(explained, { ...sweep, kind: "notifications" });
    const database = {
      ...explained,
      transaction: <T>(work: (tx: Queryable) => Promise<T>) => work(explained),
    };
    await foldRuns(
      { ...database, script: db.script, tryLock: db.tryLock, close: db.close },
      { ...sweep, kind: "engine_runs" },
      1,
    );
  } finally {
    await db.close();
  }
  const byTime = plans.filter((plan) => /entry_(context_4f8a8e|kind_5a2419)_idx/.test(plan));
  expect(byTime).toHaveLength(4);
  expect(plans.join("\n")).not.toMatch(/Seq Scan on entry (?!child)/);
});
