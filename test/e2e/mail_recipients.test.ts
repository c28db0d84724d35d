import { expect, test } from "vitest";
import { busySite } from "../support/busy_site.ts";
import { eventData, perAlarm, runData } from "../support/contract.ts";
import {
  type ErrorResponse,
  readCall,
  recipientsOf,
  sesError,
  withoutRawRight,
} from "../support/mail_service.ts";
import { QUIET } from "../support/quiet.ts";
import { only } from "../support/rows.ts";
import type { Site } from "../support/site.ts";

const PEOPLE = Array.from({ length: 120 }, (_, index) => `person${index}@example.org`);

async function siteFor(recipients: readonly string[]): Promise<Site> {
  const site = await busySite({});
  await setRecipients(site, recipients);
  return site;
}

async function setRecipients(site: Site, recipients: readonly string[]): Promise<void> {
  await site.query(
    "UPDATE entry SET data = jsonb_set(data, '{recipients}', $1::text::jsonb) WHERE kind = 'alarm'",
    [JSON.stringify(recipients)],
  );
}

function has(call: URLSearchParams, address: string): boolean {
  return recipientsOf(call).includes(address);
}

/** The alarm's mails; those of the alarm `engine` name the refused address. */
function mails(site: Site) {
  return site.mail.mails.filter(({ subject }) => subject.startsWith("[alarm_things]"));
}

function sent(site: Site): readonly string[] {
  return mails(site).flatMap(({ to }) => to);
}

const illegal: ErrorResponse = sesError("InvalidParameterValue", 400, "Illegal address");

test("one refused address of 120: the others get the mail once, and every mail reports the address", async () => {
  const site = await siteFor(PEOPLE);
  site.mail.refuse = (call) => (has(call, "person60@example.org") ? illegal : undefined);
  const first = await site.tick();
  expect(first).toMatchObject({ code: 1, stdout: "" });
  expect(first.stderr).toBe(
    "swf-alarms: things: mail sent to 119 of 120 recipients; SES InvalidParameterValue: Illegal address (refused: person60@example.org); correct or remove the address in the alarm's recipients or its team\n",
  );
  const others = PEOPLE.filter((address) => address !== "person60@example.org");
  expect([...sent(site)].sort()).toEqual([...others].sort());
  const attempt = only(await site.entries("notification"));
  expect(attempt.data).toMatchObject({
    outcome: "partial",
    refused: [
      {
        address: "person60@example.org",
        reason: "SES InvalidParameterValue: Illegal address",
      },
    ],
    message_ids: mails(site).map(({ messageId }) => messageId),
    retryable: false,
  });
  expect(attempt.data).not.toHaveProperty("pending");
  const run = only(await site.entries("engine_run"));
  expect(runData(run)).toMatchObject({ notifications_sent: 2, errors: 1 });
  expect(perAlarm(run, "alarm_things")).toMatchObject({ bundle_sent: true, errors: 1 });
  expect(eventData(only(await site.entries("event"))).last_notified).toBeDefined();

  expect(await site.tick()).toEqual(QUIET);
  expect(sent(site)).toHaveLength(119);
  site.things = [...site.things, { key: "b", subject: "B is wrong" }];
  expect((await site.tick()).stderr).toContain("(refused: person60@example.org)");
  expect(sent(site)).toHaveLength(2 * 119);
});

test("the third call of 120 recipients fails: the next tick sends only to those twenty", async () => {
  const site = await siteFor(PEOPLE);
  site.mail.refuse = (call) =>
    has(call, "person100@example.org") ? sesError("InternalFailure", 500, "down") : undefined;
  const first = await site.tick();
  expect(first.code).toBe(1);
  expect(first.stderr).toBe(
    "swf-alarms: things: mail sent to 100 of 120 recipients; not yet to person100@example.org, person101@example.org, person102@example.org, person103@example.org, person104@example.org and 15 more: SES InternalFailure: down; the next tick tries these again\n",
  );
  expect(sent(site)).toEqual(PEOPLE.slice(0, 100));
  expect(only(await site.entries("notification")).data).toMatchObject({
    outcome: "partial",
    pending: PEOPLE.slice(100),
    retryable: true,
    attempts: 1,
  });
  expect(eventData(only(await site.entries("event"))).last_notified).toBeDefined();

  // It fails once more, and the event clears meanwhile: the stored mail is sent.
  site.things = [];
  const second = await site.tick();
  expect(second.stderr).toMatch(
    /^swf-alarms: things: the mail "\[alarm_things\] 1 detection\(s\), 1 new, 0 continuing: A is wrong" \(attempt 2\) not yet sent to person100@.* and 15 more: SES InternalFailure: down; the next tick tries again\n$/,
  );
  expect(sent(site)).toHaveLength(100);

  site.mail.refuse = undefined;
  const [first100] = site.mail.mails;
  expect(await site.tick()).toEqual(QUIET);
  expect(sent(site)).toEqual(PEOPLE);
  const late = only(site.mail.mails.slice(-1));
  expect(late.subject).toBe(first100?.subject);
  expect(late.text).toBe(first100?.text);
  expect(late.html).toContain("A is wrong");
  const { data } = only(await site.entries("notification"));
  expect(data).toMatchObject({
    outcome: "delivered",
    attempts: 3,
    message_ids: site.mail.mails.map(({ messageId }) => messageId),
  });
  for (const key of ["pending", "retry", "error", "retryable"])
    expect(data).not.toHaveProperty(key);
  expect(await site.tick()).toEqual(QUIET);
  expect(sent(site)).toEqual(PEOPLE);
});

test("a recipient removed from the alarm meanwhile does not get a pending mail", async () => {
  const site = await siteFor(PEOPLE.slice(0, 52));
  site.mail.refuse = (call) =>
    has(call, "person51@example.org") ? sesError("InternalFailure", 500, "down") : undefined;
  await site.tick();
  await setRecipients(site, PEOPLE.slice(0, 51));
  site.mail.refuse = undefined;
  expect(await site.tick()).toEqual(QUIET);
  expect(sent(site)).toEqual(PEOPLE.slice(0, 51));
  expect(only(await site.entries("notification")).data).toMatchObject({
    outcome: "partial",
    given_up: ["person51@example.org"],
  });
});

test("after a day a pending mail is given up, reported once, and on record", async () => {
  const site = await siteFor(PEOPLE.slice(0, 51));
  site.mail.refuse = (call) =>
    has(call, "person50@example.org") ? sesError("InternalFailure", 500, "down") : undefined;
  await site.tick();
  await site.query(
    "UPDATE entry SET data = jsonb_set(data, '{attempted_at}', to_jsonb((data->>'attempted_at')::float8 - 86400)) WHERE kind = 'notification'",
  );
  const calls = site.mail.calls.length;
  const given = await site.tick();
  expect(given.code).toBe(1);
  expect(given.stderr).toMatch(
    /gave up sending the mail "[^"]*" to person50@example\.org after 24 hours: SES InternalFailure: down; inform them/,
  );
  expect(site.mail.calls).toHaveLength(calls);
  expect(only(await site.entries("notification")).data).toMatchObject({
    outcome: "partial",
    given_up: ["person50@example.org"],
    retryable: false,
  });
  expect(await site.tick()).toEqual(QUIET);
});

test("a pending mail and a new one are sent in the same tick, each once", async () => {
  const site = await siteFor(PEOPLE.slice(0, 51));
  site.mail.refuse = (call) =>
    has(call, "person50@example.org") ? sesError("InternalFailure", 500, "down") : undefined;
  await site.tick();
  site.mail.refuse = undefined;
  site.mail.mails.length = 0;
  site.things = [...site.things, { key: "b", subject: "B is wrong" }];
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails.map(({ to, text }) => [to.length, text.includes("B is wrong")])).toEqual([
    [1, false],
    [50, true],
    [1, true],
  ]);
});

test("throttling that passes within the tick is not an error", async () => {
  const site = await siteFor(PEOPLE.slice(0, 2));
  site.mail.refuse = () =>
    site.mail.calls.length <= 2
      ? sesError("Throttling", 400, "Maximum sending rate exceeded.")
      : undefined;
  expect(await site.tick()).toEqual(QUIET);
  expect(sent(site)).toEqual(PEOPLE.slice(0, 2));
  expect(site.mail.calls).toHaveLength(3);
});

test("a mail that the service rejects as too large is sent with the subjects alone, and says so", async () => {
  const site = await siteFor(PEOPLE.slice(0, 1));
  site.things = [{ key: "a", subject: "A is wrong", body: "details of A" }];
  site.mail.refuse = async (call) =>
    (await readCall(call)).text.includes("details of A")
      ? (response) => response.writeHead(413).end()
      : undefined;
  expect(await site.tick()).toEqual(QUIET);
  const { text } = only(site.mail.mails);
  expect(text).toContain("A is wrong");
  expect(text).toContain("rejected the full text as too large");
  const attempt = only(await site.entries("notification"));
  expect(attempt).toMatchObject({ content: text, data: { outcome: "delivered", shortened: true } });
});

test("without the right to SendRawEmail mail goes by SendEmail, and the log says so once per tick", async () => {
  const site = await siteFor(PEOPLE.slice(0, 60));
  site.mail.refuse = withoutRawRight;
  expect(await site.tick()).toEqual(QUIET);
  expect(sent(site)).toEqual(PEOPLE.slice(0, 60));
  expect(site.mail.calls.map((call) => call.get("Action"))).toEqual([
    "SendRawEmail",
    "SendEmail",
    "SendEmail",
  ]);
  expect(site.log().match(/ info SES: using ses:SendEmail; the AWS policy lacks/g)).toHaveLength(1);
});
