import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { busySite, startTick } from "../support/busy_site.ts";
import { eventData, perAlarm } from "../support/contract.ts";
import { type ErrorResponse, readCall, recipientsOf, sesError } from "../support/mail_service.ts";
import { ageNotified } from "../support/notified.ts";
import { isRunning } from "../support/process.ts";
import { QUIET } from "../support/quiet.ts";
import { insertAlarm, only, readEntries } from "../support/rows.ts";
import type { Site } from "../support/site.ts";

const A = { key: "a", subject: "A is wrong" };
const B = { key: "b", subject: "B is wrong" };
const MARK = "may be a duplicate: an earlier mail may have been sent";

/** The service has taken the call, and nobody hears of it. */
const lost: ErrorResponse = (response) => response.destroy();

/** Moves the attempts and the starts of events into the past, as if so many seconds had gone by. */
async function pass(site: Site, seconds: number): Promise<void> {
  await site.query(
    `UPDATE entry SET timestamp_created = timestamp_created - $1::float8, data = data
       || jsonb_build_object('attempted_at', (data->>'attempted_at')::float8 - $1::float8)
       || CASE WHEN data ? 'not_before' THEN jsonb_build_object('not_before', (data->>'not_before')::float8 - $1::float8) ELSE '{}' END
       || CASE WHEN data ? 'unknown_attempts' THEN jsonb_build_object('unknown_attempts', data->'unknown_attempts'
            || jsonb_build_object('last', (data->'unknown_attempts'->>'last')::float8 - $1::float8)) ELSE '{}' END
     WHERE kind = 'notification'`,
    [seconds],
  );
  await site.query(
    `UPDATE entry SET data = data || jsonb_build_object('fire_time', (data->>'fire_time')::float8 - $1::float8,
       'swf', data->'swf' || jsonb_build_object('news_at', (data->'swf'->>'news_at')::float8 - $1::float8))
     WHERE kind = 'event' AND data->>'clear_time' IS NULL`,
    [seconds],
  );
}

/** How many calls a tick makes. */
async function calls(site: Site): Promise<number> {
  const before = site.mail.calls.length;
  await site.tick();
  return site.mail.calls.length - before;
}

/** Kills a tick when the service has received the n-th call of it; the service has taken that call. */
async function killAtCall(site: Site, n: number): Promise<void> {
  const from = site.mail.calls.length;
  const running = startTick(site);
  const reached = new Promise<void>((resolve) => {
    site.mail.refuse = () => {
      if (site.mail.calls.length - from < n) return undefined;
      resolve();
      return () => {};
    };
  });
  await reached;
  await running.kill();
  site.mail.refuse = undefined;
}

const PEOPLE = Array.from({ length: 230 }, (_, index) => `person${index}@example.org`);

async function setRecipients(site: Site, recipients: readonly string[]): Promise<void> {
  await site.query(
    "UPDATE entry SET data = jsonb_set(data, '{recipients}', $1::text::jsonb) WHERE kind = 'alarm'",
    [JSON.stringify(recipients)],
  );
}

describe("a service that takes each mail and loses its answer", () => {
  test("gets the same mail after growing pauses, marked; what is new is mailed at once", async () => {
    const site = await busySite({});
    site.mail.refuse = () => lost;
    expect([await calls(site), await calls(site), await calls(site)]).toEqual([1, 1, 0]);
    for (const [seconds, due] of [
      [290, 0],
      [20, 1],
      [310, 0],
      [310, 1],
      [900, 0],
      [310, 1],
    ] as const) {
      await pass(site, seconds);
      expect(await calls(site), `after ${seconds} s more`).toBe(due);
    }
    // Six hours are the longest pause.
    for (let repeat = 0; repeat < 6; repeat++) {
      await pass(site, 21_700);
      expect(await calls(site)).toBe(1);
    }

    const plan = await site.tick("--plan");
    expect(plan.stdout).toContain("no mail for 1 event(s): may have been mailed");
    expect(await site.tick(), "nothing failed in this tick").toEqual(QUIET);
    const run = only((await site.entries("engine_run")).slice(-1));
    expect(perAlarm(run, "alarm_things")).toMatchObject({
      mail: "nothing to mail",
      notes: ["1 event(s) may have been mailed; the repeat waits, at most six hours"],
    });
    expect((await site.command(["status"])).stdout).toContain(
      "  things has 1 event(s) not yet mailed\n",
    );

    site.mail.refuse = undefined;
    site.things = [A, B];
    expect(await site.tick()).toEqual(QUIET);
    const news = only(site.mail.mails);
    expect(news.text).toContain("B is wrong");
    expect(news.text).not.toContain("A is wrong");
    await pass(site, 21_700);
    expect(await site.tick()).toEqual(QUIET);
    const [, repeat] = site.mail.mails;
    expect(repeat?.text).toContain("A is wrong");
    expect(repeat?.text).toContain(MARK);
    expect(repeat?.text).not.toContain("first notification");
    expect(repeat?.text).not.toContain("B is wrong");
    await pass(site, 86_400);
    expect(await site.tick()).toEqual(QUIET);
    expect(site.mail.mails).toHaveLength(2);
  });

  test("what cleared meanwhile waits too, and is not forgotten", async () => {
    const site = await busySite({});
    site.mail.refuse = () => lost;
    expect([await calls(site), await calls(site)]).toEqual([1, 1]);
    site.things = [];
    expect(await calls(site)).toBe(0);
    await pass(site, 310);
    site.mail.refuse = undefined;
    expect(await site.tick()).toEqual(QUIET);
    const { text } = only(site.mail.mails);
    expect(text).toContain("ALREADY CLEARED (1):");
    expect(text).toContain(`A is wrong (${MARK})`);
    expect(await site.tick()).toEqual(QUIET);
    expect(site.mail.mails).toHaveLength(1);
  });

  test("for some of the recipients: those wait, and their mail is marked", async () => {
    const site = await busySite({});
    await setRecipients(site, PEOPLE.slice(0, 120));
    site.mail.refuse = (call) =>
      recipientsOf(call).includes("person110@example.org") ? lost : undefined;
    expect([await calls(site), await calls(site), await calls(site)]).toEqual([3, 1, 0]);
    await pass(site, 310);
    expect([await calls(site), await calls(site)]).toEqual([1, 0]);
    await pass(site, 310);
    expect(await calls(site)).toBe(0);
    await pass(site, 310);
    site.mail.refuse = undefined;
    expect(await site.tick()).toEqual(QUIET);
    const [, , late] = site.mail.mails;
    expect(late?.to).toEqual(PEOPLE.slice(100, 120));
    expect(late?.text).toContain(`This notification ${MARK}.`);
    expect(late?.html).toContain(MARK);
    expect(only(await site.entries("notification")).data).toMatchObject({
      outcome: "delivered",
      attempts: 4,
    });
    expect(await calls(site)).toBe(0);
  });

  test("a known failure in between neither waits nor removes the mark", async () => {
    const site = await busySite({});
    await setRecipients(site, PEOPLE.slice(0, 60));
    let answer: ErrorResponse = lost;
    site.mail.refuse = (call) =>
      recipientsOf(call).includes("person55@example.org") ? answer : undefined;
    expect(await calls(site)).toBe(2);
    answer = sesError("AccessDenied", 403);
    expect([await calls(site), await calls(site)]).toEqual([1, 1]);
    site.mail.refuse = undefined;
    expect(await site.tick()).toEqual(QUIET);
    expect(site.mail.mails.at(-1)?.text).toContain(`This notification ${MARK}.`);
  });

  test.each([
    [
      "an alarm in quarantine",
      { engine: "quarantine_after = 1" },
      async (site: Site) =>
        site.module("things.js", "export function detect() { throw Error('no'); }"),
      "alarm things is quarantined: it failed",
    ],
    [
      "a source that is unreachable",
      {
        engine: "unreachable_after = 0",
        baseUrl: "http://127.0.0.1:9",
      },
      // Every tick would wait for the retries.
      async (site: Site) =>
        site.module(
          "things.js",
          'export const detect = (client) => client.request("/things/", { attempts: 1 });',
        ),
      "source main unreachable since",
    ],
  ] as const)(
    "the mail about %s waits and is marked in the same way",
    async (_, options, prepare, subject) => {
      const site = await busySite({});
      site.configure(options);
      const text = readFileSync(site.config, "utf8");
      writeFileSync(
        site.config,
        text.replace("[email]", '[email]\noperators = ["ops@example.org"]'),
      );
      await prepare(site);
      site.mail.refuse = () => lost;
      // From its second failure on there is one more mail, about the channel.
      const callsAboutIt = async () => {
        const before = site.mail.calls.length;
        await site.tick();
        const mails = await Promise.all(site.mail.calls.slice(before).map(readCall));
        return mails.filter(({ text }) => text.includes(subject)).length;
      };
      const inTicks = [await callsAboutIt(), await callsAboutIt(), await callsAboutIt()];
      expect(inTicks).toEqual([1, 1, 0]);
      await pass(site, 310);
      expect([await callsAboutIt(), await callsAboutIt()]).toEqual([1, 0]);
      await pass(site, 610);
      site.mail.refuse = undefined;
      expect(await callsAboutIt()).toBe(1);
      const mail = only(site.mail.mails.filter(({ text }) => text.includes(subject)));
      expect(mail.text).toContain(`This notification ${MARK}.`);
      await pass(site, 86_400);
      expect(await callsAboutIt()).toBe(0);
      const [first] = await site.withDatabase((db) => readEntries(db, "notification"));
      expect(first?.content).not.toContain(MARK);
    },
  );
});

describe("the mark", () => {
  test("is on a reminder that a killed tick may have sent, and not on the next one", async () => {
    const site = await busySite({});
    await site.query(
      `UPDATE entry SET data = data || '{"renotification_window_hours": 24}' WHERE kind = 'alarm'`,
    );
    const dueAgain = () => ageNotified(site, 86_400);
    site.things = [A, B];
    expect(await site.tick()).toEqual(QUIET);
    await pass(site, 86_400);
    await dueAgain();
    await killAtCall(site, 1);
    site.things = [A, B, { key: "c", subject: "C is wrong" }];
    expect(await site.tick()).toEqual(QUIET);
    const [repeat, news] = site.mail.mails.slice(1).map(({ text }) => text);
    expect(repeat).toContain(`This notification ${MARK}.`);
    for (const key of ["A", "B"]) expect(repeat).toContain(`${key} is wrong`);
    expect(news).toContain("C is wrong");
    expect(news).not.toContain("duplicate");
    await pass(site, 86_400);
    await dueAgain();
    expect(await site.tick()).toEqual(QUIET);
    expect(site.mail.mails).toHaveLength(4);
    expect(site.mail.mails.at(-1)?.text).not.toContain("duplicate");
  });

  test.each([0, 1, 21, 100])(
    "of a version that made a row for each attempt stays after %d that surely failed",
    async (count) => {
      const site = await busySite({});
      await killAtCall(site, 1);
      const [row] = await site.entries("notification");
      await site.query(
        "UPDATE entry SET data = data - '{state,bundle,not_before,unknown_attempts,composed_at}'::text[] WHERE id = $1",
        [row?.id ?? ""],
      );
      await site.query(
        `INSERT INTO entry (id, title, content, kind, data, status, archived, timestamp_created, timestamp_modified, context_id)
       SELECT gen_random_uuid()::text, title, content, kind,
              data || '{"outcome": "failed", "error": "SES Throttling: busy", "retryable": true}',
              'done', archived, timestamp_created + n, timestamp_modified, context_id
       FROM entry, generate_series(1, $2::int) AS n WHERE id = $1`,
        [row?.id ?? "", count],
      );
      expect(await site.tick()).toEqual(QUIET);
      expect(only(site.mail.mails).text).toContain(`A is wrong (${MARK})`);
    },
  );
});

describe("what was confirmed call by call is not repeated", () => {
  test.each([1, 2, 3, 4, 5])("a tick that is killed at call %d of 5", async (k) => {
    const site = await busySite({});
    await setRecipients(site, PEOPLE);
    await killAtCall(site, k);
    const inFlight = recipientsOf(site.mail.calls.at(-1) ?? new URLSearchParams());
    const confirmed = site.mail.mails.flatMap(({ to }) => to);
    expect(confirmed).toHaveLength((k - 1) * 50);
    const row = only(await site.entries("notification"));
    const event = eventData(only(await site.entries("event")));
    if (k === 1) {
      expect(row.data).toMatchObject({ outcome: "unknown" });
      expect(event).not.toHaveProperty("last_notified");
    } else {
      expect(row.data).toMatchObject({
        outcome: "partial",
        pending: PEOPLE.slice(confirmed.length),
        message_ids: site.mail.mails.map(({ messageId }) => messageId),
        error: "the engine ended before the rest was sent",
      });
      expect(event.last_notified).toBeDefined();
    }

    expect(await site.tick()).toEqual(QUIET);
    const mails = site.mail.mails.slice(k - 1);
    expect(mails.flatMap(({ to }) => to)).toEqual(PEOPLE.slice(confirmed.length));
    expect(inFlight.length).toBeLessThanOrEqual(50);
    for (const { text } of mails) expect(text).toContain(MARK);
    const last = only((await site.entries("notification")).slice(-1));
    expect(last.data).toMatchObject({ outcome: "delivered" });
    expect(last.data).not.toHaveProperty("pending");
    expect(await calls(site)).toBe(0);
  });

  test("a second kill, in the repeat: each call that was confirmed is made once", async () => {
    const site = await busySite({});
    await setRecipients(site, PEOPLE);
    await killAtCall(site, 2);
    await killAtCall(site, 3);
    expect(site.mail.mails.flatMap(({ to }) => to)).toEqual(PEOPLE.slice(0, 150));
    expect(only(await site.entries("notification")).data).toMatchObject({
      pending: PEOPLE.slice(150),
      attempts: 2,
    });
    // Another call was in flight than in the first kill, so that the next tick need not wait.
    expect(await site.tick()).toEqual(QUIET);
    expect(site.mail.mails.flatMap(({ to }) => to)).toEqual(PEOPLE);
    expect(only(await site.entries("notification")).data).toMatchObject({
      outcome: "delivered",
      message_ids: site.mail.mails.map(({ messageId }) => messageId),
    });
  });

  test("a failure of a later call that is known leaves no mark", async () => {
    const site = await busySite({});
    await setRecipients(site, PEOPLE);
    site.mail.refuse = (call) =>
      recipientsOf(call).includes("person100@example.org")
        ? sesError("AccessDenied", 403)
        : undefined;
    expect((await site.tick()).code).toBe(1);
    const { data } = only(await site.entries("notification"));
    expect(data).toMatchObject({ outcome: "partial", pending: PEOPLE.slice(100) });
    expect(data).not.toHaveProperty("unknown_attempts");
    expect(data).not.toHaveProperty("may_have_been_sent");
    site.mail.refuse = undefined;
    expect(await site.tick()).toEqual(QUIET);
    expect(site.mail.mails.at(-1)?.text).not.toContain("duplicate");
  });
});

describe("AWS credentials that never come", () => {
  const WITHOUT_KEYS = { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" };

  test.each([
    ["their own limit", "", /no AWS credentials: none within 10 s/],
    [
      "the limit of the tick",
      "tick_timeout = 4",
      /stopped before the call: out of time: the tick's limit of 4 s has passed/,
    ],
  ])("hold no tick beyond %s, and no mail is called unknown", async (_, engine, message) => {
    const site = await busySite({ engine });
    for (const name of ["others", "more"]) await insertAlarm(site, name, { module: "things" });
    const pid = join(site.folder, "pid");
    mkdirSync(join(site.folder, ".aws"));
    writeFileSync(
      join(site.folder, ".aws/config"),
      `[default]\ncredential_process = sh -c "echo \\$\\$ >> ${pid}; sleep 1000; true"\n`,
    );
    const env = { ...WITHOUT_KEYS, HOME: site.folder };
    const { code, stderr } = await site.command(["run"], { env });
    expect(code).toBe(1);
    expect(stderr.match(/mail not sent: /g)).toHaveLength(3);
    expect(stderr).toMatch(message);
    const { data } = only(await site.entries("notification"));
    expect(data).toMatchObject({ outcome: "failed", retryable: true });
    expect(data).not.toHaveProperty("may_have_been_sent");
    const started = readFileSync(pid, "utf8").trim().split("\n");
    await expect.poll(() => started.filter(isRunning)).toEqual([]);

    expect(await site.tick(), "with keys again").toEqual(QUIET);
    expect(site.mail.mails).toHaveLength(3);
    for (const { text } of site.mail.mails) expect(text).not.toContain("duplicate");
  });
});
