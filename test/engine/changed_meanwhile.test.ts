import { expect, test } from "vitest";
import type { Database, Lock } from "../../src/store/database.ts";
import { openPostgres } from "../../src/store/postgres.ts";
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

test("where the lock was lost while detect ran, events are read again, and nothing is cleared", async () => {
  const slippery = new Slippery();
  const at = await engineAt(async () => withLock(await openServer(), slippery));
  await insertAlarm(at.db, "x");
  at.says("x", { keys: ["a", "b", "c"] });
  await at.tick();
  at.now += 300;
  slippery.isLost = true;
  at.says("x", { keys: ["a"] });
  const report = await at.tick();
  expect(report?.errors).toEqual([
    expect.stringContaining("the tick's lock was lost while it ran"),
  ]);
  const left = (await readEntries(at.db, "event")).filter(({ data }) => data.clear_time === null);
  expect(left.map(({ data }) => data.dedupe_key).toSorted()).toEqual(["a", "b", "c"]);
});

test("an event that somebody ends while detect runs is not mailed as continuing", async () => {
  const at = await engineAt(openServer);
  await insertAlarm(at.db, "x", { renotification_window_hours: 0.01 });
  at.says("x", { keys: ["a", "b"] });
  await at.tick();
  at.now += 3600;
  const db = at.db;
  let ended = false;
  const { query } = db;
  db.query = async (sql, params) => {
    const rows = await query.call(db, sql, params);
    if (!ended && sql.includes("AS digest")) {
      ended = true;
      await query.call(
        db,
        `UPDATE entry SET archived = true WHERE kind = 'event' AND data->>'dedupe_key' = 'a'`,
      );
    }
    return rows;
  };
  await at.tick();
  expect(ended).toBe(true);
  const mail = (await readEntries(at.db, "notification")).at(-1);
  expect(mail?.title).toBe("[alarm_x] 1 detection(s), 0 new, 1 continuing");
  expect(mail?.data.continuing_event_ids).toHaveLength(1);
});
