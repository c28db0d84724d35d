import { expect, test } from "vitest";
import { passTime } from "../golden/golden_ticks.ts";
import { startHookServer } from "../support/hook_server.ts";
import { json } from "../support/http_server.ts";
import { sesError } from "../support/mail_service.ts";
import { QUIET } from "../support/quiet.ts";
import { at, insertAlarm, only } from "../support/rows.ts";
import { makeSite, type Site, type SiteOptions } from "../support/site.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** What the service lists goes into detections and clears as it is. */
const DISKS = `
export const TITLE = "Disks";
export const DESCRIPTION = "Disks that fill up.";
export const STAGES = ["filling", "full"];
export async function* detect(client) {
  yield* client.pages("/disks/");
}
`;

/** What the service says of a disk. */
function disk(used: number, more: object = {}) {
  const metric = `${used}%`;
  return {
    dedupeKey: "disk7",
    subject: "disk7 fills up",
    body: "on node3",
    data: { metric },
    ...more,
  };
}

/** A site with the alarm `disks`, set up as an operator does it, and a service that lists what it is told to. */
async function diskSite(options: readonly string[], more: SiteOptions = {}) {
  const site = await makeSite(more);
  const service = { disks: [disk(91)] as readonly object[], isDown: false };
  site.source.answer = (_, response) => {
    if (service.isDown) json(response, { detail: "Invalid token." }, 403);
    else json(response, { items: service.disks, has_more: false, next_before_id: null });
  };
  site.module("disks.js", DISKS);
  await insertAlarm(site, "disks");
  const set = await site.command(["alarm", "set", "disks", ...options]);
  expect(set).toMatchObject({ code: 0, stderr: "" });
  return { site, service };
}

/** The mails of a tick as their readers see them, without the footer; what cron sees is as expected. */
async function heard(site: Site, cron: object = QUIET): Promise<readonly string[]> {
  const before = site.mail.mails.length;
  expect(await site.tick()).toMatchObject(cron);
  return site.mail.mails.slice(before).map(({ to, subject, text }) => {
    const [body = ""] = text.split("\n--\n");
    const shown = withoutTimes(body).trimEnd();
    return `To: ${to.join(", ")}\nSubject: ${subject}\n\n${shown}`;
  });
}

function withoutTimes(text: string): string {
  return text.replace(/(\d{4}-\d\d-\d\d )?\d\d:\d\d UTC/g, "TIME");
}

/** A mail of this alarm as `heard` shows it. */
function mail(subject: string, ...lines: readonly string[]): string {
  return [
    "To: ops@example.org",
    `Subject: [alarm_disks] ${subject}`,
    "",
    "Head of disks.",
    "",
    "---",
    "",
    ...lines,
    "      on node3",
  ].join("\n");
}

const FIRED = mail(
  "1 detection(s), 1 new, 0 continuing: disk7 fills up",
  "NEW (1):",
  "",
  "  [1] disk7 fills up",
);

test("2/3 settling over a failed tick, which counts neither way", async () => {
  const { site, service } = await diskSite(["--settle", "2/3"]);
  const plan = await site.tick("--plan");
  expect(plan.stdout).toContain("  wait   disk7: not settled: detected in 1 of 2 outcomes\n");
  expect(await heard(site)).toEqual([]);

  await passTime(site, 5 * MINUTE);
  service.isDown = true;
  expect(await heard(site, { code: 1 })).toEqual([]);

  await passTime(site, 5 * MINUTE);
  service.isDown = false;
  service.disks = [];
  expect(await heard(site)).toEqual([]);
  expect(await site.entries("event")).toEqual([]);

  await passTime(site, 5 * MINUTE);
  service.disks = [disk(93)];
  expect(await heard(site)).toEqual([
    mail(
      "1 detection(s), 1 new, 0 continuing: disk7 fills up",
      "NEW (1):",
      "",
      "  [1] disk7 fills up (first seen TIME)",
    ),
  ]);
  const { fire_time: fired, swf } = only(await site.entries("event")).data;
  expect(Number(fired) - Number(at(swf, "first_seen"))).toBeGreaterThan(15 * MINUTE);
});

/** The mail about a severity that was never as high before. */
function rose(severity: string, changes: string): string {
  return mail(
    `1 detection(s), 0 new, 1 continuing, severity rose: ${severity}: disk7 fills up`,
    "CONTINUING (1):",
    "",
    `  [1] ${severity}: disk7 fills up (severity rose; ${changes}; firing since TIME)`,
  );
}

test("an acknowledgement holds reminders until a rise breaks it; then the reminders begin anew", async () => {
  const { site, service } = await diskSite(["--severity", "warning", "--renotify", "1"]);
  const ack = ["event", "ack", "disks", "disk7", "--reason", "cleaning up", "--by", "ana"];
  const early = await site.command(ack);
  expect(early).toMatchObject({ code: 1, stdout: "" });
  expect(early.stderr).toContain('the alarm disks has no event "disk7"');
  expect(await heard(site)).toEqual([FIRED.replaceAll("disk7", "WARNING: disk7")]);
  expect(await site.command([...ack, "--for", "12h"])).toMatchObject({ code: 0, stderr: "" });

  await passTime(site, HOUR);
  const plan = await site.tick("--plan");
  expect(plan.stdout).toContain("  no mail for 1 event(s): acknowledged\n");
  expect(await heard(site)).toEqual([]);

  service.disks = [disk(96, { severity: "error" })];
  await passTime(site, 30 * MINUTE);
  const changes = "severity warning when it fired, error now; 91% when it fired, 96% now";
  expect(await heard(site)).toEqual([rose("ERROR", changes)]);
  const [{ data } = only([])] = await site.entries("event");
  expect(at(data, "swf", "ack")).toMatchObject({ by: "ana", ended: "severity rose" });

  await passTime(site, 55 * MINUTE);
  expect(await heard(site)).toEqual([]);
  await passTime(site, 5 * MINUTE);
  expect(await heard(site)).toEqual([
    mail(
      "1 detection(s), 0 new, 1 continuing: ERROR: disk7 fills up",
      "CONTINUING (1):",
      "",
      `  [1] ERROR: disk7 fills up (${changes}; firing since TIME)`,
    ),
  ]);
});

test("warning and error alternate: only a rise above the highest so far is notified", async () => {
  const { site, service } = await diskSite(["--severity", "warning"]);
  const turn = async (used: number, more: object = {}): Promise<readonly string[]> => {
    service.disks = [disk(used, more)];
    await passTime(site, 5 * MINUTE);
    return await heard(site);
  };
  const error = { severity: "error" };
  expect(await turn(91)).toEqual([FIRED.replaceAll("disk7", "WARNING: disk7")]);
  expect(await turn(96, error)).toEqual([
    rose("ERROR", "severity warning when it fired, error now; 91% when it fired, 96% now"),
  ]);
  expect(await turn(92)).toEqual([]);
  expect(only(await site.entries("event")).data).toMatchObject({ severity: "warning" });
  expect(await turn(97, error)).toEqual([]);
  expect(await turn(99, { severity: "critical" })).toEqual([
    rose("CRITICAL", "severity warning when it fired, critical now; 91% when it fired, 99% now"),
  ]);
  expect(await turn(97, error)).toEqual([]);
});

test("a clear that one channel missed is delivered there later, to those who were notified", async () => {
  const hook = await startHookServer();
  const { site, service } = await diskSite(["--notify-clear", "on", "--channel", "email", "chat"], {
    more: `[channels.chat]\ntype = "mattermost"\nurl = "${hook.url}"`,
  });
  expect(await heard(site)).toEqual([FIRED]);

  await passTime(site, 130 * MINUTE);
  await site.command(["alarm", "set", "disks", "--recipients", "others@example.org"]);
  site.mail.refuse = () => sesError("AccessDenied", 403);
  service.disks = [{ dedupeKey: "disk7", clear: "the disk was cleaned" }];
  const down = { code: 1, stderr: expect.stringContaining("mail not sent: SES AccessDenied") };
  expect(await heard(site, down)).toEqual([]);

  await passTime(site, 2 * HOUR);
  site.mail.refuse = undefined;
  service.disks = [];
  const why = "TIME after 2 h 10 min: the disk was cleaned";
  expect(await heard(site)).toEqual([
    mail(
      "0 detection(s), 0 new, 0 continuing, 1 cleared: disk7 fills up",
      "CLEARED (1):",
      "",
      "  [1] disk7 fills up",
      `      fired TIME, cleared ${why}`,
    ),
  ]);
  expect(await heard(site)).toEqual([]);
  expect(hook.requests.map(({ body }) => withoutTimes(body))).toEqual([
    expect.stringContaining("**NEW (1)**"),
    expect.stringContaining(`**disk7 fills up** (fired TIME, cleared ${why})`),
  ]);
});

test("an acknowledgement also holds what one channel missed before, until it ends", async () => {
  const hook = await startHookServer({}, { status: 500 }, {});
  const { site, service } = await diskSite(
    ["--severity", "warning", "--channel", "email", "chat"],
    {
      more: `[channels.chat]\ntype = "mattermost"\nurl = "${hook.url}"`,
    },
  );
  const warned = FIRED.replaceAll("disk7", "WARNING: disk7");
  expect(await heard(site)).toEqual([warned]);
  service.disks = [disk(96, { severity: "error" })];
  await passTime(site, 5 * MINUTE);
  expect(await site.tick()).toMatchObject({ code: 1 });
  const before = hook.requests.length;

  const about = ["disks", "disk7"];
  await site.command(["event", "ack", ...about, "--reason", "cleaning up"]);
  expect(await heard(site)).toEqual([]);
  expect(hook.requests).toHaveLength(before);
  await site.command(["event", "unack", ...about]);
  expect(await heard(site)).toEqual([]);
  expect(hook.requests.slice(before).map(({ body }) => body)).toEqual([
    expect.stringContaining("severity rose"),
  ]);
});

test("a course of reminders comes ever later, and says which one is the last", async () => {
  const { site } = await diskSite([
    ...["--renotify", "1", "--renotify-growth", "2", "--renotify-count", "3"],
  ]);
  const reminder = (which: string, more = ""): string =>
    mail(
      `1 detection(s), 0 new, 1 continuing${more}: disk7 fills up`,
      "CONTINUING (1):",
      "",
      `  [1] disk7 fills up (${which}; firing since TIME)`,
    );
  const last = "FINAL reminder: no more will follow unless something changes";
  expect(await heard(site)).toEqual([FIRED]);
  const course = [
    ["not after 55 minutes", 55 * MINUTE, []],
    ["after an hour", 5 * MINUTE, [reminder("reminder 1")]],
    ["not an hour after that", HOUR, []],
    ["two hours after that", HOUR, [reminder("reminder 2")]],
    ["four hours after that", 4 * HOUR, [reminder(last, ", FINAL reminder")]],
    ["none is left", 8 * HOUR, []],
  ] as const;
  for (const [when, seconds, mails] of course) {
    await passTime(site, seconds);
    expect(await heard(site), when).toEqual(mails);
  }
});
