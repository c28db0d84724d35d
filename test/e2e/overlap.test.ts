import { hostname } from "node:os";
import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { busySite, holdAnswers, PATIENT, startTick } from "../support/busy_site.ts";
import { eventData, runData } from "../support/contract.ts";
import { health, taskHistory } from "../support/dashboard.ts";
import { startServer } from "../support/http_server.ts";
import { QUIET } from "../support/quiet.ts";
import { dump, only } from "../support/rows.ts";

test("while another tick holds the lock, a tick records that it is skipped and nothing else, exits 0 and says so to whoever looks", async () => {
  const site = await busySite({});
  const holder = new pg.Client({ connectionString: site.dsn });
  await holder.connect();
  onTestFinished(() => holder.end());
  await holder.query("SELECT pg_advisory_lock(hashtext('swf-alarms tick'))");
  const before = await site.withDatabase(dump);
  const since = Date.now() / 1000;
  expect(await site.tick()).toEqual(QUIET);
  const verbose = await site.tick("-v");
  expect(verbose).toMatchObject({ code: 0, stderr: "" });
  expect(verbose.stdout).toContain("tick skipped: another tick is running on this database");
  expect(await site.tick("--dry-run")).toMatchObject({ code: 0, stderr: "" });
  const skipped = await site.entries("skipped_tick");
  expect(skipped).toHaveLength(3);
  for (const row of skipped) {
    expect(row).toMatchObject({
      title: expect.stringMatching(/^Tick skipped: another tick is running/),
      status: "done",
      archived: false,
      context_id: "swf-alarms",
      data: {
        entry_id: `skipped_${Math.floor(row.timestamp_created)}`,
        at: row.timestamp_created,
        host: hostname(),
        pid: expect.any(Number),
        reason: expect.stringMatching(
          /^another tick is running on this database \(session \d+, for \d+ s\)$/,
        ),
      },
    });
    expect(row.timestamp_created).toBeGreaterThanOrEqual(since);
  }
  await site.query("DELETE FROM entry WHERE kind = 'skipped_tick'");
  expect(await site.withDatabase(dump)).toBe(before);
  expect(site.source.requests).toEqual([]);
  expect(site.log()).toContain("tick skipped");

  await holder.query("SELECT pg_advisory_unlock(hashtext('swf-alarms tick'))");
  expect(await site.tick()).toEqual(QUIET);
  expect(await site.entries("event")).toHaveLength(1);
});

test("of two ticks at once one works and the other is skipped", async () => {
  const site = await busySite({ engine: PATIENT });
  const held = holdAnswers(site);
  const first = site.tick();
  await held.asked;
  expect(await site.tick()).toEqual(QUIET);
  held.release();
  expect(await first).toEqual(QUIET);
  expect(await site.entries("engine_run")).toHaveLength(1);
  expect(await site.entries("event")).toHaveLength(1);
  expect(site.mail.mails).toHaveLength(1);
});

test("ten ticks started at the same moment leave one event, one mail and only finished runs", async () => {
  const site = await busySite({});
  const results = await Promise.all(Array.from({ length: 10 }, () => site.tick()));
  expect(results).toEqual(Array.from({ length: 10 }, () => QUIET));
  expect(eventData(only(await site.entries("event"))).clear_time).toBeNull();
  expect(site.mail.mails).toHaveLength(1);
  for (const run of await site.entries("engine_run")) runData(run);
});

test("a tick killed in the middle blocks nobody, and its events are continued", async () => {
  const site = await busySite({ engine: PATIENT });
  await site.tick();
  const held = holdAnswers(site);
  const tick = startTick(site);
  await held.asked;
  await tick.kill();
  held.release();
  expect(await site.tick()).toEqual(QUIET);
  expect(only(await site.entries("event")).data).toMatchObject({ clear_time: null });
  expect(site.mail.mails).toHaveLength(1);
  const runs = await site.entries("engine_run");
  expect(runs).toHaveLength(3);
  // Closed, and without its end: the dashboard shows "unknown" for it.
  expect(runs[1]).toMatchObject({
    status: "done",
    data: {
      started_at: expect.any(Number),
      crashed_at: runs[2]?.data.started_at,
      errors: 1,
      error_details: expect.stringMatching(/^the tick was interrupted before its end; /),
    },
  });
  expect(runs[1]?.data).not.toHaveProperty("finished_at");
  const events = await site.entries("event");
  expect(taskHistory(runs, events, "alarm_things", "a", Date.now() / 1000)).toEqual([
    "firing",
    "unknown",
    "firing",
  ]);
  expect(health(runs, Date.now() / 1000)).toBe("ok");
  const list = await site.command(["run", "list"]);
  expect(list.stdout.split("\n")[2]).toMatch(/ crashed .* the tick was interrupted/);
});

test("killed while its mail was on the way, the attempt says unknown and the next tick mails", async () => {
  const site = await busySite({});
  let called = (): void => {};
  const calling = new Promise<void>((resolve) => {
    called = resolve;
  });
  // The endpoint has the mail, and the engine dies before it can hear of it.
  const hold = await startServer((request) => {
    request.resume();
    called();
  });
  onTestFinished(() => hold.close());
  site.configure({ endpoint: hold.url });
  const tick = startTick(site);
  await calling;
  await tick.kill();
  const attempt = only(await site.entries("notification"));
  expect(attempt).toMatchObject({ status: "active", data: { outcome: "unknown" } });
  expect(eventData(only(await site.entries("event"))).last_notified).toBeUndefined();

  site.configure({});
  expect(await site.tick()).toEqual(QUIET);
  const mail = only(site.mail.mails);
  expect(mail.subject).toBe("[alarm_things] 1 detection(s), 1 new, 0 continuing: A is wrong");
  expect(mail.text).toContain("may be a duplicate");
  expect(only(await site.entries("notification"))).toMatchObject({
    id: attempt.id,
    data: { outcome: "delivered", attempts: 2 },
  });
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(1);
});
