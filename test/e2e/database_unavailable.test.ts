import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { busySite, holdAnswers, PATIENT } from "../support/busy_site.ts";
import { eventData, perAlarm } from "../support/contract.ts";
import { QUIET } from "../support/quiet.ts";
import { insertAlarm, only } from "../support/rows.ts";
import { type Site, THINGS } from "../support/site.ts";

/** Makes the database refuse a write, as a full disk or a site's own rule would. */
async function refuse(site: Site, when: string): Promise<void> {
  await site.query(
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       IF ${when} THEN RAISE EXCEPTION 'the disk is full'; END IF; RETURN NEW; END $$`,
  );
  await site.query(
    "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON entry FOR EACH ROW EXECUTE FUNCTION refuse()",
  );
}

async function allow(site: Site): Promise<void> {
  await site.query("DROP TRIGGER refuse ON entry");
}

test("events that cannot be written fail their alarm whole, and only that alarm", async () => {
  const site = await busySite({});
  site.module("others.js", THINGS);
  await insertAlarm(site, "others", { recipients: "other@example.org" });
  site.things = [
    { key: "a", subject: "A" },
    { key: "b", subject: "B" },
  ];
  await refuse(site, "NEW.data->>'entry_id' = 'event_things' AND NEW.data->>'dedupe_key' = 'b'");
  const result = await site.tick();
  expect(result).toMatchObject({ code: 1, stdout: "" });
  expect(result.stderr).toMatch(
    /^swf-alarms: things: cannot record this tick: [^\n]*the disk is full[^\n]*\n$/,
  );
  const events = await site.entries("event");
  expect(events.map(({ data }) => data.entry_id)).toEqual(["event_others", "event_others"]);
  const run = only(await site.entries("engine_run"));
  expect(perAlarm(run, "alarm_things")).toMatchObject({ errors: 1, bundle_sent: false });
  expect(perAlarm(run, "alarm_others")).toMatchObject({ errors: 0, bundle_sent: true });
  expect(only(site.mail.mails).to).toEqual(["other@example.org"]);

  await allow(site);
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails[1]).toMatchObject({
    to: ["ops@example.org"],
    subject: "[alarm_things] 2 detection(s), 2 new, 0 continuing: A",
  });
});

test("a mail whose attempt cannot be recorded is not sent, and stays owed", async () => {
  const site = await busySite({});
  await refuse(site, "NEW.kind = 'notification'");
  const result = await site.tick();
  expect(result).toMatchObject({ code: 1, stdout: "" });
  expect(result.stderr).toMatch(/^swf-alarms: things: cannot record the notification: [^\n]*\n$/);
  expect(site.mail.calls).toEqual([]);
  expect(eventData(only(await site.entries("event"))).last_notified).toBeUndefined();
  await allow(site);
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(1);
});

test("a mail that went out but could not be stamped is repeated once, and its first attempt says unknown", async () => {
  const site = await busySite({});
  await refuse(site, "NEW.kind = 'event' AND NEW.data ? 'last_notified'");
  const result = await site.tick();
  expect(result).toMatchObject({ code: 1, stdout: "" });
  expect(result.stderr).toMatch(/^swf-alarms: things: cannot record the notification: [^\n]*\n$/);
  expect(site.mail.mails).toHaveLength(1);
  expect(only(await site.entries("notification")).data.outcome).toBe("unknown");
  await allow(site);
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(2);
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(2);
});

test("a run that cannot be opened is one line and exit code 2, and nothing is done", async () => {
  const site = await busySite({});
  await refuse(site, "NEW.kind = 'engine_run' AND NEW.status = 'active'");
  const opened = await site.tick();
  expect(opened).toMatchObject({ code: 2, stdout: "" });
  expect(opened.stderr).toMatch(/^swf-alarms: [^\n]*the disk is full[^\n]*\n$/);
  expect(await site.entries("event")).toEqual([]);
  expect(site.source.requests).toEqual([]);
  await allow(site);
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(1);
});

test("a run that cannot be closed is told, what the tick did stays done, and the next tick closes it", async () => {
  const site = await busySite({});
  await refuse(site, "NEW.kind = 'engine_run' AND NEW.status = 'done'");
  const result = await site.tick();
  expect(result).toMatchObject({ code: 1, stdout: "" });
  expect(result.stderr).toMatch(
    /^swf-alarms: cannot close the record of this tick, [^\n]*the disk is full[^\n]*\n$/,
  );
  expect(site.mail.mails).toHaveLength(1);
  expect(await site.entries("event")).toHaveLength(1);
  await allow(site);
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(1);
  const [crashed, whole] = await site.entries("engine_run");
  expect(crashed).toMatchObject({ status: "done", data: { crashed_at: whole?.data.started_at } });
});

test("connections that the server ends in the middle of a tick cost no events and no crash", async () => {
  const site = await busySite({ engine: PATIENT });
  const held = holdAnswers(site);
  const ticking = site.tick();
  await held.asked;
  const admin = new pg.Client({ connectionString: site.dsn });
  await admin.connect();
  onTestFinished(() => admin.end());
  const { rows } = await admin.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'swf-alarms'",
  );
  expect(rows.length).toBeGreaterThan(0);
  held.release();
  const result = await ticking;
  // Clear words or a clean end; never the stack of an error that nobody expected.
  expect(result.stderr).not.toMatch(/\n\s+at /);
  expect(result.stdout).toBe("");
  expect(await site.tick()).toEqual(QUIET);
  expect(only(await site.entries("event")).data.clear_time).toBeNull();
  expect(site.mail.mails).toHaveLength(1);
});

test("a database without one of its tables is one clear line", async () => {
  const site = await busySite({});
  await site.query("DROP TABLE entry_version");
  await site.query("ALTER TABLE entry RENAME TO entry_away");
  const result = await site.tick();
  expect(result).toMatchObject({ code: 2, stdout: "" });
  expect(result.stderr).toMatch(/^swf-alarms: [^\n]*entry[^\n]*\n$/);
});

test("a database of a newer engine is refused with what to do", async () => {
  const site = await busySite({});
  await site.query(
    "INSERT INTO swf_alarms_migration (name, applied_at) VALUES ('9999_future.sql', 1)",
  );
  for (const args of [["run"], ["run", "--plan"], ["migrate"], ["event", "list"]]) {
    const result = await site.command(args);
    expect(result, args.join(" ")).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(/^swf-alarms: [^\n]*9999_future\.sql[^\n]*update swf-alarms\n$/);
  }
});

test("a role that may only read is told at once, and nothing is half done", async () => {
  const site = await busySite({});
  const name = `reader_${(site.dsn ?? "").slice(-12)}`;
  await site.query(`CREATE ROLE ${name} LOGIN PASSWORD 'reading'`);
  await site.query(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${name}`);
  onTestFinished(async () => {
    await site.query(`DROP OWNED BY ${name}`);
    await site.query(`DROP ROLE ${name}`);
  });
  const url = new URL(site.dsn ?? "");
  url.username = name;
  url.password = "reading";
  site.configure({ dsn: url.href });
  const plan = await site.tick("--plan");
  expect(plan).toMatchObject({ code: 0, stderr: "" });
  expect(plan.stdout).toContain("open   a: newly detected");
  const result = await site.tick();
  expect(result).toMatchObject({ code: 2, stdout: "" });
  expect(result.stderr).toMatch(/^swf-alarms: [^\n]*permission denied for table entry[^\n]*\n$/);
  expect(await site.entries("engine_run")).toEqual([]);
});

test("an index that somebody dropped ends the tick with what to run, and migrate makes it again", async () => {
  const site = await busySite({});
  expect(await site.tick()).toEqual(QUIET);
  await site.query("DROP INDEX swf_alarms_one_active_event");
  expect(await site.tick()).toEqual({
    code: 2,
    stdout: "",
    stderr: `swf-alarms: the database lacks 0002_one_active_event.sql; run: bin/swf-alarms migrate --config ${site.config}\n`,
  });
  expect(await site.command(["migrate"])).toEqual({
    code: 0,
    stdout: expect.stringMatching(
      /^found public\.entry, .*\napplied 0002_one_active_event\.sql\n$/s,
    ),
    stderr: "",
  });
  expect(await site.tick()).toEqual(QUIET);
  expect(await site.command(["migrate"])).toMatchObject({
    stdout: expect.stringMatching(/\nthe database is up to date\n$/),
  });
});
