import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import type { JsonObject } from "../../src/text/json.ts";
import { eventData, perAlarm, runData } from "../support/contract.ts";
import { type PandaServer, sharedTasks, startPandaServer } from "../support/panda_server.ts";
import { QUIET } from "../support/quiet.ts";
import { at, type Entry, insertAlarm, only } from "../support/rows.ts";
import { makeSite, type Site } from "../support/site.ts";

const SHIPPED = fileURLToPath(new URL("../../alarms", import.meta.url));
const NAME = "panda_failure_rate_eic_all";
const DESCRIPTION = "Tasks of **everybody** that lose files.\n\nAsk the shift first.\n";

/**
 * Worked out by hand from the sample: of running, failed and broken, those with a final rate of at least
 * 0.03 and at least five ended jobs. 38958 is at 0.03 exactly and 38957 just below; 38940 has four ended
 * jobs and 38939 five; 38949 has no ended input file, so its final rate is null, whatever its job rate.
 */
const FIRING = new Map([
  [38958, "3.0%"],
  [38951, "5.0%"],
  [38946, "99.4%"],
  [38939, "40.0%"],
  [38927, "98.0%"],
  [38925, "100.0%"],
  [38918, "75.0%"],
  [38886, "50.0%"],
  [38880, "40.0%"],
  [38874, "20.0%"],
]);

const tasks = sharedTasks();

interface PandaSite {
  readonly site: Site;
  readonly panda: PandaServer;
  readonly alarmId: string;
}

async function pandaSite(items: readonly JsonObject[]): Promise<PandaSite> {
  const panda = await startPandaServer(items, { prefix: "/prod" });
  onTestFinished(() => panda.close());
  const site = await makeSite({ baseUrl: panda.url, alarmsDir: SHIPPED });
  const alarmId = await insertAlarm(
    site,
    NAME,
    {
      recipients: "panda-shift@example.org, second@example.org",
      params: { threshold: 0.03, since_days: 1 },
    },
    { title: "Failure rates", content: DESCRIPTION },
  );
  return { site, panda, alarmId };
}

function taskOf(event: Entry): number {
  return Number(String(event.data.dedupe_key).replace("task:", ""));
}

function change(items: readonly JsonObject[], id: number, fields: JsonObject): JsonObject[] {
  return items.map((task) => (task.jeditaskid === id ? { ...task, ...fields } : task));
}

const HEALED = { nfinalfailed: 0, computed_finalfailurerate: 0 };

test.skipIf(tasks === undefined)(
  "the sample tasks: who fires, each row, the mail, the run; then quiet, recovery and a second firing",
  async () => {
    const items = tasks ?? [];
    const { site, panda, alarmId } = await pandaSite(items);
    expect(await site.tick()).toEqual(QUIET);

    const run = only(await site.entries("engine_run"));
    const { started_at: startedAt } = runData(run);
    const events = await site.entries("event");
    expect(events.map(taskOf).sort()).toEqual([...FIRING.keys()].sort());
    for (const event of events) {
      const id = taskOf(event);
      const task = only(items.filter(({ jeditaskid }) => jeditaskid === id));
      const { subject } = eventData(event);
      expect(subject).toBe(
        `task ${id} (${task.status}) final-failure rate ${FIRING.get(id)} — ${task.taskname ?? "?"}`,
      );
      expect(event.data, String(id)).toStrictEqual({
        entry_id: `event_${NAME}`,
        fire_time: startedAt,
        clear_time: null,
        last_seen: startedAt,
        last_notified: startedAt,
        dedupe_key: `task:${id}`,
        subject,
        recipients: ["panda-shift@example.org", "second@example.org"],
        alarm_config_id: alarmId,
        swf: {
          news_at: startedAt,
          news: "fired",
          notified: { email: startedAt },
          to: { email: ["panda-shift@example.org", "second@example.org"] },
        },
        metric: FIRING.get(id),
        rate_kind: "final-failure",
        jeditaskid: id,
        taskname: task.taskname,
        status: task.status,
        username: task.username,
        site: task.site,
        computed_failurerate: task.computed_failurerate,
        computed_finalfailurerate: task.computed_finalfailurerate,
        native_failurerate: task.failurerate,
        nactive: task.nactive,
        nfinished: task.nfinished,
        nfailed: task.nfailed,
        nfinalfailed: task.nfinalfailed,
        nfilesfinished: task.nfilesfinished,
        nretries: task.nretries,
        threshold: 0.03,
        since_days: 1,
      });
      expect(event.title).toBe([...subject].slice(0, 255).join(""));
      expect(event.timestamp_created).toBe(startedAt);
      const [head, detail = ""] = event.content.split("\n\n---\n\n");
      expect(head).toBe(DESCRIPTION.trimEnd());
      expect(detail).toContain(`PanDA task ${id} — ${task.taskname ?? "?"}`);
      expect(detail).toContain(`Owner:       ${task.username}`);
      expect(detail).toContain(
        `retry-exhausted failed=${task.nfinalfailed}  finished=${task.nfilesfinished}`,
      );
      expect(detail).toContain(
        `nfailed=${task.nfailed}  nfinished=${task.nfinished}  nactive=${task.nactive}`,
      );
    }
    // The one with a name of 256 characters has a subject that its title cannot hold.
    expect([...(events.find((event) => taskOf(event) === 38880)?.title ?? "")].length).toBe(255);

    const mail = only(site.mail.mails);
    expect(mail).toMatchObject({
      from: "alarms@example.org",
      to: ["panda-shift@example.org", "second@example.org"],
      subject: expect.stringContaining(`[alarm_${NAME}] 10 detection(s), 10 new, 0 continuing`),
    });
    for (const event of events) expect(mail.text).toContain(String(event.data.subject));
    expect(mail.text).toContain("Ask the shift first.");
    expect(mail.text).toContain("NEW (10)");
    expect(mail.text).not.toContain("CONTINUING");
    expect(mail.html).toContain("user.user1.ΔE-scan — B0 tracker (µ⁻) 10×");
    for (const task of items) {
      if (!FIRING.has(Number(task.jeditaskid))) {
        expect(mail.text).not.toContain(String(task.jeditaskid));
      }
    }

    expect(runData(run)).toMatchObject({
      alarms_run: 1,
      alarms_seen: 10,
      notifications_sent: 1,
      errors: 0,
      error_details: "",
    });
    const { bundle_new_event_ids: ids, ...entry } = perAlarm(run, `alarm_${NAME}`);
    expect([...ids].sort()).toEqual(events.map(({ id }) => id).sort());
    expect(entry).toMatchObject({
      enabled: true,
      alarms_seen: 10,
      errors: 0,
      error_message: "",
      bundle_new: 10,
      bundle_renotify: 0,
      bundle_sent: true,
      bundle_subject: `[alarm_${NAME}] 10 detection(s), 10 new, 0 continuing`,
      bundle_renotify_event_ids: [],
      recipients: ["panda-shift@example.org", "second@example.org"],
    });
    expect(at(entry, "params")).toMatchObject({ threshold: 0.03, since_days: 1 });
    const attempt = only(await site.entries("notification"));
    expect(attempt.data).toMatchObject({
      alarm: `alarm_${NAME}`,
      run_id: run.id,
      channel: "email",
      type: "ses",
      outcome: "delivered",
      message_ids: [mail.messageId],
      recipients: ["panda-shift@example.org", "second@example.org"],
    });
    // The other shipped alarms have rows, mail off, and are not configured; that is no error.
    expect(
      (await site.entries("alarm")).map(({ data }) => [data.entry_id, data.enabled]).sort(),
    ).toEqual([
      ["alarm_enrgdaq_healthcheck", false],
      ["alarm_enrgdaq_supervisor", false],
      ["alarm_gracedb_alert_flow", false],
      ["alarm_gracedb_awaiting_decision", false],
      ["alarm_gracedb_event_rate", false],
      ["alarm_gracedb_followup", false],
      ["alarm_gracedb_heartbeat", false],
      ["alarm_gracedb_label_consistency", false],
      ["alarm_host_resources", false],
      ["alarm_http_endpoints", false],
      [`alarm_${NAME}`, true],
      ["alarm_panda_failure_rate_owner", false],
      ["alarm_panda_task_without_movement", false],
      ["alarm_supervisord_events", false],
      ["alarm_supervisord_processes", false],
    ]);

    // The same answer again.
    expect(await site.tick()).toEqual(QUIET);
    const second = (await site.entries("engine_run"))[1] ?? only([]);
    const secondAt = runData(second).started_at;
    expect(await site.entries("event")).toStrictEqual(
      events.map((event) => ({
        ...event,
        timestamp_modified: secondAt,
        data: { ...event.data, last_seen: secondAt },
      })),
    );
    expect(site.mail.mails).toHaveLength(1);
    expect(runData(second)).toMatchObject({ alarms_seen: 10, notifications_sent: 0, errors: 0 });

    // One task recovers.
    panda.setTasks(change(items, 38951, HEALED));
    expect(await site.tick()).toEqual(QUIET);
    const third = (await site.entries("engine_run"))[2] ?? only([]);
    const thirdAt = runData(third).started_at;
    const afterThird = await site.entries("event");
    const cleared = only(afterThird.filter((event) => taskOf(event) === 38951));
    expect(cleared.data).toMatchObject({
      clear_time: thirdAt,
      clear_reason: "recovered",
      last_seen: secondAt,
      metric: "5.0%",
    });
    expect(cleared.status).toBe("active");
    expect(afterThird.filter(({ data }) => data.clear_time === null)).toHaveLength(9);
    expect(site.mail.mails).toHaveLength(1);

    // It fails again: another event, another mail.
    panda.setTasks(items);
    expect(await site.tick()).toEqual(QUIET);
    const afterFourth = await site.entries("event");
    expect(afterFourth).toHaveLength(11);
    const twice = afterFourth.filter((event) => taskOf(event) === 38951);
    expect(twice.map(({ id }) => id)).toContain(cleared.id);
    expect(twice.find(({ id }) => id === cleared.id)).toStrictEqual(cleared);
    expect(twice.find(({ id }) => id !== cleared.id)?.data.clear_time).toBeNull();
    expect(site.mail.mails[1]?.subject).toContain(
      `[alarm_${NAME}] 1 detection(s), 1 new, 0 continuing`,
    );
    expect(site.mail.mails[1]?.text).toContain("task 38951");
    expect(site.mail.mails[1]?.text).not.toContain("task 38946");
  },
);

function sick(jeditaskid: number, fields: JsonObject = {}): JsonObject {
  return {
    jeditaskid,
    taskname: `task.${jeditaskid}`,
    status: "running",
    username: "somebody",
    creationdate: "2026-08-07T12:00:00",
    modificationtime: "2026-08-07T17:54:00",
    processingtype: "epicproduction",
    processingtype_raw: "epicproduction",
    site: null,
    failurerate: null,
    nactive: 1,
    nfinished: 60,
    nfailed: 40,
    nrunning: 1,
    nretries: 3,
    nfinalfailed: 40,
    nfilesfinished: 60,
    maxattempt: 3,
    computed_failurerate: 0.4,
    computed_finalfailurerate: 0.4,
    ...fields,
  };
}

test("a service that could not count clears nothing, and causes no mail when it can again", async () => {
  const { site, panda } = await pandaSite([sick(1), sick(2), sick(3), sick(4, HEALED)]);
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(1);
  panda.countsFail = true;
  const zeros = await site.tick();
  expect(zeros).toMatchObject({ code: 1, stdout: "" });
  expect(zeros.stderr).toMatch(
    /^swf-alarms: panda_failure_rate_eic_all: [^\n]*could not count[^\n]*\n$/,
  );
  const events = await site.entries("event");
  expect(events.map(({ data }) => data.clear_time)).toEqual([null, null, null]);
  panda.countsFail = false;
  expect(await site.tick()).toEqual(QUIET);
  expect(await site.entries("event")).toHaveLength(3);
  expect(site.mail.mails).toHaveLength(1);
});

test("the proxy down is one line on stderr, and the events stay", async () => {
  const { site, panda } = await pandaSite([sick(1), sick(2)]);
  expect(await site.tick()).toEqual(QUIET);
  panda.failWith({ status: 403, body: { detail: "Invalid token." } });
  const down = await site.tick();
  expect(down).toMatchObject({ code: 1, stdout: "" });
  expect(down.stderr).toMatch(
    /^swf-alarms: source main unreachable since [^\n]*status 403[^\n]*Invalid token[^\n]*; affected alarms: panda_failure_rate_eic_all\n$/,
  );
  expect((await site.entries("event")).map(({ data }) => data.clear_time)).toEqual([null, null]);
});

test("several hundred tasks are read page by page, at most 200 at a time", async () => {
  const { site, panda } = await pandaSite(
    Array.from({ length: 450 }, (_, index) => sick(index + 1, index % 10 === 0 ? {} : HEALED)),
  );
  expect(await site.tick()).toEqual(QUIET);
  expect(await site.entries("event")).toHaveLength(45);
  expect(panda.requests.length).toBe(3);
  expect(panda.requests.every((request) => request.includes("limit=200"))).toBe(true);
});

test("an owner's alarm and the one for all are two rows of events and two mails", async () => {
  const { site } = await pandaSite([sick(1), sick(2, { username: "other" })]);
  await insertAlarm(site, "panda_failure_rate_owner", {
    recipients: ["owner@example.org"],
    params: { threshold: 0.1, username: "other" },
  });
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails.map(({ to, subject }) => `${to} ${subject}`).sort()).toEqual([
    expect.stringContaining(
      "owner@example.org [alarm_panda_failure_rate_owner] 1 detection(s), 1 new, 0 continuing",
    ),
    expect.stringContaining(
      `panda-shift@example.org,second@example.org [alarm_${NAME}] 2 detection(s), 2 new, 0 continuing`,
    ),
  ]);
  const keys = (await site.entries("event")).map(
    ({ data }) => `${data.entry_id} ${data.dedupe_key}`,
  );
  expect(keys.sort()).toEqual([
    `event_${NAME} task:1`,
    `event_${NAME} task:2`,
    "event_panda_failure_rate_owner task:2",
  ]);
});
