import { expect, test } from "vitest";
import { eventData, perAlarm, runData } from "../support/contract.ts";
import { ageNotified } from "../support/notified.ts";
import { QUIET } from "../support/quiet.ts";
import { at, type Entry, insertAlarm, only } from "../support/rows.ts";
import { makeSite, type Site, THINGS } from "../support/site.ts";

const A = { key: "a", subject: "A is wrong", body: "first line\nsecond", data: { metric: "1%" } };
const B = { key: "b", subject: "B is wrong" };

async function siteWithThings(data: { readonly [key: string]: unknown } = {}): Promise<Site> {
  const site = await makeSite();
  site.module("things.js", THINGS);
  await insertAlarm(site, "things", data);
  return site;
}

test("a first detection makes one row, one mail, one attempt and one run, each as the contract says", async () => {
  const site = await makeSite();
  site.module("things.js", THINGS);
  const alarmId = await insertAlarm(site, "things", {
    recipients: "ops@example.org, Chief <chief@example.org>; OPS@example.org",
  });
  site.things = [A];
  const before = Date.now() / 1000;
  expect(await site.tick()).toEqual(QUIET);
  const after = Date.now() / 1000;

  const run = only(await site.entries("engine_run"));
  const { started_at: startedAt, finished_at: finishedAt } = runData(run);
  expect(startedAt).toBeGreaterThanOrEqual(before - 0.001);
  expect(finishedAt).toBeGreaterThanOrEqual(startedAt);
  expect(finishedAt).toBeLessThanOrEqual(after + 0.001);
  expect(run.data.entry_id).toBe(`run_${Math.floor(startedAt)}`);
  const stamp = new Date(startedAt * 1000).toISOString();
  expect(run.title).toBe(
    `Engine run ${stamp.slice(0, 10).replaceAll("-", "")} ${stamp.slice(11, 19)} UTC`,
  );

  const event = only(await site.entries("event"));
  expect(event).toMatchObject({
    title: "A is wrong",
    content: "Head of things.\n\n---\n\nfirst line\nsecond",
    timestamp_created: startedAt,
  });
  expect(event.data).toStrictEqual({
    metric: "1%",
    entry_id: "event_things",
    fire_time: startedAt,
    clear_time: null,
    last_seen: startedAt,
    last_notified: startedAt,
    dedupe_key: "a",
    subject: "A is wrong",
    recipients: ["ops@example.org", "chief@example.org"],
    alarm_config_id: alarmId,
    swf: {
      news_at: startedAt,
      news: "fired",
      notified: { email: startedAt },
      to: { email: ["ops@example.org", "<chief@example.org>", "OPS@example.org"] },
    },
  });

  const mail = only(site.mail.mails);
  expect(mail.subject).toBe("[alarm_things] 1 detection(s), 1 new, 0 continuing: A is wrong");
  expect(mail.from).toBe("alarms@example.org");
  expect(mail.to).toEqual(["ops@example.org", "chief@example.org"]);
  for (const text of [mail.text, mail.html]) {
    for (const part of ["Head of things.", "A is wrong", "first line", "second", "NEW (1)"])
      expect(text).toContain(part);
    expect(text).not.toContain("CONTINUING");
  }

  expect(runData(run)).toMatchObject({
    alarms_run: 1,
    alarms_seen: 1,
    notifications_sent: 1,
    errors: 0,
    error_details: "",
  });
  expect(Object.keys(runData(run).per_alarm)).toEqual(["alarm_engine", "alarm_things"]);
  expect(perAlarm(run, "alarm_things")).toMatchObject({
    enabled: true,
    alarms_seen: 1,
    errors: 0,
    bundle_new: 1,
    bundle_renotify: 0,
    bundle_sent: true,
    bundle_subject: "[alarm_things] 1 detection(s), 1 new, 0 continuing",
    bundle_new_event_ids: [event.id],
    bundle_renotify_event_ids: [],
    params: {},
    recipients: ["ops@example.org", "chief@example.org"],
  });
  // "Chief" is the display name of the address.
  expect(perAlarm(run, "alarm_things").error_message).toBe("");

  const attempt = only(await site.entries("notification"));
  expect(attempt).toMatchObject({ title: mail.subject, content: mail.text, status: "done" });
  expect(attempt.data).toMatchObject({
    alarm: "alarm_things",
    run_id: run.id,
    channel: "email",
    type: "ses",
    state: "delivered",
    composed_at: startedAt,
    recipients: ["ops@example.org", "chief@example.org"],
    new_event_ids: [event.id],
    continuing_event_ids: [],
    outcome: "delivered",
    message_ids: [mail.messageId],
  });
  expect(at(attempt.data, "attempted_at")).toBeGreaterThanOrEqual(startedAt);
  expect(at(attempt.data, "finished_at")).toBeLessThanOrEqual(finishedAt);
});

test("the same detection again only moves last_seen, and mails nobody", async () => {
  const site = await siteWithThings();
  site.things = [A];
  await site.tick();
  const first = only(await site.entries("event"));
  // What the entity looks like now is not written over what it was when it fired.
  site.things = [{ ...A, subject: "A is worse", body: "other", data: { metric: "2%", more: 1 } }];
  expect(await site.tick()).toEqual(QUIET);

  const [, run, ...rest] = await site.entries("engine_run");
  expect(rest).toEqual([]);
  if (run === undefined) throw new Error("no second run");
  const second = only(await site.entries("event"));
  const { started_at: startedAt } = runData(run);
  expect(second).toStrictEqual({
    ...first,
    timestamp_modified: startedAt,
    data: { ...first.data, last_seen: startedAt },
  });
  expect(startedAt).toBeGreaterThan(Number(first.data.last_seen));
  expect(site.mail.mails).toHaveLength(1);
  expect(await site.entries("notification")).toHaveLength(1);
  expect(runData(run)).toMatchObject({ alarms_run: 1, alarms_seen: 1, notifications_sent: 0 });
  expect(perAlarm(run, "alarm_things")).toMatchObject({
    alarms_seen: 1,
    errors: 0,
    error_message: "",
    bundle_new: 0,
    bundle_renotify: 0,
    bundle_sent: false,
    bundle_subject: "",
    bundle_new_event_ids: [],
    bundle_renotify_event_ids: [],
  });
});

test("what has gone is cleared with time and reason; coming back is a new event and a new mail", async () => {
  const site = await siteWithThings();
  site.things = [A, B];
  await site.tick();
  const fired = (await site.entries("event")).find(({ title }) => title === "A is wrong");
  site.things = [B];
  expect(await site.tick()).toEqual(QUIET);

  const clearing = (await site.entries("engine_run"))[1];
  if (fired === undefined || clearing === undefined) throw new Error("no event or no second run");
  const cleared = (await site.entries("event")).find(({ id }) => id === fired.id);
  const clearedAt = runData(clearing).started_at;
  expect(cleared).toStrictEqual({
    ...fired,
    timestamp_modified: clearedAt,
    data: {
      ...fired.data,
      clear_time: clearedAt,
      clear_reason: "recovered",
      swf: { ...Object(fired.data.swf), news: "cleared", news_at: clearedAt },
    },
  });
  expect(site.mail.mails).toHaveLength(1);

  // Cleared is over: another tick without it leaves its row alone.
  expect(await site.tick()).toEqual(QUIET);
  expect((await site.entries("event")).find(({ id }) => id === fired.id)).toStrictEqual(cleared);

  site.things = [A, B];
  expect(await site.tick()).toEqual(QUIET);
  const events = await site.entries("event");
  expect(events).toHaveLength(3);
  expect(events.find(({ id }) => id === fired.id)).toStrictEqual(cleared);
  const again = events.find(({ title, id }) => title === "A is wrong" && id !== fired.id);
  expect(again?.data).toMatchObject({ dedupe_key: "a", clear_time: null });
  const mails = site.mail.mails;
  expect(mails.map(({ subject }) => subject)).toEqual([
    "[alarm_things] 2 detection(s), 2 new, 0 continuing: A is wrong",
    "[alarm_things] 1 detection(s), 1 new, 0 continuing: A is wrong",
  ]);
});

test("several detections of an alarm are one mail, and two alarms are two", async () => {
  const site = await siteWithThings();
  site.module("others.js", THINGS.replaceAll("Things", "Others"));
  await insertAlarm(site, "others", { recipients: ["other@example.org"] });
  site.things = [A, B, { key: "c", subject: "C is wrong" }];
  expect(await site.tick()).toEqual(QUIET);
  const mails = site.mail.mails;
  expect(mails.map(({ subject, to }) => [subject, to]).sort()).toEqual([
    ["[alarm_others] 3 detection(s), 3 new, 0 continuing: A is wrong", ["other@example.org"]],
    ["[alarm_things] 3 detection(s), 3 new, 0 continuing: A is wrong", ["ops@example.org"]],
  ]);
  expect(await site.entries("event")).toHaveLength(6);
  const run = only(await site.entries("engine_run"));
  expect(runData(run)).toMatchObject({ alarms_run: 2, alarms_seen: 6, notifications_sent: 2 });
  // Both asked the same question; it was fetched once.
  expect(site.source.requests).toEqual(["/things/?limit=200"]);
});

test("while mail is off everything is recorded; turned on, the next bundle sweeps it up", async () => {
  const site = await siteWithThings({ enabled: false });
  site.things = [A];
  expect(await site.tick()).toEqual(QUIET);
  const silent = only(await site.entries("event"));
  expect(silent.data).not.toHaveProperty("last_notified");
  expect(silent.data).toMatchObject({ clear_time: null, recipients: ["ops@example.org"] });
  const first = only(await site.entries("engine_run"));
  expect(perAlarm(first, "alarm_things")).toMatchObject({
    enabled: false,
    alarms_seen: 1,
    errors: 0,
    bundle_new: 1,
    bundle_sent: false,
    // The dashboard's run report shows what would have been mailed.
    bundle_subject: "[alarm_things] 1 detection(s), 1 new, 0 continuing",
    bundle_new_event_ids: [silent.id],
  });
  expect(await site.entries("notification")).toEqual([]);
  expect(site.mail.mails).toEqual([]);

  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toEqual([]);

  await site.query(
    "UPDATE entry SET data = jsonb_set(data, '{enabled}', 'true') WHERE kind = 'alarm'",
  );
  site.things = [A, B];
  expect(await site.tick()).toEqual(QUIET);
  const mail = only(site.mail.mails);
  expect(mail.subject).toBe("[alarm_things] 2 detection(s), 1 new, 1 continuing: B is wrong");
  const text = mail.text;
  expect(text.indexOf("NEW (1)")).toBeGreaterThan(-1);
  expect(text.indexOf("B is wrong")).toBeGreaterThan(text.indexOf("NEW (1)"));
  expect(text.indexOf("CONTINUING (1)")).toBeGreaterThan(text.indexOf("B is wrong"));
  expect(text.indexOf("A is wrong")).toBeGreaterThan(text.indexOf("CONTINUING (1)"));
  const run = (await site.entries("engine_run"))[2];
  if (run === undefined) throw new Error("no third run");
  expect(perAlarm(run, "alarm_things")).toMatchObject({
    bundle_new: 1,
    bundle_renotify: 1,
    bundle_sent: true,
    bundle_renotify_event_ids: [silent.id],
  });
  for (const event of await site.entries("event"))
    expect(eventData(event).last_notified).toBeGreaterThanOrEqual(runData(run).started_at);

  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(1);
});

test("an event that cleared while mail was off is not mailed later", async () => {
  const site = await siteWithThings({ enabled: false });
  site.things = [A];
  await site.tick();
  site.things = [];
  await site.tick();
  await site.query(
    "UPDATE entry SET data = jsonb_set(data, '{enabled}', 'true') WHERE kind = 'alarm'",
  );
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toEqual([]);
  expect(only(await site.entries("event")).data).toMatchObject({
    clear_reason: "recovered",
  });
});

test("a still-firing event is mailed again when its alarm's renotification window has passed", async () => {
  const cases = [
    { name: "passed", hours: 2, ago: 2 * 3600 + 1, again: true },
    { name: "not_passed", hours: 2, ago: 2 * 3600 - 300, again: false },
    { name: "never", hours: 0, ago: 1e6, again: false },
    { name: "typed_as_text", hours: "1.5", ago: 5401, again: true },
    { name: "no_window", hours: null, ago: 1e6, again: false },
    { name: "half_an_hour", hours: 0.5, ago: 1801, again: true },
  ];
  const site = await makeSite();
  for (const { name, hours } of cases) {
    site.module(`${name}.js`, THINGS);
    await insertAlarm(site, name, { renotification_window_hours: hours });
  }
  site.things = [A];
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(cases.length);
  site.mail.mails.length = 0;
  for (const { name, ago } of cases) await ageNotified(site, ago, name);
  const before = await site.entries("event");
  expect(await site.tick()).toEqual(QUIET);

  const run = (await site.entries("engine_run"))[1] ?? only([]);
  const after = await site.entries("event");
  for (const { name, again } of cases) {
    const old = only(before.filter(({ data }) => data.entry_id === `event_${name}`));
    const event = only(after.filter(({ data }) => data.entry_id === `event_${name}`));
    const mails = site.mail.mails.filter(({ subject }) => subject.startsWith(`[alarm_${name}]`));
    expect(perAlarm(run, `alarm_${name}`), name).toMatchObject({
      bundle_new: 0,
      bundle_renotify: again ? 1 : 0,
      bundle_sent: again,
      bundle_renotify_event_ids: again ? [event.id] : [],
      errors: 0,
    });
    if (again) {
      const mail = only(mails);
      expect(mail.subject).toBe(`[alarm_${name}] 1 detection(s), 0 new, 1 continuing: A is wrong`);
      expect(mail.text).toContain("CONTINUING (1)");
      expect(mail.text).not.toContain("NEW");
      expect(eventData(event).last_notified).toBeGreaterThanOrEqual(runData(run).started_at);
    } else {
      expect(mails, name).toEqual([]);
      expect(event.data.last_notified).toBe(old.data.last_notified);
    }
  }
});

test("a dry run writes state and sends nothing; the next real tick mails what it found", async () => {
  const site = await siteWithThings();
  site.things = [A];
  const dry = await site.tick("--dry-run");
  expect(dry.code).toBe(0);
  expect(dry.stderr).toBe("");
  const event = only(await site.entries("event"));
  expect(eventData(event)).not.toHaveProperty("last_notified");
  const run = only(await site.entries("engine_run"));
  expect(runData(run)).toMatchObject({ alarms_seen: 1, notifications_sent: 0, errors: 0 });
  expect(perAlarm(run, "alarm_things")).toMatchObject({
    enabled: true,
    bundle_new: 1,
    bundle_sent: false,
    bundle_new_event_ids: [event.id],
  });
  expect(await site.entries("notification")).toEqual([]);
  expect(site.mail.mails).toEqual([]);

  expect(await site.tick()).toEqual(QUIET);
  const mail = only(site.mail.mails);
  expect(mail.subject).toBe("[alarm_things] 1 detection(s), 0 new, 1 continuing: A is wrong");
  expect(eventData(only(await site.entries("event"))).last_notified).toBeDefined();
});

test("a dry run clears what has gone", async () => {
  const site = await siteWithThings();
  site.things = [A];
  await site.tick();
  site.things = [];
  expect((await site.tick("--dry-run")).code).toBe(0);
  expect(only(await site.entries("event")).data).toMatchObject({
    clear_time: runData((await site.entries("engine_run"))[1] ?? only([])).started_at,
    clear_reason: "recovered",
  });
});

test.each([
  ["archived", "archived = true", 1],
  ["deleted", "deleted_at = 1700000000", 0],
])(
  "an alarm that was %s does not run, and its events end, whatever else is detected",
  async (how, change, listed) => {
    const site = await siteWithThings({ notify_clear: true });
    const things = (rows: readonly Entry[]) =>
      rows.filter(({ data }) => data.entry_id === "event_things");
    site.module("others.js", THINGS.replaceAll("Things", "Others"));
    await insertAlarm(site, "others", { enabled: false });
    site.things = [A, B];
    await site.tick();
    const fired = await site.entries("event");
    await site.query(
      `UPDATE entry SET ${change} WHERE kind = 'alarm' AND data->>'entry_id' = 'alarm_things'`,
    );
    expect(await site.tick()).toEqual(QUIET);
    const run = (await site.entries("engine_run"))[1] ?? only([]);
    const { started_at: now } = runData(run);
    const cleared = { clear_time: now, clear_reason: `alarm ${how}` };
    const ended = await site.entries("event");
    expect(things(ended)).toMatchObject(things(fired).map(({ id }) => ({ id, data: cleared })));
    expect(ended.filter(({ data }) => data.clear_time === null)).toHaveLength(2);
    expect(runData(run)).toMatchObject({ alarms_run: 1, errors: 0 });
    expect(perAlarm(run, "alarm_things")).toMatchObject({ bundle_cleared: 2, errors: 0 });
    const mail = only(site.mail.mails.slice(1));
    expect(mail.subject).toMatch(/^\[alarm_things\] 0 detection\(s\), .*, 2 cleared/);
    expect(mail.text).toMatch(
      new RegExp(`A is wrong\n {6}fired .* cleared .* after \\d+ s: alarm ${how}\n`),
    );

    // That is all: another tick says nothing of it.
    expect(await site.tick()).toEqual(QUIET);
    expect(site.mail.mails).toHaveLength(2);
    const [, , last = only([])] = await site.entries("engine_run");
    expect(runData(last).per_alarm).not.toHaveProperty("alarm_things");
    expect(things(await site.entries("event"))).toStrictEqual(things(ended));
    // Its module is no newcomer either.
    const alarms = await site.entries("alarm");
    expect(alarms.filter(({ deleted_at }) => deleted_at === null)).toHaveLength(1 + listed);
    expect(site.source.requests).toHaveLength(3);
  },
);

test("what an alarm has pending ends too when it is archived, whoever archives it", async () => {
  const site = await siteWithThings({ settle: "15m" });
  site.things = [A];
  await site.tick();
  const pending = async () =>
    (await site.entries("engine_state")).filter(({ data }) => "pending" in data);
  expect(await pending()).toHaveLength(1);
  await site.query("UPDATE entry SET archived = true WHERE kind = 'alarm'");
  expect(await site.tick()).toEqual(QUIET);
  expect(await pending()).toEqual([]);
});

test("whoever deletes an alarm's row does not get it back while the module stays", async () => {
  const site = await siteWithThings();
  await site.query("UPDATE entry SET deleted_at = 1700000000 WHERE kind = 'alarm'");
  site.things = [A];
  expect(await site.tick()).toEqual(QUIET);
  expect(await site.entries("alarm")).toHaveLength(1);
  expect(await site.entries("event")).toEqual([]);
});
