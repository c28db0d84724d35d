import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { busySite, holdAnswers, PATIENT } from "../support/busy_site.ts";
import { loginTo } from "../support/login.ts";
import { QUIET } from "../support/quiet.ts";
import { insertAlarm, readEntries } from "../support/rows.ts";
import { type Site, THINGS } from "../support/site.ts";
import { proxyDsn, type TcpProxy } from "../support/tcp_proxy.ts";

/** A site whose engine reaches its database through a network that can fail. */
async function siteBehindProxy(engine: string): Promise<{ site: Site; proxy: TcpProxy }> {
  const site = await busySite({});
  const { proxy, dsn } = await proxyDsn(site.dsn ?? "");
  onTestFinished(proxy.close);
  site.configure({ engine, dsn });
  return { site, proxy };
}

const LOCK_HOLDER = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** Ends the session of the lock, as a server does that has not heard of its client for too long. */
async function endLockSession(site: Site): Promise<void> {
  const admin = new pg.Client({ connectionString: site.dsn });
  await admin.connect();
  try {
    await admin.query(`SELECT pg_terminate_backend(pid) FROM (${LOCK_HOLDER}) AS holder`);
    await expect.poll(async () => (await admin.query(LOCK_HOLDER)).rows).toEqual([]);
  } finally {
    await admin.end();
  }
}

/** Holds the first mail back, and lets all others pass. */
function holdFirstMail(site: Site): { readonly asked: Promise<void>; release(): void } {
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const asked = new Promise<void>((resolve) => {
    site.mail.refuse = async () => {
      site.mail.refuse = undefined;
      resolve();
      await gate;
      return undefined;
    };
  });
  return { asked, release };
}

test("a tick whose lock went to the next one while its mails waited sends no other mail, says so and ends with 1", async () => {
  const { site, proxy } = await siteBehindProxy(PATIENT);
  const names = Array.from({ length: 9 }, (_, index) => `things_${index}`);
  await site.withDatabase(async (db) => {
    for (const name of names) await insertAlarm(db, name);
  });
  for (const name of names) site.module(`${name}.js`, THINGS);
  const held = holdFirstMail(site);
  const stale = site.tick();
  await held.asked;
  const recorded = async (): Promise<number> => (await site.entries("event")).length;
  await expect.poll(recorded, { timeout: 20_000 }).toBe(10);
  proxy.freeze();
  await endLockSession(site);
  site.configure({ engine: PATIENT });
  expect(await site.tick()).toEqual(QUIET);
  const mailsOfNext = site.mail.mails.length;
  expect(mailsOfNext).toBe(10);
  proxy.thaw();
  held.release();
  expect(await stale).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^swf-alarms: the tick ended early because .*; what was recorded stays, and the next tick continues\n$/,
    ),
  });
  // The one that was on its way.
  expect(site.mail.mails).toHaveLength(mailsOfNext + 1);
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(mailsOfNext + 1);
  const runs = await site.entries("engine_run");
  expect(runs.map(({ data }) => data.crashed_at === undefined)).toEqual([false, true, true]);
});

test("a tick that is late clears nothing that the next one has seen", async () => {
  const { site, proxy } = await siteBehindProxy(PATIENT);
  await site.tick();
  const held = holdAnswers(site);
  site.things = [];
  const stale = site.tick();
  await held.asked;
  proxy.freeze();
  await endLockSession(site);
  site.configure({ engine: PATIENT });
  const answered = holdAnswers(site);
  answered.release();
  site.things = [{ key: "a", subject: "A is wrong" }];
  expect(await site.tick()).toEqual(QUIET);
  site.things = [];
  proxy.thaw();
  held.release();
  expect(await stale).toMatchObject({ code: 1 });
  const [event] = await site.entries("event");
  expect(event?.data.clear_time).toBeNull();
});

test("a server that freezes in the middle of a tick holds it no longer than its limit", async () => {
  const { site, proxy } = await siteBehindProxy("tick_timeout = 8");
  const held = holdAnswers(site);
  const ticking = site.tick();
  await held.asked;
  proxy.freeze();
  held.release();
  expect(await ticking).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      "no response from the database within 5 s after the end of the tick's time; check the server and the network",
    ),
  });
  proxy.thaw();
  expect(await site.tick()).toMatchObject({ code: 0 });
  const runs = await site.withDatabase((db) => readEntries(db, "engine_run"));
  expect(runs.map(({ data }) => data.crashed_at === undefined)).toEqual([false, true]);
});

test("a server that is frozen from the start is not waited for longer than the tick's limit", async () => {
  const { site, proxy } = await siteBehindProxy("tick_timeout = 1");
  proxy.freeze();
  expect(await site.tick()).toMatchObject({
    code: 2,
    stderr: "swf-alarms: out of time: the tick's limit of 1 s has passed\n",
  });
});

test("what a process that is gone has locked does not keep the next tick from beginning", async () => {
  const site = await busySite({});
  await site.tick();
  const gone = await openPostgres(loginTo(site.dsn ?? ""));
  onTestFinished(() => gone.close());
  const locked = new Promise<void>((resolve) => {
    const hang = gone.transaction(async (tx) => {
      await tx.query("SELECT 1 FROM entry WHERE name = 'state:tick:generation' FOR SHARE");
      resolve();
      await new Promise(() => {});
    });
    hang.catch(() => {});
  });
  await locked;
  expect(await site.tick()).toEqual(QUIET);
});
