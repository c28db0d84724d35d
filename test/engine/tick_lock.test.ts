import { expect, onTestFinished, test } from "vitest";
import { type LockFacts, TickLock } from "../../src/engine/tick_lock.ts";
import { type Database, DatabaseBusy, DatabaseError } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { listSkipped } from "../../src/store/skipped_ticks.ts";
import { createPostgres } from "../support/databases.ts";
import { proxyDsn } from "../support/tcp_proxy.ts";

const NOW = 1_800_000_000;

async function open(dsn: string): Promise<Database> {
  const db = await openPostgres({ dsn });
  onTestFinished(() => db.close());
  return db;
}

/** A tick's facts on a database, and what it says. */
function factsOn(db: Database): LockFacts & { readonly said: string[] } {
  const said: string[] = [];
  const keep = (level: string) => (message: string) => {
    said.push(`${level} ${message}`);
  };
  return {
    db,
    clock: () => NOW,
    log: { error: keep("error"), info: keep("info"), debug: keep("debug") },
    config: { db: { kind: "dsn", dsn: "unused" } },
    said,
  };
}

test("a lock that another tick holds: the skip is recorded, and the reason names the holder", async () => {
  const dsn = await createPostgres();
  const [first, second] = [factsOn(await open(dsn)), factsOn(await open(dsn))];
  await migrate(first.db);
  const lock = await TickLock.take(first, 600);
  const failure: unknown = await TickLock.take(second, 600).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(DatabaseBusy);
  expect(String(failure)).toMatch(/another tick is at work on this database \(session \d+, for /);
  const [skipped] = await listSkipped(first.db, 10);
  expect(skipped).toMatchObject({ at: NOW, pid: process.pid });
  expect(String(failure)).toContain(skipped?.reason);
  await lock.release();
  await (await TickLock.take(second, 600)).release();
  expect([first.said, second.said]).toEqual([[], []]);
});

test("a skip that cannot be recorded is a skip all the same", async () => {
  const dsn = await createPostgres();
  const [first, second] = [factsOn(await open(dsn)), factsOn(await open(dsn))];
  await TickLock.take(first, 600);
  await expect(TickLock.take(second, 600)).rejects.toThrow(DatabaseBusy);
  expect(second.said).toEqual([
    expect.stringMatching(/^info cannot record skipped ticks: .*"entry" does not exist/),
  ]);
});

test("a holder that hangs is ended and that is said as an error; it finds that its lock was taken", async () => {
  const direct = await createPostgres();
  const { proxy, dsn } = await proxyDsn(direct);
  onTestFinished(proxy.close);
  const hung = factsOn(await open(dsn));
  const lost = await TickLock.take(hung, 600);
  proxy.freeze();
  const next = factsOn(await open(direct));
  await migrate(next.db);
  const lock = await untilTaken(() => TickLock.take(next, 0.2));
  expect(next.said).toEqual([
    expect.stringMatching(/^error the tick's lock was held by session \d+, .* and was ended$/),
  ]);
  await lock.ensure();

  proxy.thaw();
  // It learns of the loss when the server's word reaches it, and from then on nothing is written.
  const failure = await untilThrown(() => lost.ensure());
  expect(failure).toBeInstanceOf(DatabaseError);
  expect(String(failure)).toMatch(
    /the tick's lock was lost and another tick has taken it \(session \d+, .*\): nothing was written/,
  );
  await expect(lost.ensure()).rejects.toThrow("nothing was written");

  await lock.release();
  await Promise.all([lost.ensure(), lost.ensure(), lost.ensure()]);
  expect(hung.said).toEqual(["info the tick's lock was lost with its connection, and taken again"]);
  await expect(TickLock.take(next, 600)).rejects.toThrow(DatabaseBusy);
});

async function untilTaken(take: () => Promise<TickLock>): Promise<TickLock> {
  for (;;) {
    try {
      return await take();
    } catch (error) {
      if (!(error instanceof DatabaseBusy)) throw error;
    }
  }
}

async function untilThrown(attempt: () => Promise<void>): Promise<unknown> {
  for (;;) {
    try {
      await attempt();
    } catch (error) {
      return error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
