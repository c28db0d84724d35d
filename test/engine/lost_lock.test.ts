import { expect, test } from "vitest";
import type { Database } from "../../src/store/database.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { CountingDatabase } from "../support/counting_database.ts";
import { createPostgres } from "../support/databases.ts";
import { loginTo } from "../support/login.ts";
import { eventsOf, insertAlarm } from "../support/rows.ts";
import { engineAt } from "./engine_at.ts";

/** A database whose lock is lost once `state.isLost` is set. */
function withLock(db: Database, state: { isLost: boolean }): Database {
  return {
    query: (sql, params) => db.query(sql, params),
    transaction: (work, options) => db.transaction(work, options),
    script: (sql) => db.script(sql),
    tryLock: async () => {
      const lost = state.isLost ? AbortSignal.abort() : new AbortController().signal;
      const lock = { lost, release: async () => {} };
      return { held: true, lock, ended: undefined };
    },
    isLocked: (name) => db.isLocked(name),
    close: () => db.close(),
  };
}

/** Dedupe keys of the active events. */
async function active(db: Database): Promise<readonly string[]> {
  const events = (await eventsOf(db, "x")).filter(({ data }) => data.clear_time === null);
  return events.map(({ data }) => String(data.dedupe_key)).toSorted();
}

async function openServer(): Promise<Database> {
  return await openPostgres(loginTo(await createPostgres()));
}

test("a tick that loses its lock writes nothing more and ends with a reason; the next one continues", async () => {
  const state = { isLost: false };
  const at = await engineAt(async () => withLock(await openServer(), state));
  await insertAlarm(at.db, "x");
  at.says("x", { keys: ["a", "b"] });
  await at.tick();
  at.now += 300;
  state.isLost = true;
  at.says("x", { keys: ["a", "c"] });
  await expect(at.tick()).rejects.toThrow(
    "the tick ended early because the connection that holds its lock was lost",
  );
  expect(await active(at.db)).toEqual(["a", "b"]);
  at.now += 300;
  state.isLost = false;
  expect((await at.tick())?.errors).toEqual([]);
  expect(await active(at.db)).toEqual(["a", "c"]);
});

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
    // Of the transactions that write events.
    const sent = db?.take() ?? [];
    return sent.flatMap(({ sql }, begin) => {
      if (!sql.startsWith("BEGIN")) return [];
      const end = sent.findIndex((statement, at) => at > begin && statement.sql === "COMMIT");
      const inside = sent.slice(begin, end);
      const isOfEvents = inside.some(
        ({ sql: text, params }) =>
          /coalesce\(data->'clear_time'/.test(text) || params[1] === "event",
      );
      return isOfEvents ? [sql] : [];
    });
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
