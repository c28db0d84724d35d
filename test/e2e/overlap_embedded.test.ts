import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { HOLDER_FILE } from "../../src/store/embedded/folder_lock.ts";
import { busySite, holdAnswers, PATIENT, startTick } from "../support/busy_site.ts";
import { eventData, runData } from "../support/contract.ts";
import { QUIET } from "../support/quiet.ts";
import { only, readEntries } from "../support/rows.ts";
import { filesIn, makeSite, type Site, THINGS } from "../support/site.ts";

async function rows(site: Site) {
  return await site.withDatabase(async (db) => ({
    alarms: await readEntries(db, "alarm"),
    events: await readEntries(db, "event"),
    runs: await readEntries(db, "engine_run"),
  }));
}

test("of two ticks at once one works, and the other waits for it or is skipped", async () => {
  const site = await busySite({ database: "embedded" });
  const results = await Promise.all([site.tick(), site.tick()]);
  expect(results).toEqual([QUIET, QUIET]);
  const { events, runs } = await rows(site);
  expect(eventData(only(events)).clear_time).toBeNull();
  expect(site.mail.mails).toHaveLength(1);
  expect(runs.length).toBeGreaterThan(0);
  for (const run of runs) runData(run);
});

test("two first ticks at once make the database once", async () => {
  const site = await makeSite({ database: "embedded", bare: true });
  site.module("things.js", THINGS);
  expect(await Promise.all([site.tick(), site.tick()])).toEqual([QUIET, QUIET]);
  const { alarms, runs } = await rows(site);
  expect(alarms).toHaveLength(1);
  for (const run of runs) runData(run);
});

test("while a tick takes long, the next is skipped, and other commands say who has the database", async () => {
  const site = await busySite({ database: "embedded", engine: PATIENT });
  const held = holdAnswers(site);
  const first = site.tick();
  await held.asked;
  const [second, list] = await Promise.all([site.tick("-v"), site.command(["event", "list"])]);
  expect(second).toMatchObject({ code: 0, stderr: "" });
  expect(second.stdout).toMatch(
    /tick skipped: the embedded database [^\n]* is in use by process \d+/,
  );
  expect(list).toMatchObject({ code: 2, stdout: "" });
  expect(list.stderr).toMatch(
    /^swf-alarms: the embedded database [^\n]* is in use by process \d+[^\n]*\n$/,
  );
  held.release();
  expect(await first).toEqual(QUIET);
  const { runs } = await rows(site);
  expect(runs).toHaveLength(1);
  expect(site.mail.mails).toHaveLength(1);

  // The next tick that has the database takes in what the skipped one noted beside it.
  expect(filesIn(join(site.folder, "state"))).toContain("swf-alarms.skipped");
  expect(await site.tick()).toEqual(QUIET);
  expect(filesIn(join(site.folder, "state")).join(" ")).not.toContain("swf-alarms.skipped");
  const skipped = await site.command(["run", "list"]);
  expect(skipped.stdout).toMatch(/ skipped .* the embedded database [^\n]* is in use by process/);
  const facts = JSON.parse((await site.command(["run", "list", "--json"])).stdout);
  expect(facts.map((item: object) => "skipped" in item)).toEqual([false, true, false]);
});

test("a stopped tick is named; once it has had the database too long, cron hears of it and how to end it", async () => {
  const site = await busySite({ database: "embedded", engine: PATIENT });
  const held = holdAnswers(site);
  const stopped = startTick(site);
  await held.asked;
  stopped.child.kill("SIGSTOP");
  try {
    const pid = stopped.child.pid;
    const second = await site.tick("-v");
    expect(second).toMatchObject({ code: 0, stderr: "" });
    expect(second.stdout).toContain(` is in use by process ${pid} since `);

    const since = Date.now() / 1000 - 3600;
    writeFileSync(join(site.folder, "state", HOLDER_FILE), JSON.stringify({ pid, since }));
    const third = await site.tick();
    expect(third).toMatchObject({ code: 1, stdout: "" });
    expect(third.stderr).toMatch(
      /^swf-alarms: tick skipped: the embedded database [^\n]* since [^\n]* UTC, longer than any tick may take; end it: kill -9 \d+\n$/,
    );
    expect(third.stderr).toContain(`kill -9 ${pid}\n`);
  } finally {
    // As the message says: a stopped process heeds nothing milder.
    await stopped.kill();
  }
  held.release();
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(1);
  expect(filesIn(join(site.folder, "state"))).not.toContain(HOLDER_FILE);
  const list = await site.command(["run", "list"]);
  expect(list.stdout.match(/ skipped /g)).toHaveLength(2);
});

test("an index that somebody dropped is made again by the next tick", async () => {
  const site = await busySite({ database: "embedded" });
  await site.query("DROP INDEX swf_alarms_one_active_event");
  expect(await site.tick()).toEqual(QUIET);
  const made = "SELECT to_regclass('swf_alarms_one_active_event') IS NOT NULL AS made";
  expect(await site.query(made)).toEqual([{ made: true }]);
});

test("a tick killed in the middle blocks nobody, and its events are continued", async () => {
  const site = await busySite({ database: "embedded", engine: PATIENT });
  expect(await site.tick()).toEqual(QUIET);
  const held = holdAnswers(site);
  const tick = startTick(site);
  await held.asked;
  await tick.kill();
  held.release();
  expect(await site.tick()).toEqual(QUIET);
  const { events, runs } = await rows(site);
  expect(only(events).data).toMatchObject({ clear_time: null });
  expect(site.mail.mails).toHaveLength(1);
  expect(runs.map(({ status }) => status)).toEqual(["done", "done", "done"]);
  expect(runs.map(({ data }) => "finished_at" in data)).toEqual([true, false, true]);
});
