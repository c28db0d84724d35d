import { expect, test } from "vitest";
import type { Database, Lock } from "../../src/store/database.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { CountingDatabase } from "../support/counting_database.ts";
import { createPostgres } from "../support/databases.ts";
import { insertAlarm, readEntries } from "../support/rows.ts";
import { engineAt } from "./engine_at.ts";

/** A lock that is lost when it is looked at next, and can be taken again. */
class Slippery {
  isLost = false;

  hold(lock: Lock): Lock {
    const isHeld = (): boolean => {
      const { isLost } = this;
      this.isLost = false;
      return !isLost && lock.isHeld();
    };
    return { isHeld, release: () => lock.release() };
  }
}

function withLock(db: Database, slippery: Slippery): Database {
  return {
    query: (sql, params) => db.query(sql, params),
    transaction: (work, options) => db.transaction(work, options),
    script: (sql) => db.script(sql),
    tryLock: async () => {
      const release = async (): Promise<void> => {};
      const lock = slippery.hold({ isHeld: () => true, release });
      return { held: true, lock, ended: undefined };
    },
    close: () => db.close(),
  };
}

/** Does something once, when an alarm's active events have been read. */
function afterFirstRead(db: Database, act: (query: Database["query"]) => Promise<void>): void {
  const query = db.query.bind(db);
  let done = false;
  db.query = async (sql, params) => {
    const rows = await query(sql, params);
    if (!done && sql.includes("AS digest")) {
      done = true;
      await act(query);
    }
    return rows;
  };
}

/** Dedupe keys of the active events. */
async function active(db: Database): Promise<readonly string[]> {
  const events = (await readEntries(db, "event")).filter(({ data }) => data.clear_time === null);
  return events.map(({ data }) => String(data.dedupe_key)).toSorted();
}

async function openServer(): Promise<Database> {
  return await openPostgres({ dsn: await createPostgres() });
}

test("a plan that opens, clears or holds events waits for the disk; one that touches alone does not", async () => {
  let db: CountingDatabase | undefined;
  const at = await engineAt(async () => {
    db = new CountingDatabase(await openServer());
    return db;
  });
  const begins = async (keys: readonly string[]) => {
    at.says("x", { keys });
    db?.take();
    expect((await at.tick())?.errors).toEqual([]);
    at.now += 300;
    const sent = db?.take().map(({ sql }) => sql) ?? [];
    return sent.filter((sql) => sql.startsWith("BEGIN"));
  };
  await begins([]);
  const many = Array.from({ length: 20 }, (_, key) => `k${key}`);
  expect(await begins(many)).toEqual(["BEGIN"]);
  expect(await begins(many)).toEqual(["BEGIN, unflushed"]);
  // The clear guard holds them back at first.
  expect(await begins([])).toEqual(["BEGIN"]);
  expect(await begins([])).toEqual(["BEGIN"]);
  expect(await begins([])).toEqual([]);
});

test("where the lock was lost while detect ran, and nobody came between, the tick is whole", async () => {
  const slippery = new Slippery();
  const at = await engineAt(async () => withLock(await openServer(), slippery));
  await insertAlarm(at.db, "x");
  at.says("x", { keys: ["a", "b"] });
  await at.tick();
  at.now += 300;
  slippery.isLost = true;
  at.says("x", { keys: ["a", "c"] });
  expect((await at.tick())?.errors).toEqual([]);
  expect(await active(at.db)).toEqual(["a", "c"]);
});

test("where another tick ended an event meanwhile of which only the key is known, nothing is cleared", async () => {
  const slippery = new Slippery();
  const at = await engineAt(async () => withLock(await openServer(), slippery));
  await insertAlarm(at.db, "x");
  const many = Array.from({ length: 120 }, (_, key) => `k${key}`);
  at.says("x", { keys: many });
  await at.tick();
  at.now += 300;
  afterFirstRead(at.db, async (query) => {
    slippery.isLost = true;
    await query(
      `UPDATE entry SET data = data || '{"clear_time": 1}' WHERE kind = 'event' AND data->>'dedupe_key' = 'k110'`,
    );
  });
  at.says("x", { keys: many.slice(5) });
  expect((await at.tick())?.errors).toEqual([
    expect.stringContaining("another tick has ended some of its events"),
  ]);
  expect(await active(at.db)).toHaveLength(119);
  at.now += 300;
  expect((await at.tick())?.errors).toEqual([]);
  expect(await active(at.db)).toEqual(many.slice(5).toSorted());
});

test("an event that somebody ends while detect runs is not mailed as continuing", async () => {
  const at = await engineAt(openServer);
  await insertAlarm(at.db, "x", { renotification_window_hours: 0.01 });
  at.says("x", { keys: ["a", "b"] });
  await at.tick();
  at.now += 3600;
  let ended = false;
  afterFirstRead(at.db, async (query) => {
    ended = true;
    await query(
      `UPDATE entry SET archived = true WHERE kind = 'event' AND data->>'dedupe_key' = 'a'`,
    );
  });
  await at.tick();
  expect(ended).toBe(true);
  const mail = (await readEntries(at.db, "notification")).at(-1);
  expect(mail?.title).toBe("[alarm_x] 1 detection(s), 0 new, 1 continuing");
  expect(mail?.data.continuing_event_ids).toHaveLength(1);
});
