import { expect, onTestFinished, test } from "vitest";
import { type LockFacts, lockTicks, requireLock } from "../../src/engine/tick_lock.ts";
import { type Database, DatabaseBusy, DatabaseError, type Lock } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { listSkipped } from "../../src/store/skipped_ticks.ts";
import { createPostgres } from "../support/databases.ts";
import { proxyDsn } from "../support/tcp_proxy.ts";
import { engineSettings } from "./engine_at.ts";

const NOW = 1_800_000_000;

async function open(dsn: string): Promise<Database> {
  const db = await openPostgres({ dsn });
  onTestFinished(() => db.close());
  return db;
}

/** A tick's facts on a database, and what it logs. `tickTimeout` is in seconds. */
function factsOn(db: Database, tickTimeout = 300): LockFacts & { readonly said: string[] } {
  const said: string[] = [];
  const keep = (level: string) => (message: string) => {
    said.push(`${level} ${message}`);
  };
  return {
    db,
    clock: () => NOW,
    log: { error: keep("error"), info: keep("info"), debug: keep("debug") },
    config: { engine: { ...engineSettings(), tickTimeout } },
    said,
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
  await lockTicks(first);
  await expect(lockTicks(second)).rejects.toThrow(DatabaseBusy);
  expect(second.said).toEqual([
    expect.stringMatching(/^info cannot record skipped ticks: .*"entry" does not exist/),
  ]);
});

test("a holder that hangs is ended, which is an error in the log; it finds that its lock is lost", async () => {
  const direct = await createPostgres();
  const { proxy, dsn } = await proxyDsn(direct);
  onTestFinished(proxy.close);
  const lost = await lockTicks(factsOn(await open(dsn)));
  proxy.freeze();
  const next = factsOn(await open(direct), 0.1);
  await migrate(next.db);
  const lock = await untilTaken(() => lockTicks(next));
  expect(next.said).toEqual([
    expect.stringMatching(/^error the tick's lock was held by session \d+, .* and was terminated$/),
  ]);
  expect(() => requireLock(lock)).not.toThrow();

  proxy.thaw();
  // It learns of the loss when the server's message reaches it, and from then on nothing is written.
  await expect.poll(() => lost.isHeld()).toBe(false);
  expect(() => requireLock(lost)).toThrow(DatabaseError);
  expect(() => requireLock(lost)).toThrow("the connection that holds its lock was lost");
  await lock.release();
});

test("a plan needs no lock", () => {
  expect(() => requireLock(undefined)).not.toThrow();
});

async function untilTaken(take: () => Promise<Lock>): Promise<Lock> {
  for (;;) {
    try {
      return await take();
    } catch (error) {
      if (!(error instanceof DatabaseBusy)) throw error;
    }
  }
}
