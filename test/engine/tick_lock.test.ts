import { expect, onTestFinished, test } from "vitest";
import { openRun } from "../../src/engine/run.ts";
import { fenced, type LockFacts, lockTicks, TICK_LOCK } from "../../src/engine/tick_lock.ts";
import { type Database, DatabaseBusy, LockLost } from "../../src/store/database.ts";
import { nextGeneration } from "../../src/store/generation.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { listSkipped, recordSkipped } from "../../src/store/skipped_ticks.ts";
import { createPostgres } from "../support/databases.ts";
import { loginTo } from "../support/login.ts";
import { proxyDsn } from "../support/tcp_proxy.ts";
import { engineSettings } from "./engine_at.ts";

const NOW = 1_800_000_000;

async function open(dsn: string): Promise<Database> {
  const db = await openPostgres(loginTo(dsn));
  onTestFinished(() => db.close());
  return db;
}

/** A tick's facts on a database, and what it logs. `tickTimeout` is in seconds. */
function factsOn(
  db: Database,
  tickTimeout = 300,
): LockFacts & { readonly said: string[]; readonly lost: LockLost[] } {
  const said: string[] = [];
  const lost: LockLost[] = [];
  const keep = (level: string) => (message: string) => {
    said.push(`${level} ${message}`);
  };
  return {
    db,
    clock: () => NOW,
    log: { error: keep("error"), info: keep("info"), debug: keep("debug") },
    config: { engine: { ...engineSettings(), tickTimeout } },
    said,
    lost,
  };
}

test("a lock that another tick holds: the skip is recorded, and the reason names the holder", async () => {
  const dsn = await createPostgres();
  const [first, second] = [factsOn(await open(dsn)), factsOn(await open(dsn))];
  await migrate(first.db);
  const lock = await lockTicks(first);
  const failure: unknown = await lockTicks(second).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(DatabaseBusy);
  expect(String(failure)).toMatch(/another tick is running on this database \(session \d+, for /);
  const [skipped] = await listSkipped(first.db, 10);
  expect(skipped).toMatchObject({ at: NOW, pid: process.pid });
  expect(String(failure)).toContain(skipped?.reason);
  await lock.release();
  await (await lockTicks(second)).release();
  expect([first.said, second.said]).toEqual([[], []]);
});

test("a skip that cannot be recorded is a skip all the same", async () => {
  const dsn = await createPostgres();
  const [first, second] = [factsOn(await open(dsn)), factsOn(await open(dsn))];
  expect(await first.db.tryLock(TICK_LOCK)).toMatchObject({ held: true });
  await expect(lockTicks(second)).rejects.toThrow(DatabaseBusy);
  expect(second.said).toEqual([
    expect.stringMatching(/^info cannot record skipped ticks: .*"entry" does not exist/),
  ]);
});

interface Tick {
  readonly db: Database;
  release(): Promise<void>;
}

/** Takes the lock and begins, as a tick does. */
async function begin(facts: ReturnType<typeof factsOn>): Promise<Tick> {
  const lock = await lockTicks(facts);
  const { db, lost } = facts;
  const { generation } = await openRun(db, { ...facts, mode: "tick", only: undefined });
  const onLost = (error: LockLost): void => {
    lost.push(error);
  };
  return { db: fenced({ db, lock, generation, onLost }), release: () => lock.release() };
}

/** A write as a tick makes one. */
async function write({ db }: Tick): Promise<void> {
  await db.transaction((tx) => recordSkipped(tx, NOW, "written"));
}

test("a holder that exceeds its own limit is ended, which is an error in the log; it cannot write any more", async () => {
  const direct = await createPostgres();
  const { proxy, dsn } = await proxyDsn(direct);
  onTestFinished(proxy.close);
  const next = factsOn(await open(direct));
  await migrate(next.db);
  const hung = factsOn(await open(dsn), 0.1);
  const old = await begin(hung);
  proxy.freeze();
  const lock = await untilTaken(() => begin(next));
  expect(next.said).toEqual([
    expect.stringMatching(
      /^error the tick's lock was held by session \d+, for \d+ s, longer than its limit of 1 s, and was terminated$/,
    ),
  ]);
  await write(lock);
  proxy.thaw();
  await expect(write(old)).rejects.toThrow(LockLost);
  expect(hung.lost).not.toEqual([]);
  await write(lock);
  expect(next.lost).toEqual([]);
  await lock.release();
});

test("a holder within its own limit is left alone by a tick with a shorter one", async () => {
  const dsn = await createPostgres();
  const [slow, hasty] = [factsOn(await open(dsn), 300), factsOn(await open(dsn), 0.001)];
  await migrate(slow.db);
  const lock = await begin(slow);
  for (let tries = 0; tries < 3; tries++) await expect(begin(hasty)).rejects.toThrow(DatabaseBusy);
  await write(lock);
  expect([slow.said, slow.lost, hasty.said]).toEqual([[], [], []]);
  await lock.release();
});

test("once the next tick has begun, every transaction of the one before fails, though its session lives", async () => {
  const dsn = await createPostgres();
  const [first, second] = [factsOn(await open(dsn)), factsOn(await open(dsn))];
  await migrate(first.db);
  const old = await begin(first);
  await write(old);
  // The lock's session ends without a word to its owner, as behind a broken network.
  const unaware = await begin({
    ...second,
    db: { ...delegate(second.db), tryLock: async () => HELD },
  });
  await write(unaware);
  await expect(write(old)).rejects.toThrow(
    "the tick ended early because a later tick has begun; what was recorded stays, and the next tick continues",
  );
  expect(first.lost).toHaveLength(1);
  await expect(old.db.query("SELECT 1 AS one")).rejects.toThrow(LockLost);
  await write(unaware);
});

test("of two ticks at the same moment, whatever the order of their statements, the older one writes nothing after the newer one", async () => {
  const dsn = await createPostgres();
  const [a, b] = [factsOn(await open(dsn)), factsOn(await open(dsn))];
  await migrate(a.db);
  const old = await begin(a);
  let order: string[] = [];
  await old.db.transaction(async (tx) => {
    // It begins while the older one is inside a transaction, and waits for that.
    const begun = b.db
      .transaction((other) => nextGeneration(other, NOW))
      .then(() => order.push("b"));
    await recordSkipped(tx, NOW, "written");
    await new Promise((resolve) => setTimeout(resolve, 100));
    order.push("a");
    void begun;
  });
  await expect.poll(() => order).toEqual(["a", "b"]);
  order = [];
  await expect(write(old)).rejects.toThrow(LockLost);
});

const HELD = {
  held: true,
  lock: { lost: new AbortController().signal, release: async () => {} },
  ended: undefined,
} as const;

function delegate(db: Database): Database {
  return {
    query: (sql, params) => db.query(sql, params),
    transaction: (work, options) => db.transaction(work, options),
    script: (sql) => db.script(sql),
    tryLock: (name, limit) => db.tryLock(name, limit),
    isLocked: (name) => db.isLocked(name),
    close: () => db.close(),
  };
}

async function untilTaken(take: () => Promise<Tick>): Promise<Tick> {
  for (;;) {
    try {
      return await take();
    } catch (error) {
      if (!(error instanceof DatabaseBusy)) throw error;
    }
  }
}
