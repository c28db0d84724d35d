import { expect, test } from "vitest";
import { changeAlarm, insertAlarm, only } from "../support/rows.ts";
import { makeSite, type Site } from "../support/site.ts";

const SLOW = 120_000;
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
const MINUTE = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d UTC`;
const SECOND = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`;

/** Lists what the site's service says; its data has the severity. */
const MODULE = `
export async function* detect(client) {
  for await (const { key, subject, body, data } of client.pages("/things/")) {
    const { severity, ...rest } = data ?? {};
    yield { dedupeKey: key, subject, body, data: rest, severity };
  }
}`;

/** An alarm that mails of one event, and has done so. */
async function firingSite(row: object = {}): Promise<Site> {
  const site = await makeSite({ mail: "file" });
  site.module("things.js", MODULE);
  await site.withDatabase((db) => insertAlarm(db, "things", { ...row }));
  see(site, "warning");
  await tick(site);
  return site;
}

function see(site: Site, severity: string): void {
  site.things = [{ key: "task:5", subject: "A is wrong", body: "Why", data: { severity, n: 5 } }];
}

async function tick(site: Site): Promise<void> {
  expect(await site.tick()).toMatchObject({ code: 0, stderr: "" });
}

async function run(site: Site, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await site.command(args);
  expect({ code, stderr }, args.join(" ")).toEqual({ code: 0, stderr: "" });
  return stdout;
}

async function refused(site: Site, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await site.command(args);
  expect({ code, stdout }, args.join(" ")).toEqual({ code: 1, stdout: "" });
  return stderr;
}

async function json(site: Site, ...args: readonly string[]) {
  return JSON.parse(await run(site, ...args, "--json"));
}

const ACK = ["event", "ack", "things", "task:5", "--reason", "known"];
const CLEAR = ["event", "clear", "things", "task:5", "--reason", "gone"];
const SHOW = ["event", "show", "things", "task:5"];

test(
  "an acknowledgement holds an update only if it is sticky; what it held is sent after its end",
  async () => {
    const site = await firingSite();
    const mails = async () => (await site.entries("notification")).length;
    expect(await mails()).toBe(1);

    expect(await run(site, ...ACK, "--for", "2h", "--by", "ann")).toMatch(
      new RegExp(
        `^acknowledged task:5 of things until ${MINUTE}: updates and reminders are held; it ends if its severity or stage rises \\(--sticky keeps it\\)\n$`,
      ),
    );
    expect(await run(site, "event", "list")).toMatch(
      new RegExp(
        `^things +task:5 +warning +${SECOND} +acknowledged until ${SECOND} +${SECOND} +A is`,
        "m",
      ),
    );
    see(site, "error");
    await tick(site);
    expect(await mails()).toBe(2);
    expect(await run(site, ...SHOW)).toMatch(/^severity +error \(warning when it fired\)$/m);
    expect((await json(site, ...SHOW)).event).toMatchObject({ ack: null, muted: null });

    expect(await run(site, ...ACK, "--until", "23:59", "--by", "ann")).not.toContain("replaces");
    expect(await run(site, ...ACK, "--sticky", "--by", "bob")).toBe(
      "acknowledged task:5 of things until it clears: updates and reminders are held, also if its severity or stage rises\n" +
        "it replaces the acknowledgement by ann: known\n",
    );
    see(site, "critical");
    await tick(site);
    expect(await mails()).toBe(2);
    expect(await json(site, "event", "list")).toEqual({
      version: 1,
      total: 1,
      events: [
        {
          id: only(await site.entries("event")).id,
          alarm: "things",
          key: "task:5",
          subject: "A is wrong",
          severity: "critical",
          stage: null,
          fire_time: TIME,
          first_seen: TIME,
          last_seen: TIME,
          clear_time: null,
          clear_reason: null,
          ack: { by: "bob", reason: "known", until: null, sticky: true },
          muted: { reason: "acknowledged by bob: known", until: null },
          notified: { email: TIME },
          data: { n: 5 },
        },
      ],
    });

    expect(await run(site, "event", "unack", "alarm_things", "task:5")).toBe(
      "ended the acknowledgement of task:5 of things by bob: the next tick notifies what it held, and reminders begin anew\n",
    );
    expect(await refused(site, "event", "unack", "things", "task:5")).toMatch(
      /task:5 of things is not acknowledged any more: the acknowledgement by bob ended at .*: by operator$/m,
    );
    await tick(site);
    expect(await mails()).toBe(3);
  },
  SLOW,
);

test(
  "what is not firing cannot be acknowledged or cleared, and the message says what it is",
  async () => {
    const site = await firingSite();
    await site.withDatabase((db) => insertAlarm(db, "slow", { module: "things", settle: "2/3" }));
    await site.withDatabase((db) => insertAlarm(db, "late", { module: "things", settle: "15m" }));
    await tick(site);
    const pending = await json(site, "event", "list", "--pending");
    const item = { key: "task:5", subject: "A is wrong", first_seen: TIME };
    expect(pending).toMatchObject({ version: 1, total: 2 });
    expect(pending.pending).toContainEqual({
      ...item,
      alarm: "slow",
      seen: 1,
      needed: 2,
      unit: "outcomes",
    });
    expect(pending.pending).toContainEqual({
      ...item,
      alarm: "late",
      seen: expect.any(Number),
      needed: 900,
      unit: "seconds",
    });
    expect(await run(site, "event", "list", "--pending", "--alarm", "slow")).toMatch(
      new RegExp(
        `^slow +task:5 +${SECOND} +in 1 of 2 outcomes +after 2 of the last 3 outcomes +A is wrong$`,
        "m",
      ),
    );
    const cut = await site.command(["event", "list", "--pending", "--limit", "1"]);
    expect(cut.stdout).toContain("… and 1 more; --limit 0 lists all");

    await site.command([...CLEAR, "--force", "--by", "ann"]);
    for (const [alarm, key, says] of [
      [
        "slow",
        "task:5",
        /task:5 of slow is pending: detected in 1 of 2 outcomes since .*; it fires /,
      ],
      [
        "late",
        "task:5",
        /task:5 of late is pending: detected for \d+ (s|min) of 15 min since .*; it /,
      ],
      [
        "things",
        "task:5",
        /task:5 of things is not firing: it cleared at .* because: by operator ann: gone$/m,
      ],
      ["things", "task:6", /the alarm things has no event "task:6" \(did you mean "task:5"\?\)$/m],
      ["thnigs", "task:5", /there is no alarm "thnigs" \(did you mean things\?\)/],
    ] as const)
      for (const command of ["ack", "clear"])
        expect(
          await refused(site, "event", command, alarm, key, "--reason", "r"),
          `${command} ${alarm}`,
        ).toMatch(says);
    expect(await refused(site, "event", "show", "slow", "task:5")).toContain("is pending: ");
  },
  SLOW,
);

test(
  "a mistyped key is answered with the one that was meant, an event without an acknowledgement with how to make one",
  async () => {
    const site = await firingSite();
    expect(await refused(site, "event", "show", "things", "tsak:5")).toContain(
      'has no event "tsak:5" (did you mean "task:5"?)',
    );
    expect(await refused(site, "event", "unack", "things", "task:5")).toContain(
      "task:5 of things is not acknowledged; to acknowledge it run: bin/swf-alarms event ack",
    );
  },
  SLOW,
);

test(
  "what is still detected is cleared with --force alone, and then fires again",
  async () => {
    const site = await firingSite({ notify_clear: true });
    expect(await refused(site, ...CLEAR)).toMatch(
      new RegExp(
        `task:5 of things is still detected \\(last seen ${MINUTE}\\): it would fire again in the next tick; fix the cause, acknowledge it `,
      ),
    );
    expect(await run(site, ...CLEAR, "--force", "--by", "ann")).toBe(
      "cleared task:5 of things; the next tick notifies of its end on email\n",
    );
    await tick(site);
    const shown = await json(site, ...SHOW);
    expect(shown).toMatchObject({
      version: 1,
      event: {
        clear_time: null,
        body: "Why",
        recipients: [],
        to: { email: ["ops@example.org"] },
        reminders: {},
        peak: { severity: "warning", stage: null },
        fired: { severity: "warning", stage: null },
      },
      earlier: [{ clear_time: TIME, clear_reason: "by operator ann: gone" }],
    });
    const text = await run(site, ...SHOW);
    for (const part of [
      new RegExp(`^id +${shown.event.id}$`, "m"),
      /^state +firing$/m,
      new RegExp(`^notified +email at ${SECOND} to ops@example.org$`, "m"),
      /^text:\n {2}Why$/m,
      /^data:\n {2}n: 5$/m,
      new RegExp(
        `^earlier events of this key \\(1\\):\n {2}${SECOND} to ${SECOND}, by operator ann: gone$`,
        "m",
      ),
    ])
      expect(text).toMatch(part);
  },
  SLOW,
);

test(
  "what the last tick did not detect is cleared at once; whether somebody is notified is said",
  async () => {
    const site = await firingSite();
    site.module("things.js", 'export const detect = () => { throw new Error("no luck"); };');
    expect((await site.tick()).code).toBe(1);
    expect(await run(site, ...CLEAR)).toBe(
      "cleared task:5 of things; nobody is notified of its end; to change that for others run: bin/swf-alarms alarm set things --notify-clear on\n",
    );
    site.module("things.js", MODULE);
    await tick(site);
    await site.withDatabase((db) => changeAlarm(db, "things", { enabled: false }));
    expect((await json(site, ...SHOW)).event.muted).toEqual({
      reason: "notifications are off",
      until: null,
    });
    expect(await run(site, ...CLEAR, "--force")).toContain(
      "nobody is notified of its end: the alarm's notifications are off",
    );
    expect((await json(site, ...SHOW)).event).toMatchObject({ muted: null, ack: null });
  },
  SLOW,
);

test(
  "archiving an alarm ends its events and forgets what it has pending",
  async () => {
    const site = await firingSite();
    await site.withDatabase((db) => insertAlarm(db, "slow", { module: "things", settle: "3" }));
    await tick(site);
    expect(await run(site, "alarm", "set", "things", "--archive")).toBe(
      "changed things; see: bin/swf-alarms alarm show things\nended 1 event: alarm archived\n",
    );
    expect((await json(site, ...SHOW)).event.clear_reason).toBe("alarm archived");
    expect(await run(site, "alarm", "set", "slow", "--archive")).toBe(
      "changed slow; see: bin/swf-alarms alarm show slow\nforgot 1 pending: alarm archived\n",
    );
    await run(site, "alarm", "set", "slow", "--unarchive");
    expect(await run(site, "event", "list", "--pending")).toBe("nothing is pending\n");
  },
  SLOW,
);

test(
  "what a person types as a reason or a name is stored on one line, without secrets",
  async () => {
    const site = await firingSite();
    site.configure({
      mail: "file",
      more: '[sources.other]\nbase_url = "http://127.0.0.1:1"\ntoken_env = "OTHER_TOKEN"',
    });
    const env = { OTHER_TOKEN: "token-of-77aa" };
    const typed = ["--reason", "use\ntoken-of-77aa\u001b[31m", "--by", "ann token-of-77aa"];
    const done = async (...args: readonly string[]) =>
      expect(
        await site.command(["event", ...args, "things", "task:5", ...typed], { env }),
      ).toMatchObject({
        code: 0,
      });
    await done("ack");
    const acked = only(await site.entries("event"));
    expect(acked.data).toMatchObject({
      swf: { ack: { by: "ann [redacted]", reason: "use [redacted] [31m" } },
    });
    await done("clear", "--force");
    const cleared = only(await site.entries("event"));
    expect(cleared.data).toMatchObject({
      clear_reason: "by operator ann [redacted]: use [redacted] [31m",
    });
    const nothing = ["event", "ack", "things", "task:5", "--reason", "\u0007"];
    expect(await site.command(nothing)).toMatchObject({ code: 2, stdout: "" });
  },
  SLOW,
);
