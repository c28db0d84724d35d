import { readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { APART } from "../support/apart.ts";
import { busySite, holdAnswers, PATIENT, startTick } from "../support/busy_site.ts";
import { eventData, runData } from "../support/contract.ts";
import { runEngine } from "../support/process.ts";
import { QUIET } from "../support/quiet.ts";
import { only, readEntries, withoutEngine } from "../support/rows.ts";
import { filesIn, makeSite, type Site, THINGS } from "../support/site.ts";

/** Needs no service, and takes so long that ticks overlap. */
const TWENTY = `export async function* detect() {
  await new Promise((resolve) => setTimeout(resolve, 2000));
  for (let n = 0; n < 20; n++) yield { dedupeKey: "k" + n };
}`;

async function rows(site: Site) {
  return await site.withDatabase(async (db) => ({
    alarms: withoutEngine(await readEntries(db, "alarm")),
    events: withoutEngine(await readEntries(db, "event")),
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

test("while a tick takes long, the next is skipped, and commands read and change the database", async () => {
  const site = await busySite({ database: "embedded", engine: PATIENT });
  // Left by an earlier version.
  writeFileSync(join(site.folder, "state", "swf-alarms.skipped"), "{}\n");
  const held = holdAnswers(site);
  const first = startTick(site);
  await held.asked;
  const second = await site.tick("-v");
  expect(second).toMatchObject({ code: 0, stderr: "" });
  expect(second.stdout).toMatch(
    new RegExp(`tick skipped: another tick is running .*process ${first.child.pid} since `),
  );
  expect(await site.command(["event", "list"])).toMatchObject({ code: 0, stderr: "" });
  expect((await site.command(["status"])).stdout).toMatch(/^running now {3}for \d+ s$/m);
  const set = await site.command(["alarm", "set", "things", "--title", "Another title"]);
  expect(set).toMatchObject({ code: 0, stderr: "" });
  const plan = await site.command(["run", "list", "--json"]);
  expect(plan).toMatchObject({ code: 0, stderr: "" });
  held.release();
  expect(await first.ended).toBe(0);
  expect((await site.command(["status"])).stdout).toMatch(/^running now {3}no$/m);
  const { runs, alarms } = await rows(site);
  expect(only(alarms).title).toBe("Another title");
  expect(runs).toHaveLength(1);
  expect(site.mail.mails).toHaveLength(1);

  const skipped = await site.command(["run", "list"]);
  expect(skipped.stdout).toMatch(/ skipped .* another tick is running .*process \d+ since /);
  const facts = JSON.parse((await site.command(["run", "list", "--json"])).stdout);
  expect(facts.runs.map(({ state }: { state: string }) => state)).toEqual(["skipped", "finished"]);
  expect(filesIn(join(site.folder, "state")).join(" ")).not.toContain("lock");
});

test("a tick that uses the database all the time lets commands have their turn", async () => {
  const site = await makeSite({ database: "embedded", engine: PATIENT });
  const ALARMS = 20;
  // One after the other, they use the database more often than once a second for a while.
  for (let n = 0; n < ALARMS; n++)
    site.module(
      `slow${n}.js`,
      `export async function* detect() {
         await new Promise((resolve) => setTimeout(resolve, ${n * 200}));
         yield { dedupeKey: "a" };
       }`,
    );
  const tick = startTick(site);
  let answers = 0;
  let running = true;
  void tick.ended.then(() => {
    running = false;
  });
  while (running) {
    expect(await site.command(["event", "list"])).toMatchObject({ code: 0, stderr: "" });
    answers += 1;
  }
  expect(await tick.ended).toBe(0);
  expect(answers).toBeGreaterThan(1);
  const { events, runs } = await rows(site);
  expect(events).toHaveLength(ALARMS);
  expect(runs).toHaveLength(1);
}, 300_000);

test("a stopped tick is named; once it has run longer than its own limit, cron hears of it and how to end it", async () => {
  const site = await busySite({ database: "embedded", engine: `${PATIENT}\ntick_timeout = 600` });
  const held = holdAnswers(site);
  const stopped = startTick(site);
  await held.asked;
  // By then it has closed the database.
  await expect
    .poll(() => filesIn(join(site.folder, "state")), { timeout: 20_000 })
    .not.toContain("swf-alarms.lock");
  stopped.child.kill("SIGSTOP");
  try {
    const pid = stopped.child.pid;
    // The limit of the tick that is skipped does not matter.
    site.configure({ database: "embedded", engine: `${PATIENT}\ntick_timeout = 10` });
    const second = await site.tick("-v");
    expect(second).toMatchObject({ code: 0, stderr: "" });
    expect(second.stdout).toContain(`process ${pid} since `);
    expect(await site.command(["event", "list"])).toMatchObject({ code: 0, stderr: "" });

    // As if its limit were over.
    const lock = join(site.folder, "state", "swf-alarms.tick.lock");
    const [socket = ""] = readdirSync(lock);
    const [number, since, limit, ...rest] = socket.split(".");
    expect([number, limit]).toEqual([String(pid), "1200"]);
    const old = [number, since, "0", ...rest].join(".");
    renameSync(join(lock, socket), join(lock, old));
    const third = await site.tick();
    expect(third).toMatchObject({ code: 1, stdout: "" });
    expect(third.stderr).toMatch(
      /^swf-alarms: tick skipped: another tick is running [^\n]* since [^\n]* UTC, longer than it may take; end it: kill -9 \d+\)?\n$/,
    );
    expect(third.stderr).toContain(`kill -9 ${pid}`);
  } finally {
    // As the message says: a stopped process heeds nothing milder.
    await stopped.kill();
  }
  held.release();
  // One second is too short for a whole tick on a busy machine.
  site.configure({ database: "embedded", engine: PATIENT });
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(1);
  expect(filesIn(join(site.folder, "state")).join(" ")).not.toContain("lock");
  const list = await site.command(["run", "list"]);
  expect(list.stdout.match(/ skipped /g)).toHaveLength(2);
});

test("ticks by two paths: one mail for one event", async () => {
  const site = await busySite({ database: "embedded", engine: PATIENT });
  symlinkSync(site.folder, `${site.folder}.link`);
  const results = await Promise.all(
    [site.config, join(`${site.folder}.link`, "config.toml"), site.config].map((config) =>
      runEngine(["run", "--config", config]),
    ),
  );
  expect(results).toEqual([QUIET, QUIET, QUIET]);
  expect(only((await rows(site)).events).data).toMatchObject({ clear_time: null });
  expect(site.mail.mails).toHaveLength(1);
});

test.each(APART)(
  "a tick %s and one here: one mail for each event, and the other reads it",
  async (_, via) => {
    const site = await busySite({ database: "embedded", mail: "file" });
    // Neither the service nor a mail service can be reached from there.
    site.module("things.js", TWENTY);
    const state = join(site.folder, "state");
    const env = { FOLDER: state };
    const run = (args: readonly string[], how: readonly string[]) =>
      runEngine([...args, "--config", site.config], { via: how, env });
    const results = await Promise.all([
      run(["run"], via),
      run(["run"], []),
      run(["run"], via),
      run(["run"], []),
    ]);
    for (const result of results) expect(result).toEqual(QUIET);
    expect(readdirSync(join(site.folder, "outbox"))).toHaveLength(1);
    const list = await run(["event", "list", "--json"], via);
    expect(JSON.parse(list.stdout).events).toHaveLength(20);
    expect((await rows(site)).events).toHaveLength(20);
  },
  120_000,
);

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
