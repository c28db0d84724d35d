import { expect, onTestFinished, test } from "vitest";
import { busySite } from "../support/busy_site.ts";
import { eventData, perAlarm, runData } from "../support/contract.ts";
import { json, startServer } from "../support/http_server.ts";
import { sesError } from "../support/mail_service.ts";
import { QUIET } from "../support/quiet.ts";
import { dump, type Entry, insertAlarm, insertEntry, only } from "../support/rows.ts";
import { makeSite, type Site } from "../support/site.ts";

/**
 * What other engines are known to get wrong, each named by what must not happen. docs/reliability.md
 * lists them all; the ones that are not here are shown by the tests that it names.
 */

const A = { key: "a", subject: "A is wrong" };
const B = { key: "b", subject: "B is wrong" };

async function lastRun(site: Site): Promise<Entry> {
  return only((await site.entries("engine_run")).slice(-1));
}

async function eventOf(site: Site, key: string): Promise<Entry> {
  return only((await site.entries("event")).filter(({ data }) => data.dedupe_key === key));
}

async function setAlarm(site: Site, key: string, value: unknown): Promise<void> {
  await site.query(
    "UPDATE entry SET data = jsonb_set(data, $1::text[], $2::text::jsonb) WHERE kind = 'alarm'",
    [[key], JSON.stringify(value)],
  );
}

test("a change is not marked processed before its mail is confirmed", async () => {
  const site = await busySite({});
  let answer = (): void => {};
  const underWay = new Promise<void>((resolve) => {
    site.mail.refuse = () => (response) => {
      answer = () => sesError("AccessDenied", 403)(response);
      resolve();
    };
  });
  const running = site.tick();
  await underWay;
  expect(eventData(await eventOf(site, "a"))).not.toHaveProperty("last_notified");
  const attempt = only(await site.entries("notification"));
  expect(attempt).toMatchObject({ status: "active", data: { outcome: "unknown" } });
  answer();
  expect(await running).toMatchObject({ code: 1, stderr: expect.stringContaining("AccessDenied") });
  expect(eventData(await eventOf(site, "a"))).not.toHaveProperty("last_notified");

  site.mail.refuse = undefined;
  expect(await site.tick()).toEqual(QUIET);
  const mail = only(site.mail.mails);
  expect(mail.text).toContain("A is wrong");
  expect(eventData(await eventOf(site, "a")).last_notified).toBeDefined();
});

/** Half an hour ago: the rest of a mail is waited for no longer than a day. */
const LEFT = Math.floor(Date.now() / 1000) - 1800;

test.for([
  {
    name: "a run",
    row: { kind: "engine_run", data: { entry_id: `run_${LEFT}`, started_at: LEFT } },
  },
  {
    name: "a mail of unknown fate",
    row: {
      kind: "notification",
      data: {
        alarm: "alarm_things",
        attempted_at: LEFT,
        recipients: ["ops@example.org"],
        new_event_ids: ["00000000-0000-4000-8000-000000000000"],
        outcome: "unknown",
      },
    },
  },
  {
    name: "another try of the rest of a mail",
    row: {
      kind: "notification",
      data: {
        alarm: "alarm_things",
        attempted_at: LEFT,
        recipients: ["ops@example.org"],
        pending: ["ops@example.org"],
        retry: "unknown",
        retried_at: LEFT,
        outcome: "partial",
      },
    },
  },
  {
    name: "a clear that is held",
    row: {
      kind: "event",
      data: {
        entry_id: "event_things",
        dedupe_key: "left",
        fire_time: LEFT,
        last_notified: LEFT,
        clear_held_at: LEFT,
        clear_time: null,
      },
    },
  },
  {
    name: "an event without any of its times",
    row: { kind: "event", data: { entry_id: "event_things", dedupe_key: "left" } },
  },
])("in-progress rows left by crashes block nothing: $name", async ({ row }) => {
  const site = await busySite({});
  await insertAlarm(site, "others", { module: "things", recipients: "other@example.org" });
  await site.withDatabase(async (db) => {
    for (let index = 0; index < 30; index++)
      await insertEntry(db, {
        title: "left by a crash",
        ...row,
        created: LEFT + index,
        // Of one entity at most one event is active.
        data: { ...row.data, ...(row.kind === "event" ? { dedupe_key: `left ${index}` } : {}) },
      });
  });
  // A clear of all thirty at once waits for a second tick, whatever is new does not.
  for (const key of ["a", "b"]) {
    site.things = [A, B].filter((thing) => thing.key <= key);
    await site.tick();
    const run = await lastRun(site);
    for (const alarm of ["alarm_things", "alarm_others"])
      expect(perAlarm(run, alarm)).toMatchObject({ errors: 0, bundle_new: 1, bundle_sent: true });
    const fired = (await site.entries("event")).filter(({ data }) => data.dedupe_key === key);
    expect(fired.map((event) => eventData(event).last_notified)).toEqual([
      expect.any(Number),
      expect.any(Number),
    ]);
  }
  expect(await site.tick()).toEqual(QUIET);
  const left = (await site.entries("event")).filter(
    ({ title, data }) => title === "left by a crash" && data.clear_time === null,
  );
  expect(left).toEqual([]);
  expect(await site.command(["status"])).toMatchObject({
    stdout: expect.not.stringContaining("running now   for"),
  });
});

test.for([
  { name: "mail is off", hush: (site: Site) => setAlarm(site, "enabled", false) },
  { name: "there is nobody to mail", hush: (site: Site) => setAlarm(site, "recipients", []) },
  { name: "mail is not configured", hush: async (site: Site) => site.configure({ mail: "none" }) },
  {
    name: "the mail service is down",
    hush: async (site: Site) => {
      site.mail.refuse = () => sesError("AccessDenied", 403);
    },
  },
  { name: "it is a dry run", hush: async () => {}, args: ["--dry-run"] },
])("a clear is recorded all the same while $name, and so is what fires", async ({ hush, args }) => {
  const site = await busySite({});
  expect(await site.tick()).toEqual(QUIET);
  await hush(site);
  site.things = [B];
  await site.tick(...(args ?? []));
  const { started_at: now } = runData(await lastRun(site));
  expect(await eventOf(site, "a")).toMatchObject({
    timestamp_modified: now,
    data: { clear_time: now, clear_reason: "recovered" },
  });
  expect((await eventOf(site, "b")).data).toMatchObject({ fire_time: now, clear_time: null });
  expect(site.mail.mails).toHaveLength(1);

  // Told again, everything is as if nothing had been quiet: A fires anew, B is owed.
  await setAlarm(site, "enabled", true);
  await setAlarm(site, "recipients", "ops@example.org");
  site.configure({});
  site.mail.refuse = undefined;
  site.things = [A, B];
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails.at(-1)?.subject).toBe(
    "[alarm_things] 2 detection(s), 1 new, 1 continuing: A is wrong",
  );
});

test.for([
  { name: "throws", text: `throw new Error("once");`, code: 1 },
  { name: "ends its process", text: "process.exit(3);", code: 1 },
  { name: "never ends", text: "for (;;);", code: 1 },
])(
  "a rule is not switched off after one exception: one that $name runs at the very next tick",
  async ({ text, code }) => {
    const site = await busySite({ engine: "alarm_timeout = 5" });
    // The same file all the time: a file that changes would be tried at once anyway.
    site.module(
      "things.js",
      `export async function* detect(client) {
         for await (const { key, subject } of client.pages("/things/")) {
           if (key === "boom") { ${text} }
           yield { dedupeKey: key, subject };
         }
       }`,
    );
    site.things = [{ key: "boom" }];
    const alarms = await site.entries("alarm");
    expect((await site.tick()).code).toBe(code);
    expect(await site.entries("alarm")).toEqual(alarms);
    site.things = [A];
    expect(await site.tick()).toEqual(QUIET);
    expect(only(site.mail.mails).subject).toBe(
      "[alarm_things] 1 detection(s), 1 new, 0 continuing: A is wrong",
    );
    expect(await site.entries("alarm")).toEqual(alarms);
  },
);

test.for([
  { name: "is no TOML", options: { more: "[[[" } },
  { name: "names a folder that is not there", options: { alarmsDir: "/not/there" } },
])("a bad configuration ends one tick and no later one: it $name", async ({ options }) => {
  const site = await busySite({});
  expect(await site.tick()).toEqual(QUIET);
  const before = await site.withDatabase(dump);
  site.configure(options);
  site.things = [];
  const refused = await site.tick();
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toMatch(/^swf-alarms: /);
  expect(await site.withDatabase(dump)).toBe(before);
  site.configure({});
  site.things = [A, B];
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails.map(({ subject }) => subject)).toEqual([
    "[alarm_things] 1 detection(s), 1 new, 0 continuing: A is wrong",
    "[alarm_things] 1 detection(s), 1 new, 0 continuing: B is wrong",
  ]);
});

const THIRTY = "Array.from({ length: 30 }, (_, n) => ({ dedupeKey: n }))";

test.for([
  {
    name: "number of detections",
    row: { max_detections: 20 },
    text: `export function* detect() { yield* ${THIRTY}; }`,
    kept: 20,
    says: /more than 20 detections/,
  },
  {
    name: "time",
    row: { alarm_timeout: 3 },
    text: `export async function* detect() { yield* ${THIRTY}; await new Promise(() => {}); }`,
    kept: 30,
    says: /out of time/,
  },
  {
    name: "memory",
    row: { alarm_memory: 64 },
    text: `export async function* detect() {
      yield* ${THIRTY};
      await new Promise((done) => setTimeout(done, 200));
      for (const all = []; ; ) all.push(Array.from({ length: 1e5 }, () => ({})));
    }`,
    kept: 30,
    says: /out of memory/,
  },
])("a limit keeps what it has: the $name", async ({ row, text, kept, says }) => {
  const site = await busySite({});
  expect(await site.tick()).toEqual(QUIET);
  for (const [key, value] of Object.entries(row)) await setAlarm(site, key, value);
  site.module("things.js", text);
  expect(await site.tick()).toMatchObject({ code: 1, stderr: expect.stringMatching(says) });
  const active = (await site.entries("event")).filter(({ data }) => data.clear_time === null);
  expect(active).toHaveLength(1 + kept);
  expect(active.every((event) => eventData(event).last_notified !== undefined)).toBe(true);
  const mail = only(site.mail.mails.slice(1));
  expect(mail.subject).toBe(`[alarm_things] ${kept} detection(s), ${kept} new, 0 continuing: 0`);
  // The mail says that it may not be all.
  expect(mail.text).toMatch(says);
});

test("a change that another writer makes first is no error, and is not lost", async () => {
  const site = await busySite({});
  // Between the engine's look and its write somebody else makes the event of the same entity.
  await site.withDatabase(async (db) => {
    await db.query(
      `CREATE FUNCTION be_first() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF NEW.kind = 'event' AND pg_trigger_depth() = 1 THEN
           INSERT INTO entry SELECT (jsonb_populate_record(NEW, jsonb_build_object('id', gen_random_uuid()))).*;
         END IF;
         RETURN NEW; END $$`,
    );
    await db.query(
      "CREATE TRIGGER be_first BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION be_first()",
    );
  });
  expect(await site.tick()).toEqual(QUIET);
  await site.query("DROP TRIGGER be_first ON entry");
  const event = await eventOf(site, "a");
  expect(await site.tick()).toEqual(QUIET);
  expect((await eventOf(site, "a")).id).toBe(event.id);
  expect(only(site.mail.mails).text).toContain("A is wrong");
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(1);
});

test("one failing alarm does not make the others, or the engine, look ill", async () => {
  const site = await busySite({});
  site.module("broken.js", `export function detect() { throw new Error("no luck"); }`);
  await insertAlarm(site, "broken");
  expect((await site.tick()).code).toBe(1);
  const status = await site.command(["status", "--json"]);
  const { alarms, ...rest } = JSON.parse(status.stdout);
  expect(alarms).toMatchObject([
    { alarm: "broken", state: "failing", reasons: [expect.stringContaining("no luck")] },
    { alarm: "engine", state: "ready", reasons: [] },
    { alarm: "things", state: "ready", reasons: [] },
  ]);
  expect(rest).toMatchObject({ last_run: { error_count: 1 } });
  expect(runData(await lastRun(site)).finished_at).toBeDefined();

  await site.tick();
  await site.tick();
  // Quarantined by now: its owners were told, and the banner of the dashboards is green again.
  expect(await site.tick()).toEqual(QUIET);
  expect(runData(await lastRun(site)).errors).toBe(0);
});

test("params that an editor wrapped once more are told by name, cost that alarm alone, and clear nothing", async () => {
  const site = await busySite({});
  const limited = `export const PARAMS = { threshold: { type: "number", required: true, description: "x" } };
    export const detect = (client, { threshold }) => [{ dedupeKey: "k", subject: "over " + threshold }];`;
  site.module("limited.js", limited);
  await insertAlarm(site, "limited", { params: { threshold: 0.1 } });
  expect(await site.tick()).toEqual(QUIET);
  await site.query(
    `UPDATE entry SET data = jsonb_set(data, '{params}', '{"kind": "alarm", "params": {"threshold": 0.1}}')
     WHERE data->>'entry_id' = 'alarm_limited'`,
  );
  site.things = [A, B];
  await site.tick();
  expect((await eventOf(site, "k")).data.clear_time).toBeNull();
  expect((await eventOf(site, "b")).data.clear_time).toBeNull();
  const status = await site.command(["status"]);
  expect(status.code).toBe(1);
  expect(status.stdout).toContain("  limited is not configured but has 1 active event(s)\n");
  expect(status.stdout).toMatch(
    /^limited +not configured .*parameter threshold has no value.*unknown parameter params/m,
  );
});

test("a test of an alarm sees what the tick sees, also from a service with a login", async () => {
  const site = await makeSite({ mail: "none" });
  const other = await startServer((request, response) => {
    const known = request.headers.authorization === "Bearer s3cret-of-other";
    json(response, known ? { names: ["x", "y"] } : { detail: "who are you?" }, known ? 200 : 401);
  });
  onTestFinished(() => other.close());
  site.configure({
    mail: "none",
    more: `[sources.other]\nbase_url = ${JSON.stringify(other.url)}\ntoken_env = "OTHER_TOKEN"`,
  });
  site.module(
    "asks_other.js",
    `export const SOURCES = ["other"];
     export async function detect(client) {
       const { names } = await client.source("other").get("/names/");
       return names.map((dedupeKey) => ({ dedupeKey }));
     }`,
  );
  const env = { OTHER_TOKEN: "s3cret-of-other" };
  const tried = await site.command(["alarm", "try", "asks_other", "--json"], { env });
  expect(tried).toMatchObject({ code: 0, stderr: "" });
  expect(await site.entries("event")).toEqual([]);
  expect(await site.command(["run"], { env })).toEqual(QUIET);
  const keys = (await site.entries("event")).map(({ data }) => data.dedupe_key).sort();
  expect(keys).toEqual(["x", "y"]);
  expect(JSON.parse(tried.stdout)).toMatchObject({
    outcome: "complete",
    detections: keys.map((key) => ({ key })),
  });
});
