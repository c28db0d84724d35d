import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Retention } from "../../src/core/retention.ts";
import type { Database, Queryable, Transaction } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { countOld, pruneSome } from "../../src/store/retention.ts";
import { createPostgres, DATABASES } from "../support/databases.ts";
import { loginTo } from "../support/login.ts";
import { entryRows, insertEntry, insertVersion, type RawEntry } from "../support/raw_entries.ts";

const DAY = 86_400;
/** A midnight UTC: rows from before are old. */
const BEFORE = 1_793_491_200;
const OLD = BEFORE - 5;
const NOW = BEFORE + DAY;
const FOREVER: Retention = {
  engineRunsDays: undefined,
  clearedEventsDays: undefined,
  notificationsDays: undefined,
};
const RUNS: Retention = { ...FOREVER, engineRunsDays: 1 };
const EVENTS: Retention = { ...FOREVER, clearedEventsDays: 1 };
const MAILS: Retention = { ...FOREVER, notificationsDays: 1 };
const ALL: Retention = { engineRunsDays: 1, clearedEventsDays: 1, notificationsDays: 1 };

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
  { what: "deleted, cleared", entry: { data: { clear_time: OLD }, deletedAt: OLD }, goes: true },
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
  { what: "with a string for a time", entry: { data: { clear_time: "100" } }, goes: false },
  { what: "with an impossible time", entry: { data: { clear_time: 1e300 } }, goes: false },
  {
    what: "unsent on some channel",
    entry: { data: { clear_time: OLD, swf: { unsent: ["chat"] } } },
    goes: false,
  },
  {
    what: "unsent, by an earlier version",
    entry: { data: { clear_time: OLD, mail_owed: true } },
    goes: false,
  },
  { what: "sent on all", entry: { data: { clear_time: OLD, swf: { notified: {} } } }, goes: true },
  {
    what: "of another context",
    entry: { data: { clear_time: OLD }, context: "teams" },
    goes: false,
  },
  { what: "of no context", entry: { data: { clear_time: OLD }, context: null }, goes: false },
];

/** Mails that name `fresh`, `sent`, `unsent` and `gone`, which are events in these states. */
const named = (id: string, key = "new_event_ids") => ({ [key]: ["no-such-event", id] });
const MAIL_CASES: readonly Case[] = [
  { what: "delivered", entry: { data: { outcome: "delivered", ...named("fresh") } }, goes: true },
  {
    what: "failed for good",
    entry: { data: { outcome: "failed", ...named("fresh") } },
    goes: true,
  },
  { what: "unknown, of no event", entry: { data: { outcome: "unknown" } }, goes: true },
  {
    what: "unknown, but its event was mailed later",
    entry: { data: { outcome: "unknown", ...named("sent") } },
    goes: true,
  },
  {
    what: "unknown, of an event that cleared and is not unsent",
    entry: { data: { outcome: "unknown", ...named("gone") } },
    goes: true,
  },
  {
    what: "unknown, of an active event that is unsent",
    entry: { data: { outcome: "unknown", ...named("fresh") } },
    goes: false,
  },
  {
    what: "that may have been sent, of an event that cleared and is unsent",
    entry: {
      data: {
        outcome: "failed",
        may_have_been_sent: true,
        ...named("unsent", "cleared_event_ids"),
      },
    },
    goes: false,
  },
  {
    what: "interrupted, of a continuing event that is unsent",
    entry: { data: { outcome: "interrupted", ...named("fresh", "continuing_event_ids") } },
    goes: false,
  },
  {
    what: "pending",
    entry: { data: { outcome: "partial", pending: ["a@example.org"] } },
    goes: false,
  },
  { what: "open", entry: { data: { outcome: "failed", not_before: OLD } }, goes: false },
  {
    what: "given up, of an event that cleared and is unsent",
    entry: { data: { outcome: "failed", may_have_been_sent: true, ...named("cleared") } },
    goes: false,
  },
  { what: "at the limit", entry: { created: BEFORE, data: { outcome: "delivered" } }, goes: false },
  { what: "without data", entry: { data: null }, goes: true },
  { what: "of another context", entry: { context: "teams", data: {} }, goes: false },
];

/** Cleared events, a second apart, the newest a second before the limit. */
async function insertEvents(db: Queryable, count: number): Promise<void> {
  await db.query(
    `INSERT INTO entry (id, title, content, kind, data, archived, timestamp_created, timestamp_modified, context_id)
     SELECT gen_random_uuid()::text, '', '', 'event', '{"clear_time": 1}', false, $1 - n, 0, 'swf-alarms'
     FROM generate_series(1, $2::int) AS n`,
    [BEFORE, count],
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
  async function titlesOf(kind: string): Promise<readonly string[]> {
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
    const rows = EVENT_CASES.length - staying(EVENT_CASES).length;
    const kind = "cleared events";
    const noMemory = { kind: "memory rows", rows: 0, oldest: null, newest: null };
    expect(await countOld(db, EVENTS, NOW)).toEqual([
      { kind, rows, oldest: OLD, newest: OLD },
      noMemory,
    ]);
    expect(await db.transaction((tx) => pruneSome(tx, EVENTS, NOW))).toEqual(
      new Map([[kind, rows]]),
    );
    expect(await titlesOf("event")).toEqual(staying(EVENT_CASES));
    expect(await db.transaction((tx) => pruneSome(tx, EVENTS, NOW))).toEqual(new Map());
    expect(await countOld(db, EVENTS, NOW)).toEqual([
      { kind, rows: 0, oldest: null, newest: null },
      noMemory,
    ]);
  });

  test("what a deleted alarm remembers goes with the events, that of an alarm with a row stays", async () => {
    const remember = async (alarm: string, created: number): Promise<void> => {
      const name = `memory:${alarm}`;
      await insertEntry(db, { kind: "alarm_memory", title: alarm, name, created });
    };
    for (const id of ["used", "archived", "deleted", "young"])
      await insertEntry(db, {
        id,
        kind: "alarm",
        created: OLD,
        archived: id === "archived",
        ...(["deleted", "young"].includes(id) && { deletedAt: OLD }),
      });
    for (const alarm of ["used", "archived", "deleted", "gone"]) await remember(alarm, OLD);
    await remember("young", BEFORE);
    expect(await countOld(db, EVENTS, NOW)).toMatchObject([{}, { rows: 2 }]);
    expect(await db.transaction((tx) => pruneSome(tx, EVENTS, NOW))).toEqual(
      new Map([["memory rows", 2]]),
    );
    expect(await titlesOf("alarm_memory")).toEqual(["archived", "used", "young"]);
  });

  test("notifications go, except those that are still needed", async () => {
    const events = {
      fresh: { clear_time: null },
      sent: { clear_time: null, last_notified: OLD },
      unsent: { clear_time: OLD, mail_owed: true },
      cleared: { clear_time: OLD, swf: { unsent: ["chat"] } },
      gone: { clear_time: OLD },
    };
    for (const [id, data] of Object.entries(events))
      await insertEntry(db, { id, kind: "event", data });
    await insertCases("notification", MAIL_CASES);
    const rows = MAIL_CASES.length - staying(MAIL_CASES).length;
    expect(await countOld(db, MAILS, NOW)).toMatchObject([{ rows }]);
    expect(await db.transaction((tx) => pruneSome(tx, MAILS, NOW))).toEqual(
      new Map([["notifications", rows]]),
    );
    expect(await titlesOf("notification")).toEqual(staying(MAIL_CASES));
  });

  test("old runs go, except the last twenty over all alarms; skipped ticks go with them", async () => {
    const run = (n: number, entry: Partial<RawEntry> = {}) =>
      insertEntry(db, { kind: "engine_run", title: `run ${n}`, created: OLD - n, ...entry });
    for (let n = 10; n < 29; n++) await run(n);
    await run(5, { data: { only: ["x"] } });
    await run(6, { archived: true });
    await run(7, { deletedAt: 5 });
    await insertEntry(db, { kind: "skipped_tick", title: "old", created: OLD });
    await insertEntry(db, { kind: "skipped_tick", title: "new", created: BEFORE });
    expect(await db.transaction((tx) => pruneSome(tx, RUNS, NOW))).toEqual(
      new Map([
        ["engine runs", 3],
        ["skipped ticks", 1],
      ]),
    );
    expect(await titlesOf("skipped_tick")).toEqual(["new"]);
    for (let n = 0; n < 3; n++) await run(n);
    expect(await countOld(db, RUNS, NOW)).toMatchObject([{ rows: 2 }, { rows: 0 }]);
    expect(await db.transaction((tx) => pruneSome(tx, RUNS, NOW))).toEqual(
      new Map([["engine runs", 2]]),
    );
    const left = await titlesOf("engine_run");
    expect(left).toHaveLength(20);
    for (const gone of ["run 28", "run 27", "run 5"]) expect(left).not.toContain(gone);
  });

  test("rows with versions or with rows below them stay", async () => {
    const data = { clear_time: OLD };
    const edited = await insertEntry(db, { kind: "event", created: OLD, data });
    const parent = await insertEntry(db, { kind: "notification", created: OLD });
    const child = await insertEntry(db, { kind: "event", created: OLD, data });
    await insertEntry(db, { kind: "notification", created: OLD });
    await db.query("UPDATE entry SET parent_id = $1 WHERE id = $2", [parent, child]);
    await insertVersion(db, edited);
    expect(await db.transaction((tx) => pruneSome(tx, MAILS, NOW))).toEqual(
      new Map([["notifications", 1]]),
    );
    expect(await db.transaction((tx) => pruneSome(tx, EVENTS, NOW))).toEqual(
      new Map([["cleared events", 1]]),
    );
    expect([...(await entryRows(db, [edited, parent, child])).keys()].sort()).toEqual(
      [edited, parent].sort(),
    );
    // Nothing is below the parent any more.
    expect(await db.transaction((tx) => pruneSome(tx, MAILS, NOW))).toEqual(
      new Map([["notifications", 1]]),
    );
  });

  test("at most a thousand rows of a kind go at once, the oldest first", async () => {
    await insertEvents(db, 2_500);
    const counts: (number | undefined)[] = [];
    for (let more = true; more; ) {
      const removed = await db.transaction((tx) => pruneSome(tx, EVENTS, NOW));
      counts.push(removed.get("cleared events"));
      more = removed.size > 0;
      const [left] = await db.query("SELECT min(timestamp_created) AS oldest FROM entry");
      if (counts.length === 1) expect(left?.oldest).toBe(BEFORE - 1_500);
    }
    expect(counts).toEqual([1000, 1000, 500, undefined]);
  });

  test("rows of other kinds and contexts never go, however old; nor does anything that is kept forever", async () => {
    const ids: string[] = [];
    for (const kind of ["alarm", "team", "engine_state", "engine_day", "ping", "note", "run", ""])
      for (const context of ["swf-alarms", "teams", null])
        ids.push(await insertEntry(db, { kind, context, created: 1, data: { clear_time: 1 } }));
    for (const [name, status] of [
      ["state:pending:a", "active"],
      ["state:pending:b", "done"],
    ] as const)
      ids.push(await insertEntry(db, { kind: "engine_state", name, status, created: 1 }));
    for (const kind of ["engine_run", "skipped_tick"])
      for (const context of ["teams", null])
        ids.push(await insertEntry(db, { kind, context, created: 1 }));
    const before = await entryRows(db, ids);
    await db.query(
      `INSERT INTO entry (id, title, content, kind, data, archived, timestamp_created, timestamp_modified, context_id)
       SELECT gen_random_uuid()::text, '', '', kind, '{}', false, $1::float8 + n * 1000, 0, 'swf-alarms'
       FROM generate_series(-30, 30) AS n, unnest(ARRAY['engine_run', 'skipped_tick', 'event', 'notification', 'alarm_memory']) AS kind`,
      [BEFORE],
    );
    expect(await db.transaction((tx) => pruneSome(tx, FOREVER, NOW))).toEqual(new Map());
    expect(await db.transaction((tx) => pruneSome(tx, ALL, NOW))).toEqual(
      new Map([
        ["engine runs", 30],
        ["skipped ticks", 30],
        ["notifications", 30],
      ]),
    );
    expect(await entryRows(db, ids)).toEqual(before);
  });
});

test("rows that another process removes at this moment are not waited for", async () => {
  const dsn = await createPostgres();
  const [one, other] = await Promise.all([openPostgres(loginTo(dsn)), openPostgres(loginTo(dsn))]);
  try {
    await migrate(one);
    await insertEvents(one, 1_500);
    await one.transaction(async (tx) => {
      expect((await pruneSome(tx, EVENTS, NOW)).get("cleared events")).toBe(1_000);
      expect(
        (await other.transaction((tx) => pruneSome(tx, EVENTS, NOW))).get("cleared events"),
      ).toBe(500);
    });
    expect(await one.query("SELECT id FROM entry")).toEqual([]);
  } finally {
    await Promise.all([one.close(), other.close()]);
  }
});

test("what is kept forever costs no statement, which would require the right to delete", async () => {
  const db = {
    query: () => Promise.reject(new Error("a statement")),
    isTransaction: true,
  } as const;
  expect(await pruneSome(db, FOREVER, NOW)).toEqual(new Map());
});

test("a missing right is named, with what to do", async () => {
  const dsn = await createPostgres();
  const owner = await openPostgres(loginTo(dsn));
  const role = `r_${dsn.slice(-12)}`;
  const url = new URL(dsn);
  [url.username, url.password] = [role, "pw"];
  try {
    await migrate(owner);
    await owner.script(
      `CREATE ROLE ${role} LOGIN PASSWORD 'pw'; GRANT SELECT, UPDATE ON entry, entry_version TO ${role}`,
    );
    const db = await openPostgres(loginTo(url.href));
    await expect(db.transaction((tx) => pruneSome(tx, ALL, NOW))).rejects.toThrow(
      'cannot remove old rows: database error: permission denied for table entry; grant the engine\'s role the rights in deploy/grants.sql, or set "forever" in [retention]',
    );
    await db.close();
  } finally {
    await owner.close();
  }
});

test("on a large table every kind is found by the index on kind and time", async () => {
  const db = await openPostgres(loginTo(await createPostgres()));
  const plans: string[] = [];
  try {
    await migrate(db);
    await db.query(
      `INSERT INTO entry (id, title, content, kind, data, archived, timestamp_created, timestamp_modified, context_id)
       SELECT gen_random_uuid()::text, '', '', kind, '{"clear_time": 1}', false, n * 300, 0, 'swf-alarms'
       FROM generate_series(1, 5000) AS n, unnest(ARRAY['engine_run', 'skipped_tick', 'event', 'notification', 'alarm_memory']) AS kind`,
    );
    await db.query("ANALYZE entry");
    const explained: Transaction = {
      query: async (sql, params) => {
        const plan = await db.query(`EXPLAIN ${sql}`, params);
        plans.push(plan.map((row) => String(row["QUERY PLAN"])).join("\n"));
        return await db.query(sql, params);
      },
      isTransaction: true,
    };
    await pruneSome(explained, ALL, 11 * DAY);
    // And when there is nothing to remove.
    await pruneSome(explained, ALL, 2 * DAY);
  } finally {
    await db.close();
  }
  expect(plans).toHaveLength(2);
  for (const plan of plans) {
    const parts = plan.split("LockRows").slice(1);
    expect(parts).toHaveLength(5);
    for (const part of parts) expect(part).toMatch(/entry_(context_4f8a8e|kind_5a2419)_idx/);
  }
  expect(plans.join("\n")).not.toMatch(/Seq Scan on entry (?!child)/);
});
