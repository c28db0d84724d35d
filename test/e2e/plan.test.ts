import { readdirSync } from "node:fs";
import pg from "pg";
import { expect, test } from "vitest";
import { at, dump, insertAlarm, only } from "../support/rows.ts";
import { makeSite, type Site, THINGS } from "../support/site.ts";

/** Those of the things that have at least this share. */
const FILTERED = `${THINGS.replace("(client)", "(client, { least })").replace("yield", "if (data.share >= least) yield")}
  export const PARAMS = { least: { type: "number", default: 10, description: "share" } };`;

/** A site in which a plan has one item of every kind to show. */
async function siteWithEverything(database: "postgres" | "embedded"): Promise<Site> {
  const site = await makeSite({ database });
  site.module("things.js", THINGS);
  site.module(
    "partial.js",
    `export async function* detect(client) { yield* await (async () => [{ dedupeKey: "p" }])(); if (client.now > 0) client.incomplete("half of it"); }`,
  );
  site.module(
    "needs_param.js",
    `export const PARAMS = { limit: { type: "number", required: true, description: "x" } };\nexport function* detect() {}`,
  );
  await site.withDatabase(async (db) => {
    await insertAlarm(db, "things", { recipients: "ops@example.org" });
    await insertAlarm(db, "partial", { enabled: false });
    await insertAlarm(db, "needs_param");
    await insertAlarm(db, "missing");
  });
  site.things = [
    { key: "stays", subject: "Stays wrong" },
    { key: "goes", subject: "Goes away" },
  ];
  await site.tick();
  await site.query(
    `UPDATE entry SET data = jsonb_set(data, '{dedupe_key}', '"other"') WHERE data->>'dedupe_key' = 'p'`,
  );
  site.things = [
    { key: "stays", subject: "Stays wrong" },
    { key: "comes", subject: "Comes new" },
  ];
  site.module("newcomer.js", THINGS);
  return site;
}

test.for(["postgres", "embedded"] as const)(
  "a plan writes nothing to the %s database and mails nobody",
  async (database) => {
    const site = await siteWithEverything(database);
    const before = await site.withDatabase(dump);
    const log = site.log();
    const calls = site.mail.calls.length;
    const plan = await site.tick("--plan");
    const json = await site.tick("--plan", "--json");
    const verbose = await site.tick("--plan", "-v");
    expect([plan.code, json.code, verbose.code]).toEqual([1, 1, 1]);
    expect([plan.stderr, json.stderr, verbose.stderr]).toEqual(["", "", ""]);
    expect(await site.withDatabase(dump)).toBe(before);
    expect(site.log()).toBe(log);
    expect(site.mail.calls).toHaveLength(calls);
  },
);

test("a plan names every item with its reason", async () => {
  const site = await siteWithEverything("postgres");
  const { stdout } = await site.tick("--plan");
  for (const line of [
    "Plan of the next tick. Nothing was written and nothing was sent.",
    "newcomer: new module; its row would be created, with mail off",
    "things: outcome complete, 2 detected",
    "  open   comes: newly detected: Comes new",
    "  touch  stays: still detected",
    "  clear  goes: recovered",
    "  mail   comes: new",
    "  no mail for 1 event(s): already mailed",
    '  would mail "[alarm_things] 1 detection(s), 1 new, 0 continuing" to ops@example.org',
    "partial: outcome partial, 1 detected",
    "  half of it",
    "  keep   other: not detected, but outcome is partial",
    "needs_param: not configured: parameter limit has no value",
    "missing: outcome failed, 0 detected",
  ])
    expect(stdout.split("\n")).toContain(line);
  expect(stdout).toContain("error: missing: there is no module");
  expect(stdout).toContain("error: partial: half of it");
});

test("a plan as JSON is one document with the same facts", async () => {
  const site = await siteWithEverything("postgres");
  const events = await site.entries("event");
  const idOf = (key: string): string =>
    only(events.filter(({ data }) => data.dedupe_key === key)).id;
  const plan: unknown = JSON.parse((await site.tick("--plan", "--json", "-v")).stdout);
  expect(at(plan, "new_modules")).toEqual(["newcomer"]);
  const alarms = at(plan, "alarms");
  if (!Array.isArray(alarms)) throw new Error("no alarms");
  expect(alarms.map((alarm) => at(alarm, "alarm"))).toEqual([
    "missing",
    "needs_param",
    "newcomer",
    "partial",
    "things",
  ]);
  expect(alarms[1]).toEqual({
    alarm: "needs_param",
    not_configured: "parameter limit has no value",
  });
  expect(alarms[4]).toMatchObject({
    outcome: "complete",
    reasons: [],
    open: [
      {
        key: "comes",
        subject: "Comes new",
        severity: null,
        stage: null,
        first_seen: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        reason: "newly detected",
      },
    ],
    pending: [],
    touch: [{ key: "stays", event_id: idOf("stays"), reason: "still detected" }],
    clear: [{ key: "goes", event_id: idOf("goes"), reason: "recovered" }],
    keep: [],
    enabled: true,
    subject: "[alarm_things] 1 detection(s), 1 new, 0 continuing",
    channels: [
      {
        channel: "email",
        reason: "plan only",
        recipients: ["ops@example.org"],
        items: [{ key: "comes", event_id: null, reason: "new" }],
      },
    ],
    errors: [],
  });
  expect(alarms[3]).toMatchObject({
    outcome: "partial",
    reasons: ["half of it"],
    keep: [{ key: "other", event_id: idOf("other"), reason: "outcome is partial" }],
    enabled: false,
    channels: [{ reason: "mail is off" }],
  });
});

test("what a plan announces is what the next tick does", async () => {
  const site = await siteWithEverything("postgres");
  await site.tick("--plan");
  site.mail.mails.length = 0;
  await site.tick();
  const keys = (await site.entries("event"))
    .filter(({ data }) => data.entry_id === "event_things")
    .map(({ data }) => [data.dedupe_key, data.clear_time === null]);
  expect(keys.sort()).toEqual([
    ["comes", true],
    ["goes", false],
    ["stays", true],
  ]);
  expect(only(site.mail.mails)).toMatchObject({
    subject: "[alarm_things] 1 detection(s), 1 new, 0 continuing: Comes new",
    to: ["ops@example.org"],
  });
  expect((await site.entries("alarm")).map(({ data }) => data.entry_id)).toContain(
    "alarm_newcomer",
  );
});

test("a plan on a site that has no database yet makes none", async () => {
  const site = await makeSite({ database: "embedded", bare: true });
  site.module("things.js", THINGS);
  site.things = [{ key: "a", subject: "A is wrong" }];
  const before = readdirSync(site.folder, { recursive: true }).sort();
  const plan = await site.tick("--plan");
  expect(plan).toMatchObject({ code: 0, stderr: "" });
  expect(plan.stdout).toContain("things: new module; its row would be created, with mail off");
  expect(plan.stdout).toContain("  open   a: newly detected: A is wrong");
  expect(readdirSync(site.folder, { recursive: true }).sort()).toEqual(before);
});

test("a plan of a database that was never migrated says what to run, and makes nothing", async () => {
  const site = await makeSite({ bare: true });
  const plan = await site.tick("--plan");
  expect(plan).toMatchObject({ code: 2, stdout: "" });
  expect(plan.stderr).toBe(
    `swf-alarms: the database lacks 0001_entry_tables.sql, 0002_one_active_event.sql, 0003_owed_mail.sql, 0004_mails_of_an_alarm.sql, 0005_events_of_an_alarm.sql, 0006_notifications.sql; run: bin/swf-alarms migrate --config ${site.config}\n`,
  );
  const tables = await site.query(
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace",
  );
  expect(tables).toEqual([]);
});

test("a plan does not wait for a tick that is at work", async () => {
  const site = await makeSite();
  site.module("things.js", THINGS);
  site.things = [{ key: "a", subject: "A is wrong" }];
  const holder = new pg.Client({ connectionString: site.dsn });
  await holder.connect();
  try {
    await holder.query("SELECT pg_advisory_lock(hashtext('swf-alarms tick'))");
    const plan = await site.tick("--plan");
    expect(plan).toMatchObject({ code: 0, stderr: "" });
    expect(plan.stdout).toContain("  open   a: newly detected");
  } finally {
    await holder.end();
  }
});

test("a plan may look at one alarm only", async () => {
  const site = await siteWithEverything("postgres");
  const plan = await site.tick("--plan", "--alarm", "things");
  expect(plan.code).toBe(0);
  expect(plan.stdout).toContain("things:");
  expect(plan.stdout).not.toContain("partial:");
  expect(plan.stdout).not.toContain("newcomer");
});

test("a plan shows what settles, what changes and which reminder is due", async () => {
  const site = await makeSite();
  const level = (severity: string, stage: string) => ({ severity, stage });
  site.module(
    "things.js",
    `export const STAGES = ["early", "late"];
     export async function* detect(client) {
       for await (const { key, data } of client.pages("/things/")) yield { dedupeKey: key, subject: "S", ...data };
     }`,
  );
  await insertAlarm(site, "things", { settle: "2" });
  site.things = [{ key: "a", data: level("warning", "early") }];
  await site.tick();
  const first = await site.tick("--plan");
  const settled = String.raw`settled \(warning, stage early, first seen \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\)`;
  expect(first.stdout).toMatch(new RegExp(`^  open   a: ${settled}: S$`, "m"));
  const tick = await site.tick("-v");
  expect(tick.stdout).toContain("things: complete: 1 detected, 1 new, 0 still firing, 0 cleared");
  await site.command(["alarm", "set", "things", "--renotify", "0.000001", "--renotify-count", "1"]);
  site.things = [
    { key: "a", data: level("error", "early") },
    { key: "b", data: level("info", "late") },
  ];
  const second = await site.tick("--plan");
  for (const line of [
    "  wait   b: not settled: detected in 1 of 2 outcomes",
    "  touch  a: severity rose: warning → error",
    "  mail   a: severity rose",
  ])
    expect(second.stdout.split("\n")).toContain(line);
  const json: unknown = JSON.parse((await site.tick("--plan", "--json")).stdout);
  expect(at(at(json, "alarms"), "0")).toMatchObject({
    pending: [{ key: "b", reason: "not settled: detected in 1 of 2 outcomes" }],
    touch: [{ key: "a", reason: "severity rose: warning → error", ack_ended: null }],
  });
  const risen = await site.tick("-v");
  expect(risen.stdout).toContain(
    "things: complete: 2 detected, 1 pending, 0 new, 1 still firing (1 changed), 0 cleared",
  );
  const reminded = await site.tick("--plan");
  expect(reminded.stdout).toContain("  mail   a: renotification due (reminder 1, FINAL)\n");
  await site.tick();
  const after = await site.tick("--plan");
  expect(after.stdout).toContain("  no mail for 1 event(s): no further reminder\n");
});

test("a plan with other parameters shows what they would do, and changes nothing", async () => {
  const site = await makeSite();
  site.module("things.js", FILTERED);
  await insertAlarm(site, "things");
  await insertAlarm(site, "other");
  site.module("other.js", THINGS);
  site.things = [
    { key: "a", subject: "A", data: { share: 15 } },
    { key: "b", subject: "B", data: { share: 25 } },
  ];
  await site.tick();
  const before = await site.withDatabase(dump);
  const plan = (...args: readonly string[]) => site.tick("--plan", "--alarm", ...args);
  const higher = await plan("alarm_things", "--param", "least=20");
  expect(higher).toMatchObject({ code: 0, stderr: "" });
  expect(higher.stdout).toContain(
    "things: outcome complete, 1 detected\n  touch  b: still detected\n  clear  a: recovered\n",
  );
  const lower = await plan("things", "--param", "least=5");
  expect(lower.stdout).toContain("things: outcome complete, 2 detected\n");
  expect((await plan("things")).stdout).toContain("things: outcome complete, 2 detected\n");
  site.module("fresh.js", FILTERED);
  const fresh = await plan("fresh", "--param", "least=20");
  expect(fresh.stdout).toContain("fresh: outcome complete, 1 detected\n  open   b: ");
  for (const [args, says] of [
    [
      ["--plan", "--param", "least=5"],
      /--param and --param-file change the parameters of one alarm; name it/,
    ],
    [["--plan", "--alarm", "things", "other", "--param", "least=5"], /of one alarm; name it/],
    [
      ["--alarm", "things", "--param", "least=5"],
      /--param and --param-file need --plan; to change the alarm, run: /,
    ],
    [["--plan", "--alarm", "things", "--param", "leats=5"], /leats \(did you mean least\?\)/],
    [["--plan", "--alarm", "things", "--param", "least=many"], /must be a number, found "many"/],
    [["--plan", "--alarm", "engine", "--param", "least=5"], /it is built in and has no parameters/],
  ] as const) {
    const wrong = await site.tick(...args);
    expect(wrong).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(says) });
  }
  expect(await site.withDatabase(dump)).toBe(before);
});
