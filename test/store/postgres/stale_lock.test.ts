import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Database, LockAttempt } from "../../../src/store/database.ts";
import { openPostgres } from "../../../src/store/postgres/connect.ts";
import { createPostgres } from "../../support/databases.ts";
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
    gone = await openPostgres({ dsn });
    db = await openPostgres({ dsn: direct });
    attempt = await gone.tryLock("tick");
    proxy.freeze();
    expect(attempt.held).toBe(true);
  });
  afterEach(async () => {
    await Promise.all([gone.close(), db.close()]);
    await proxy.close();
  });

  test("is left to it while it may be at work, and it is named", async () => {
    for (const staleAfter of [undefined, 600]) {
      expect(await db.tryLock("tick", staleAfter)).toEqual({
        held: false,
        overdue: false,
        holder: expect.stringMatching(/^session \d+, for \d+ s$/),
      });
    }
    expect(await db.tryLock("another", 0)).toMatchObject({ held: true, ended: undefined });
  });

  test("is taken from it once it is too old, and it learns of that when it comes back", async () => {
    const taken = await eventuallyTaken(db, "tick", 0.2);
    expect(taken.ended).toMatch(/^session \d+, for \d+ s, longer than any tick may take/);
    expect(taken.lock.isHeld()).toBe(true);
    proxy.thaw();
    if (attempt.held) await eventually(() => attempt.held && !attempt.lock.isHeld());
    expect(await gone.tryLock("tick")).toMatchObject({ held: false });
    await taken.lock.release();
    expect(await gone.tryLock("tick")).toMatchObject({ held: true });
  });

  test("a holder whose age a role may not see is left alone, with what to do", async () => {
    const other = await openAs("GRANT SELECT ON pg_locks TO ROLE");
    expect(await other.tryLock("tick", 0)).toEqual({
      held: false,
      overdue: false,
      holder: expect.stringMatching(
        /^session (\d+) of another role; if no tick is running, end it: SELECT pg_terminate_backend\(\1\)$/,
      ),
    });
  });

  test("a holder that a role may see and not end is named as dead, with what to do", async () => {
    const other = await openAs("GRANT pg_read_all_stats TO ROLE");
    const refused = await eventually(async () => {
      const made = await other.tryLock("tick", 0.2);
      return !made.held && made.holder.includes("dead") ? made : undefined;
    });
    expect(refused.holder).toMatch(
      /^session (\d+), for \d+ s: it is hung or dead, and this role may not terminate it; ask an administrator to run: SELECT pg_terminate_backend\(\1\)$/,
    );
    expect(await db.tryLock("tick")).toMatchObject({ held: false });
  });

  /** A session as a role of its own with one right. */
  async function openAs(grant: string): Promise<Database> {
    const name = `r_${direct.slice(-12)}`;
    await db.script(`CREATE ROLE ${name} LOGIN PASSWORD 'pw'; ${grant.replace("ROLE", name)}`);
    const url = new URL(direct);
    url.username = name;
    url.password = "pw";
    const other = await openPostgres({ dsn: url.href });
    onTestFinished(() => other.close());
    return other;
  }
});

async function eventuallyTaken(db: Database, name: string, staleAfter: number) {
  return await eventually(async () => {
    const attempt = await db.tryLock(name, staleAfter);
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
