import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Database, LockAttempt } from "../../../src/store/database.ts";
import { openPostgres } from "../../../src/store/postgres/connect.ts";
import { createPostgres } from "../../support/databases.ts";
import { loginTo } from "../../support/login.ts";
import { proxyDsn, type TcpProxy } from "../../support/tcp_proxy.ts";

/** The lock of one whose host is gone: the server sees its session, and nobody is behind it. */
describe("a lock whose holder is behind a dead network", () => {
  let direct: string;
  let dsn: string;
  let proxy: TcpProxy;
  let gone: Database;
  let db: Database;
  let attempt: LockAttempt;
  beforeEach(async () => {
    direct = await createPostgres();
    ({ proxy, dsn } = await proxyDsn(direct));
    gone = await openPostgres(loginTo(dsn));
    db = await openPostgres(loginTo(direct));
  });
  /** Takes the lock for so many seconds, and loses the network. */
  const takeAndFreeze = async (limit: number): Promise<void> => {
    attempt = await gone.tryLock("tick", limit);
    expect(attempt.held).toBe(true);
    proxy.freeze();
  };
  afterEach(async () => {
    await Promise.all([gone.close(), db.close()]);
    await proxy.close();
  });

  test("is left to it while it may be at work, and it is named", async () => {
    await takeAndFreeze(600);
    // The limits of others do not count.
    for (const limit of [undefined, 0, 600]) {
      expect(await db.tryLock("tick", limit)).toEqual({
        held: false,
        holder: expect.stringMatching(/^session \d+, for \d+ s$/),
        overdue: false,
      });
    }
    expect(await db.tryLock("another", 1)).toMatchObject({ held: true, ended: undefined });
  });

  test("is taken from it once it is too old, and it learns of that when it comes back", async () => {
    await takeAndFreeze(1);
    const taken = await eventuallyTaken(db, "tick");
    expect(taken.ended).toMatch(/^session \d+, for \d+ s, longer than its limit of 1 s/);
    expect(taken.lock.lost.aborted).toBe(false);
    proxy.thaw();
    if (attempt.held) await eventually(() => attempt.held && attempt.lock.lost.aborted);
    expect(await gone.tryLock("tick")).toMatchObject({ held: false });
    await taken.lock.release();
    expect(await gone.tryLock("tick")).toMatchObject({ held: true });
  });

  test("a holder whose age a role may not see is left alone, with what to do", async () => {
    await takeAndFreeze(1);
    const other = await openAs("GRANT SELECT ON pg_locks TO ROLE");
    expect(await other.tryLock("tick")).toEqual({
      held: false,
      holder: expect.stringMatching(
        /^session (\d+) of another role; if no tick is running, end it: SELECT pg_terminate_backend\(\1\)$/,
      ),
      overdue: false,
    });
  });

  test("a holder that a role may see and not end is named as dead, with what to do", async () => {
    await takeAndFreeze(1);
    const other = await openAs("GRANT pg_read_all_stats TO ROLE");
    const refused = await eventually(async () => {
      const made = await other.tryLock("tick");
      return !made.held && made.holder.includes("dead") ? made : undefined;
    });
    expect(refused.holder).toMatch(
      /^session (\d+), for \d+ s: it is hung or dead, and this role may not terminate it; ask an administrator to run: SELECT pg_terminate_backend\(\1\)$/,
    );
    expect(refused.overdue).toBe(true);
  });

  /** A session as a role of its own with one right. */
  async function openAs(grant: string): Promise<Database> {
    const name = `r_${direct.slice(-12)}`;
    await db.script(`CREATE ROLE ${name} LOGIN PASSWORD 'pw'; ${grant.replace("ROLE", name)}`);
    const url = new URL(direct);
    url.username = name;
    url.password = "pw";
    const other = await openPostgres(loginTo(url.href));
    onTestFinished(() => other.close());
    return other;
  }
});

async function eventuallyTaken(db: Database, name: string) {
  return await eventually(async () => {
    const attempt = await db.tryLock(name);
    return attempt.held ? attempt : undefined;
  });
}

/** Asks again and again; the test's own time limit ends it. */
async function eventually<T>(
  ask: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
