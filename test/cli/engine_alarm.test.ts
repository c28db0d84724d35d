import { expect, test } from "vitest";
import { startHookServer } from "../support/hook_server.ts";
import { at, insertAlarm, only, readEntries } from "../support/rows.ts";
import { makeSite, type Site, THINGS } from "../support/site.ts";

const SLOW = 120_000;

async function ok(site: Site, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await site.command(args);
  expect({ code, stderr }, args.join(" ")).toEqual({ code: 0, stderr: "" });
  return stdout;
}

test(
  "the built-in alarm is set, shown and run by name like any other, but not tried",
  async () => {
    const site = await makeSite({ mail: "file", more: 'operators = ["ops@example.org"]' });
    expect(await ok(site, "alarm", "list")).toMatch(/^engine +on +0 +ops@example\.org +ready$/m);
    expect(await ok(site, "alarm", "show", "engine")).toMatch(
      /^state +ready\nmodule +built in\nrow +none yet; the next tick creates it\nmail +on\nrecipients +ops@example\.org$/m,
    );
    await ok(site, "alarm", "set", "engine", "--recipients", "admins@example.org");
    expect(only(await site.withDatabase((db) => readEntries(db, "alarm"))).data).toMatchObject({
      entry_id: "alarm_engine",
      enabled: true,
      recipients: ["admins@example.org"],
    });
    expect(await ok(site, "alarm", "show", "alarm_engine")).toMatch(
      /^recipients +admins@example\.org$/m,
    );
    const { stderr } = await site.command(["alarm", "set", "engine", "--param", "x=1"]);
    expect(stderr).toContain("it is built in and has no parameters");
    const settled = await site.command(["alarm", "set", "engine", "--settle", "3"]);
    expect(settled).toMatchObject({ code: 2, stdout: "" });
    expect(settled.stderr).toContain("what the alarm engine watches settles by rules of its own");
    const tried = await site.command(["alarm", "try", "engine"]);
    expect(tried).toMatchObject({ code: 1, stdout: "" });
    expect(tried.stderr).toContain("engine is built in: it looks at the tick itself");

    site.module("things.js", THINGS);
    await insertAlarm(site, "things", { channels: ["gone"] });
    expect(await ok(site, "run", "--alarm", "engine")).toBe("");
    expect(await ok(site, "run", "--plan", "--alarm", "engine")).not.toContain("things");
    const run = only(await site.entries("engine_run"));
    expect(run.data).toMatchObject({ only: ["engine"], alarms_run: 0, errors: 0 });
    expect(Object.keys(Object(run.data.per_alarm))).toEqual(["alarm_engine"]);
    await ok(site, "alarm", "set", "engine", "--archive");
    expect((await site.command(["run", "--alarm", "engine"])).stderr).toMatch(/does not run/);
    expect(await ok(site, "alarm", "list")).toMatch(
      /^engine +on +0 +admins@example\.org +archived$/m,
    );
    await ok(site, "alarm", "set", "engine", "--unarchive");
    expect(await ok(site, "run", "--alarm", "engine")).toBe("");
  },
  SLOW,
);

test(
  "a plan and a tick say on which channel",
  async () => {
    const hook = await startHookServer();
    const more = `[channels.chat]
type = "webhook"
url = "${hook.url}"
[channels.broken]
type = "webhook"`;
    const site = await makeSite({ mail: "file", more });
    site.module("things.js", THINGS);
    await insertAlarm(site, "things", { channels: ["chat", "email", "broken"] });
    await insertAlarm(site, "mails");
    site.module("mails.js", THINGS);
    site.things = [{ key: "a", subject: "A is wrong" }];
    const plan = (await site.tick("--plan")).stdout.split("\n");
    const subject = '"[alarm_things] 1 detection(s), 1 new, 0 continuing"';
    for (const line of [
      "  chat   a: new",
      `  would send on chat ${subject} to ${hook.origin}`,
      "  mail   a: new",
      `  would mail ${subject} to ops@example.org`,
      `  no broken: the channel cannot be used (it would be ${subject})`,
      '  would mail "[alarm_mails] 1 detection(s), 1 new, 0 continuing" to ops@example.org',
    ])
      expect(plan).toContain(line);
    const json: unknown = JSON.parse((await site.tick("--plan", "--json")).stdout);
    const alarms = at(json, "alarms");
    if (!Array.isArray(alarms)) throw new Error("no alarms");
    const [mails, things] = alarms;
    const email = { channel: "email", usable: true, recipients: ["ops@example.org"] };
    expect(at(mails, "channels")).toMatchObject([email]);
    expect(at(things, "channels")).toMatchObject([
      {
        channel: "chat",
        usable: true,
        reason: "plan only",
        recipients: [hook.origin],
        items: [{ key: "a", event_id: null, reason: "new" }],
      },
      email,
      { channel: "broken", usable: false, reason: "the channel cannot be used" },
    ]);
    await site.tick();
    expect(site.log()).toContain(
      `things: complete: 1 detected, 1 new, 0 still firing, 0 cleared; sent on chat 1 to ${hook.origin}; mailed 1 to ops@example.org; 1 not sent on broken: the channel cannot be used`,
    );
    const run = only(await site.entries("engine_run"));
    expect(at(run.data, "per_alarm", "alarm_things", "channels", "broken")).toMatchObject({
      mail: "the channel cannot be used",
    });
    await site.tick();
    const second = (await site.entries("engine_run"))[1];
    expect(at(second?.data, "per_alarm", "alarm_things")).toMatchObject({
      mail: "the channel cannot be used",
      channels: { chat: { mail: "nothing to mail" } },
    });
  },
  SLOW,
);
