import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { eventData, perAlarm, runData } from "../support/contract.ts";
import { activeList, eventPage, health } from "../support/dashboard.ts";
import { MONITOR_TABLES, REMOTE_TABLES } from "../support/django_tables.ts";
import { loginTo } from "../support/login.ts";
import { QUIET } from "../support/quiet.ts";
import { type Entry, insertAlarm, insertEntry, only } from "../support/rows.ts";
import { makeSite, type Site, THINGS } from "../support/site.ts";

const VARIANTS = [
  { name: "swf-monitor", tables: MONITOR_TABLES, seeded: false },
  { name: "swf-remote", tables: REMOTE_TABLES, seeded: true },
] as const;

async function djangoSite(tables: string): Promise<Site> {
  const site = await makeSite({ bare: true });
  const db = await openPostgres(loginTo(site.dsn ?? ""));
  try {
    await db.script(tables);
  } finally {
    await db.close();
  }
  return site;
}

const CONTEXTS = `INSERT INTO entry_context (name, title, description, timestamp_created, timestamp_modified, data)
  VALUES ('swf-alarms', 'SWF Alarms', 'by hand', 1.5, 2.5, '{"x": 1}'), ('teams', 'Teams', 'by hand', 1.5, 2.5, '{}')
  ON CONFLICT (name) DO NOTHING`;

const FIRED = 1_780_000_000.123456;

/** An event as the Python engine leaves it. */
function pythonEvent(key: string, data: { readonly [key: string]: unknown } = {}) {
  return {
    kind: "event",
    title: `old ${key}`,
    content: `Old head\n\n---\n\nold detail of ${key}`,
    created: FIRED,
    data: {
      entry_id: "event_things",
      fire_time: FIRED,
      clear_time: null,
      last_seen: FIRED + 300,
      dedupe_key: key,
      subject: `old ${key}`,
      recipients: ["ops@example.org"],
      alarm_config_id: "11111111-1111-4111-8111-111111111111",
      metric: "40.0%",
      severity: "high",
      ...data,
    },
  };
}

test.for(VARIANTS)(
  "a $name database: not before it was migrated, and then its site goes on where it was",
  async ({ tables, seeded }) => {
    const site = await djangoSite(tables);
    site.module("things.js", THINGS);
    const ids = new Map<string, string>();
    await site.withDatabase(async (db) => {
      await db.query(CONTEXTS);
      await insertAlarm(
        db,
        "things",
        {
          enabled: undefined,
          recipients: "@prodops, extra@example.org",
          severity: "warning",
          kind: "alarm",
          renotification_window_hours: 1,
        },
        { id: "11111111-1111-4111-8111-111111111111" },
      );
      await insertEntry(db, {
        kind: "team",
        name: "@prodops",
        title: "Prod ops",
        content: "one@example.org\ttwo@example.org",
        data: { entry_id: "team_prodops" },
        context: "teams",
      });
      for (const event of [
        pythonEvent("mailed_long_ago", { last_notified: FIRED + 1 }),
        pythonEvent("never_mailed"),
        pythonEvent("owed_as_zero", { last_notified: 0 }),
        pythonEvent("gone", { last_notified: FIRED + 1 }),
        pythonEvent("cleared_before", { clear_time: FIRED + 600, last_notified: FIRED + 1 }),
        pythonEvent("clear_time_missing", {
          clear_time: undefined,
          last_notified: Date.now() / 1000,
        }),
      ])
        ids.set(String(event.data.dedupe_key), await insertEntry(db, event));
      // The Python engine's defect 4.4 b: two active rows of one entity.
      ids.set(
        "twin",
        await insertEntry(db, { ...pythonEvent("never_mailed"), created: FIRED + 300 }),
      );
      await insertEntry(db, {
        kind: "engine_run",
        title: "Engine run 20260528 20:26:40 UTC",
        status: "done",
        created: FIRED,
        data: {
          entry_id: "run_1780000000",
          started_at: FIRED,
          finished_at: FIRED + 2,
          checks_run: 2,
          per_check: {},
        },
      });
    });
    const before = await site.entries("alarm");
    const eventsBefore = await site.entries("event");
    site.things = [
      "mailed_long_ago",
      "never_mailed",
      "owed_as_zero",
      "clear_time_missing",
      "brand_new",
    ].map((key) => ({ key, subject: `new ${key}`, body: `detail of ${key}` }));

    const early = await site.tick();
    expect(early).toMatchObject({ code: 2, stdout: "" });
    expect(early.stderr).toBe(
      `swf-alarms: the database lacks 0001_entry_tables.sql, 0002_one_active_event.sql, 0003_owed_mail.sql, 0004_mails_of_an_alarm.sql, 0005_events_of_an_alarm.sql, 0006_notifications.sql; run: bin/swf-alarms migrate --config ${site.config}\n`,
    );
    expect(await site.entries("event")).toStrictEqual(eventsBefore);

    const migration = await site.command(["migrate"]);
    expect(migration).toMatchObject({ code: 0, stderr: "" });
    expect(migration.stdout).toContain("applied 0001_entry_tables.sql");
    expect(migration.stdout).toContain(ids.get("twin"));
    expect(migration.stdout).toContain(ids.get("never_mailed"));
    expect(await site.command(["migrate"])).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /^(found public\.entry.*, database \w+, role postgres\n){3}the database is up to date\n$/,
      ),
      stderr: "",
    });
    const contexts = await site.query("SELECT name, title FROM entry_context ORDER BY name");
    expect(contexts).toEqual([
      { name: "swf-alarms", title: seeded ? "Alarms of this site" : "SWF Alarms" },
      { name: "teams", title: seeded ? "Our teams" : "Teams" },
    ]);

    expect(await site.tick()).toEqual(QUIET);
    expect(await site.entries("alarm")).toStrictEqual(before);
    const run = (await site.entries("engine_run"))[1] ?? only([]);
    const { started_at: startedAt } = runData(run);
    const events = await site.entries("event");
    expect(events).toHaveLength(8);
    const byId = (key: string): Entry => only(events.filter(({ id }) => id === ids.get(key)));

    for (const key of ["mailed_long_ago", "never_mailed", "owed_as_zero"]) {
      const event = byId(key);
      const old = only(eventsBefore.filter(({ id }) => id === event.id));
      const { swf, ...data } = eventData(event);
      expect(data, key).toStrictEqual({
        ...old.data,
        // Its row's, because the module says none; and no news.
        severity: "warning",
        last_seen: startedAt,
        last_notified: startedAt,
      });
      expect(swf, key).toMatchObject({ notified: { email: startedAt } });
    }
    const recent = byId("clear_time_missing");
    const recentBefore = only(eventsBefore.filter(({ id }) => id === recent.id));
    expect(recent.data).toStrictEqual({
      ...recentBefore.data,
      last_seen: startedAt,
      severity: "warning",
      swf: { peak: { severity: "warning" }, fired: { severity: "high", stage: null } },
    });
    expect(byId("gone").data).toMatchObject({
      clear_time: startedAt,
      clear_reason: "recovered",
    });
    expect(byId("cleared_before")).toStrictEqual(
      only(eventsBefore.filter(({ id }) => id === ids.get("cleared_before"))),
    );
    expect(byId("twin").data).toMatchObject({
      clear_time: expect.any(Number),
      clear_reason: `duplicate of ${ids.get("never_mailed")}`,
    });
    const fresh = only(events.filter(({ data }) => data.dedupe_key === "brand_new"));
    expect(eventPage(fresh)).toMatchObject({
      recipients: "one@example.org, two@example.org, extra@example.org",
      description: "Head of things.",
      detail: "detail of brand_new",
    });
    expect(
      activeList(events, "alarm_things")
        .map(({ data }) => data.dedupe_key)
        .sort(),
    ).toEqual([
      "brand_new",
      "clear_time_missing",
      "mailed_long_ago",
      "never_mailed",
      "owed_as_zero",
    ]);

    const mail = only(site.mail.mails);
    expect(mail.subject).toBe(
      "[alarm_things] 4 detection(s), 1 new, 3 continuing: WARNING: new brand_new",
    );
    expect(mail.to).toEqual(["one@example.org", "two@example.org", "extra@example.org"]);
    // What is still seen is told as it is now.
    expect(mail.text).toContain("new never_mailed");
    expect(mail.text).not.toContain("clear_time_missing");
    expect(mail.text).not.toContain("severity rose");
    expect(perAlarm(run, "alarm_things")).toMatchObject({
      enabled: true,
      alarms_seen: 5,
      errors: 0,
      bundle_new: 1,
      bundle_renotify: 3,
      bundle_sent: true,
    });
    expect(health(await site.entries("engine_run"), Date.now() / 1000)).toBe("ok");
    expect(await site.query("SELECT count(*)::int AS n FROM entry_version")).toEqual([{ n: 0 }]);

    expect(await site.tick()).toEqual(QUIET);
    expect(await site.entries("event")).toHaveLength(8);
    expect(site.mail.mails).toHaveLength(1);
  },
);

test("a fresh swf-monitor database, which has no contexts, takes a whole life after migrate", async () => {
  const site = await djangoSite(MONITOR_TABLES);
  site.module("things.js", THINGS);
  expect((await site.command(["migrate"])).code).toBe(0);
  site.things = [{ key: "a", subject: "A" }];
  expect(await site.tick()).toEqual(QUIET);
  expect(await site.entries("event")).toHaveLength(1);
  expect((await site.command(["team", "set", "shift", "a@example.org"])).code).toBe(0);
  expect(await site.entries("team")).toHaveLength(1);
});

test("alarms of the Python engine that have no module here are told one by one, and name what to do", async () => {
  const site = await djangoSite(REMOTE_TABLES);
  site.module("things.js", THINGS);
  await insertAlarm(site, "catalog_sync_freshness");
  await insertAlarm(site, "panda_failure_rate_sakib");
  await insertAlarm(site, "things");
  expect((await site.command(["migrate"])).code).toBe(0);
  site.things = [{ key: "a", subject: "A" }];
  const result = await site.tick();
  expect(result.code).toBe(1);
  const lines = result.stderr.trimEnd().split("\n");
  expect(lines).toHaveLength(2);
  for (const line of lines)
    expect(line).toMatch(
      /no module "\w+" in the alarms folders .*(put the file into|data\.module|archive)/,
    );
  expect(site.mail.mails).toHaveLength(1);
});

test("the severity of Django's alarm rows counts; each tick names one that does not exist", async () => {
  const site = await djangoSite(REMOTE_TABLES);
  expect((await site.command(["migrate"])).code).toBe(0);
  site.module("things.js", THINGS);
  const rows = ["warning", "Info", "high", ""];
  for (const [index, severity] of rows.entries())
    await insertAlarm(site, `alarm${index}`, { module: "things", severity, kind: "alarm" });
  await insertAlarm(site, "things", {}, { archived: true });
  const before = await site.entries("alarm");
  site.things = [{ key: "a", subject: "A" }];
  for (const _ of [1, 2])
    expect(await site.tick()).toEqual({
      code: 1,
      stdout: "",
      stderr:
        'swf-alarms: alarm2: the row\'s severity is "high", treated as none; write info, warning, error, critical or none\n',
    });
  const events = (await site.entries("event")).map(({ data }) => [data.entry_id, data.severity]);
  expect(Object.fromEntries(events)).toEqual({
    event_alarm0: "warning",
    event_alarm1: "info",
    event_alarm2: undefined,
    event_alarm3: undefined,
  });
  const subjects = site.mail.mails.map(({ subject }) => subject.replace(/^.*continuing: /, ""));
  expect(subjects.sort()).toEqual(["A", "A", "INFO: A", "WARNING: A"]);
  expect(await site.entries("alarm")).toStrictEqual(before);
});

test("the login may come from the Django site's own env file, and the password is never shown", async () => {
  const site = await djangoSite(REMOTE_TABLES);
  expect((await site.command(["migrate"])).code).toBe(0);
  const url = new URL(site.dsn ?? "");

  const envPath = `${site.folder}/django.env`;
  const write = (password: string): void =>
    writeFileSync(
      envPath,
      `SWF_REMOTE_DB_HOST=${url.hostname}\nSWF_REMOTE_DB_PORT='${url.port}'\nSWF_REMOTE_DB_NAME="${url.pathname.slice(1)}"\nSWF_REMOTE_DB_USER=${url.username}\nSWF_REMOTE_DB_PASSWORD=${password}\nSECRET_KEY=django-s3cret\n`,
      { mode: 0o600 },
    );
  write(url.password);
  const text = readFileSync(site.config, "utf8").replace(/^dsn = .*$/m, 'env_path = "django.env"');
  writeFileSync(site.config, text);
  expect(await site.tick()).toEqual(QUIET);
  expect(await site.entries("engine_run")).toHaveLength(1);

  write("wr0ng-secret");
  const refused = await site.tick("-v");
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toMatch(/^swf-alarms: cannot connect to Postgres at [^\n]*\n$/);
  expect(refused.stderr).not.toMatch(/wr0ng-secret|django-s3cret/);
});
