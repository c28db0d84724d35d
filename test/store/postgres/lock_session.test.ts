import { expect, test } from "vitest";
import type { Database } from "../../../src/store/database.ts";
import { openPostgres } from "../../../src/store/postgres/connect.ts";
import { LIMITS } from "../../../src/store/postgres/session.ts";
import { createPostgres } from "../../support/databases.ts";
import { loginTo } from "../../support/login.ts";

/** The sessions on the database, but for the one that asks. */
async function others(db: Database): Promise<number> {
  const [row] = await db.query(
    "SELECT count(*)::int AS others FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
  );
  return Number(row?.others);
}

async function eventually(count: () => Promise<number>, wanted: number): Promise<void> {
  await expect.poll(count, { timeout: 10_000 }).toBe(wanted);
}

test("the session that is opened for a lock is the one that takes it", async () => {
  const dsn = await createPostgres();
  const db = await openPostgres(loginTo(dsn), LIMITS, true);
  try {
    await eventually(() => others(db), 1);
    const attempt = await db.tryLock("a lock");
    expect(attempt.held).toBe(true);
    expect(await others(db)).toBe(1);
    const second = await db.tryLock("another lock");
    expect(second.held).toBe(true);
    expect(await others(db)).toBe(2);
  } finally {
    await db.close();
  }
});

test("it ends with the database where no lock is taken", async () => {
  const dsn = await createPostgres();
  const watcher = await openPostgres(loginTo(dsn));
  try {
    const db = await openPostgres(loginTo(dsn), LIMITS, true);
    await eventually(() => others(watcher), 2);
    await db.close();
    await eventually(() => others(watcher), 0);
  } finally {
    await watcher.close();
  }
});
