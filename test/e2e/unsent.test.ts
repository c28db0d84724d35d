import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { busySite, startTick } from "../support/busy_site.ts";
import { eventData, perAlarm } from "../support/contract.ts";
import { sesError } from "../support/mail_service.ts";
import { QUIET } from "../support/quiet.ts";
import { insertAlarm, only } from "../support/rows.ts";
import type { Site } from "../support/site.ts";

const A = { key: "a", subject: "A is wrong", body: "details of A" };
const B = { key: "b", subject: "B is wrong" };

async function lastRun(site: Site) {
  return only((await site.entries("engine_run")).slice(-1));
}

async function eventsByKey(site: Site) {
  return new Map(
    (await site.entries("event")).map((row) => [eventData(row).dedupe_key, row.data] as const),
  );
}

test("what fires and clears while mail fails is reported with the first mail that goes out, once", async () => {
  const site = await busySite({});
  site.things = [A];
  site.mail.refuse = () => sesError("AccessDenied", 403);
  expect((await site.tick()).code).toBe(1);
  site.things = [B];
  const second = await site.tick();
  expect(second.code).toBe(1);
  expect((await eventsByKey(site)).get("a")).toMatchObject({ swf: { unsent: ["email"] } });
  expect(perAlarm(await lastRun(site), "alarm_things")).toMatchObject({
    bundle_new: 1,
    bundle_cleared: 1,
    bundle_subject: "[alarm_things] 1 detection(s), 1 new, 0 continuing, 1 already cleared",
    bundle_sent: false,
    mail: "due",
  });
  site.things = [];
  expect((await site.tick()).code).toBe(1);
  expect(site.mail.mails).toEqual([]);

  site.mail.refuse = undefined;
  expect(await site.tick()).toEqual(QUIET);
  const mail = only(site.mail.mails);
  expect(mail.subject).toBe(
    "[alarm_things] 0 detection(s), 0 new, 0 continuing, 2 already cleared: A is wrong",
  );
  expect(mail.text).toContain("ALREADY CLEARED (2):");
  expect(mail.text).toMatch(
    /A is wrong\n {6}fired \S+ \S+ UTC, cleared \S+ \S+ UTC after \d+ s[^\n]*\n {6}details of A/,
  );
  expect(mail.text).toContain("B is wrong");
  const events = await site.entries("event");
  const attempt = only((await site.entries("notification")).slice(-1));
  expect(attempt.data).toMatchObject({
    outcome: "delivered",
    cleared_event_ids: events.map(({ id }) => id),
  });
  for (const event of events) {
    expect(eventData(event).last_notified).toBe(attempt.data.composed_at);
    expect(event.data.swf).not.toHaveProperty("unsent");
  }

  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(1);
});

test.each([
  ["there are no recipients", "no recipients"],
  ["there is no [email]", "none"],
  ["the tick is a dry run", "dry run"],
])("what fires and clears while %s is reported later", async (_, how) => {
  const site = await busySite(how === "none" ? { mail: "none" } : {});
  const recipients = (text: string) =>
    site.query(
      "UPDATE entry SET data = jsonb_set(data, '{recipients}', to_jsonb($1::text)) WHERE kind = 'alarm'",
      [text],
    );
  if (how === "no recipients") await recipients("");
  const args = how === "dry run" ? ["--dry-run"] : [];
  expect((await site.tick(...args)).code).toBe(0);
  site.things = [];
  expect((await site.tick(...args)).code).toBe(0);
  expect(site.mail.mails).toEqual([]);
  site.configure({});
  await recipients("ops@example.org");
  expect(await site.tick()).toEqual(QUIET);
  expect(only(site.mail.mails).subject).toBe(
    "[alarm_things] 0 detection(s), 0 new, 0 continuing, 1 already cleared: A is wrong",
  );
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(1);
});

test("what clears while mail is off is not unsent; what is unsent waits while mail is off", async () => {
  const site = await busySite({});
  const enabled = (on: boolean) =>
    site.query(
      "UPDATE entry SET data = jsonb_set(data, '{enabled}', to_jsonb($1::boolean)) WHERE kind = 'alarm'",
      [on],
    );
  site.mail.refuse = () => sesError("AccessDenied", 403);
  site.things = [A];
  await site.tick();
  site.things = [];
  await site.tick();
  site.mail.refuse = undefined;
  await enabled(false);
  site.things = [B];
  expect(await site.tick()).toEqual(QUIET);
  site.things = [];
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toEqual([]);
  await enabled(true);
  expect(await site.tick()).toEqual(QUIET);
  const { text } = only(site.mail.mails);
  expect(text).toContain("A is wrong");
  expect(text).not.toContain("B is wrong");
});

test("an entity that fires again is new, and its earlier firing is reported too", async () => {
  const site = await busySite({});
  site.mail.refuse = () => sesError("AccessDenied", 403);
  for (const things of [[A], []]) {
    site.things = things;
    await site.tick();
  }
  site.mail.refuse = undefined;
  site.things = [A];
  expect(await site.tick()).toEqual(QUIET);
  expect(only(site.mail.mails).subject).toBe(
    "[alarm_things] 1 detection(s), 1 new, 0 continuing, 1 already cleared: A is wrong",
  );
});

test("a plan shows what is unsent and what would be, and writes nothing", async () => {
  const site = await busySite({});
  site.mail.refuse = () => sesError("AccessDenied", 403);
  site.things = [A];
  await site.tick();
  site.things = [];
  const plan = await site.tick("--plan");
  expect(plan.stdout).toContain("  mail   a: cleared before it could be mailed");
  expect(plan.stdout).toContain(
    'would mail "[alarm_things] 0 detection(s), 0 new, 0 continuing, 1 already cleared"',
  );
  expect(JSON.parse((await site.tick("--plan", "--json")).stdout)).toMatchObject({
    alarms: [
      { channels: [{ items: [{ key: "a", reason: "cleared before it could be mailed" }] }] },
    ],
  });
  expect((await eventsByKey(site)).get("a")).toMatchObject({ clear_time: null });
});

test("killed while its mail was on the way, the next one does not claim to be the first", async () => {
  const site = await busySite({});
  site.things = [A, B];
  // SES has the call, and the engine dies before the answer.
  site.mail.refuse = () => () => {};
  const running = startTick(site);
  while (site.mail.calls.length === 0) await pause(20);
  await running.kill();
  site.mail.refuse = undefined;
  site.things = [A];
  expect(await site.tick()).toEqual(QUIET);
  const [again, cleared, ...others] = site.mail.mails;
  expect(others).toEqual([]);
  expect(again?.subject).toBe("[alarm_things] 2 detection(s), 2 new, 0 continuing: A is wrong");
  expect(again?.text).toMatch(/^This notification may be a duplicate: an earlier mail may have/);
  expect(cleared?.subject).toBe(
    "[alarm_things] 0 detection(s), 0 new, 0 continuing, 1 already cleared: B is wrong",
  );
  expect(cleared?.text).not.toContain("first notification");
  expect((await site.entries("notification")).map(({ data }) => data.outcome)).toEqual([
    "delivered",
    "delivered",
  ]);
});

test("an unsent event keeps its own texts, also where the alarm's description holds the mark", async () => {
  const site = await busySite({});
  await site.query("UPDATE entry SET content = $1 WHERE kind = 'alarm'", ["One.\n\n---\n\nTwo."]);
  site.mail.refuse = () => sesError("AccessDenied", 403);
  site.things = [A];
  await site.tick();
  site.things = [];
  site.mail.refuse = undefined;
  expect(await site.tick()).toEqual(QUIET);
  const [, over = ""] = only(site.mail.mails).text.split("ALREADY CLEARED");
  expect(over).toContain("details of A");
  expect(over).not.toContain("Two.");
});

test("thirty alarms and a service that is down: few calls, each on record, nothing lost", async () => {
  const site = await busySite({});
  for (let index = 1; index < 30; index++)
    await insertAlarm(site, `things${index}`, { module: "things" });
  site.mail.refuse = () => (response) => response.destroy();
  const failed = await site.tick();
  expect(failed.code).toBe(1);
  expect(failed.stderr.match(/mail not sent: /g)).toHaveLength(30);
  expect(failed.stderr.match(/mail not sent: not tried: SES/g)?.length).toBeGreaterThanOrEqual(26);
  // Tried once, since the service may have taken it; the others are not tried.
  expect(site.mail.calls.length).toBeLessThanOrEqual(4);
  const attempts = await site.entries("notification");
  expect(attempts).toHaveLength(site.mail.calls.length);
  for (const { data } of attempts)
    expect(data).toMatchObject({ outcome: "failed", retryable: true });

  site.mail.refuse = undefined;
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(30);
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(30);
});
