import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startHookServer } from "../support/hook_server.ts";
import { at, insertAlarm, insertEntry, only, readEntries } from "../support/rows.ts";
import { filesIn, makeSite, type Site, type SiteOptions, THINGS } from "../support/site.ts";
import { answers, startSmtpServer } from "../support/smtp_server.ts";

const SLOW = 120_000;

const BROKEN = `[channels.broken]
type = "webhook"`;

/** Files for mail, a chat, and a channel with wrong settings. */
async function channelSite(options: SiteOptions = {}) {
  const hook = await startHookServer();
  const more = `operators = ["ops@example.org", "@shift"]
[channels.chat]
type = "mattermost"
url = "${hook.url}"
channel = "alarms"
${BROKEN}`;
  const site = await makeSite({ mail: "file", more, ...options });
  await insertEntry(site, {
    kind: "team",
    name: "@shift",
    title: "Shift",
    content: "one@example.org two@example.org",
    data: {},
    context: "teams",
  });
  return { site, hook };
}

/** Tests have the name of the alarm `engine`, which `site.entries` leaves out. */
const notifications = (site: Site) => site.withDatabase((db) => readEntries(db, "notification"));

async function listed(site: Site): Promise<readonly unknown[]> {
  const { stdout } = await site.command(["channel", "list", "--json"]);
  const value = at(JSON.parse(stdout), "channels");
  if (!Array.isArray(value)) throw new Error(stdout);
  return value;
}

test(
  "channel list: each channel, who uses it, whether it can be used, and its last notifications",
  async () => {
    const { site, hook } = await channelSite();
    await insertAlarm(site, "mails");
    await insertAlarm(site, "both", { channels: ["chat", "email"] });
    await insertAlarm(site, "old", { channels: ["chat"] }, { archived: true });
    expect((await site.command(["channel", "test", "chat"])).code).toBe(0);
    const list = await site.command(["channel", "list"]);
    expect(list).toMatchObject({ code: 0, stderr: "" });
    const lines = list.stdout.split("\n");
    expect(lines[1]).toMatch(/^email +file +yes +recipients of the alarms +2 +ready +- +-$/);
    expect(lines[2]).toMatch(
      /^chat +mattermost +no +\S.* +1 +ready +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC +-$/,
    );
    expect(lines[3]).toMatch(/^broken +webhook +no +- +0 +wrong settings +- +-$/);
    expect(lines.at(-2)).toBe(
      "broken: channels.broken.url_env: missing; set exactly one of url_env, url_file and url",
    );
    expect(list.stdout).not.toContain(hook.url);
    expect(await listed(site)).toMatchObject([
      {
        channel: "email",
        type: "file",
        default: true,
        target: null,
        alarm_count: 2,
        state: "ready",
      },
      { channel: "chat", default: false, alarm_count: 1, faults: [], last_error: null },
      { channel: "broken", state: "wrong settings", faults: [expect.stringContaining("url_env")] },
    ]);
  },
  SLOW,
);

test(
  "without [email] it says what to add, and a test of it says the same",
  async () => {
    const site = await makeSite({ mail: "none", database: "embedded", bare: true });
    const list = await site.command(["channel", "list"]);
    expect(list.stdout).toMatch(/^email +- +yes +recipients of the alarms +0 +not configured/m);
    expect(list.stdout).toMatch(/^email: to send mail, add \[email\] .*"ses", "smtp", "file"$/m);
    expect(filesIn(site.folder)).not.toContain("state");
    const tried = await site.command(["channel", "test", "email"]);
    expect(tried).toMatchObject({ code: 1, stdout: "" });
    expect(tried.stderr).toMatch(
      /^swf-alarms: cannot test the channel email: not configured: to send mail, add \[email\]/,
    );
  },
  SLOW,
);

test(
  "channel test mails the operators, or whom --to names, and records it without an event",
  async () => {
    const { site } = await channelSite();
    const sent = await site.command(["channel", "test", "email", "--json"]);
    expect(sent).toMatchObject({ code: 0, stderr: "" });
    const facts: unknown = JSON.parse(sent.stdout);
    expect(facts).toMatchObject({
      channel: "email",
      is_test: true,
      state: "delivered",
      to: ["ops@example.org", "@shift"],
      recipients: ["ops@example.org", "one@example.org", "two@example.org"],
    });
    const file = only(filesIn(join(site.folder, "outbox")));
    const mail = readFileSync(join(site.folder, "outbox", file), "utf8");
    expect(mail).toContain("test of this channel; nothing is wrong");
    expect(mail).toContain(`X-Swf-Notification: ${at(facts, "id")}`);
    expect(at(facts, "message_ids")).toEqual([file]);

    const to = await site.command(["channel", "test", "email", "--to", "@shift,me@example.org"]);
    expect(to.code).toBe(0);
    expect(to.stdout).toMatch(
      /^sent a test on email to @shift, me@example\.org\nmessage id: \S+\.eml\nsee: bin\/swf-alarms notification show [0-9a-f]{8}\n$/,
    );
    const rows = await notifications(site);
    expect(rows.map(({ data }) => [data.about, data.not_before, data.bundle])).toEqual([
      ["test", undefined, undefined],
      ["test", undefined, undefined],
    ]);
    expect(await site.entries("event")).toEqual([]);
  },
  SLOW,
);

test(
  "a test that fails shows the error without secrets, and no tick repeats it or minds it",
  async () => {
    const dead = await makeSite({ mail: "file" });
    const gone = await startHookServer({ status: 404, body: "no" });
    const wait = await startHookServer({ status: 429, headers: { "retry-after": "60" } });
    for (const { url } of [gone, wait]) {
      dead.configure({ mail: "file", more: `[channels.chat]\ntype = "webhook"\nurl = "${url}"` });
      const failed = await dead.command(["channel", "test", "chat"]);
      expect(failed.code).toBe(1);
      expect(failed.stdout).toMatch(/^the test on chat to http:\S+ is failed: .*\b(404|429)\b/);
      expect(failed.stdout + failed.stderr).not.toContain("s3cret");
    }
    expect([gone.requests.length, wait.requests.length]).toEqual([1, 1]);
    const rows = await notifications(dead);
    expect(rows.map(({ data }) => data.not_before)).toEqual([undefined, undefined]);
    expect((await dead.tick()).code).toBe(0);
    expect((await dead.command(["status"])).code).toBe(0);
    expect([gone.requests.length, wait.requests.length]).toEqual([1, 1]);
    expect(await dead.command(["channel", "list"])).toMatchObject({
      stdout: expect.stringMatching(/^chat .* ready +- +\d{4}\S+ \S+ UTC: .*429/m),
    });
  },
  SLOW,
);

test(
  "a test that a mail server accepts for some addresses only names the others, and is over",
  async () => {
    const server = await startSmtpServer(() => ({
      onRcptTo: ({ address }, _session, done) =>
        done(address.startsWith("later") ? answers(451, "busy") : null),
    }));
    onTestFinished(() => server.close());
    const smtp = `type = "smtp"\nhost = "127.0.0.1"\nport = ${server.port}\ntls = "none"\nfrom = "a@example.org"`;
    const site = await makeSite({ mail: "none", more: `[channels.relay]\n${smtp}` });
    const to = ["--to", "now@example.org", "later@example.org"];
    const sent = await site.command(["channel", "test", "relay", ...to]);
    expect(sent.code).toBe(1);
    expect(sent.stdout).toMatch(
      /^the test on relay to now@example\.org, later@example\.org is partial: .*busy/,
    );
    expect(only(server.mails).to).toEqual(["now@example.org"]);
    const { data } = only(await notifications(site));
    expect(data).toMatchObject({ state: "partial", given_up: ["later@example.org"] });
    expect(Object.keys(data)).not.toContain("pending");
    await site.tick();
    expect(server.mails).toHaveLength(1);
  },
  SLOW,
);

test(
  "channel test refuses what it cannot do, and sends and writes nothing",
  async () => {
    const { site, hook } = await channelSite();
    const cases: readonly (readonly [number, RegExp, readonly string[]])[] = [
      [1, /there is no channel "chatt" \(did you mean chat\?\); see: .*channel list$/m, ["chatt"]],
      [
        1,
        /cannot test the channel broken: wrong settings: channels\.broken\.url_env: /,
        ["broken"],
      ],
      [
        2,
        /the channel chat delivers to .*, not to addresses; leave out --to$/m,
        ["chat", "--to", "a@example.org"],
      ],
      [1, /there is no team "@shfit" \(did you mean "@shift"\?\)/, ["email", "--to", "@shfit"]],
      [2, /"me" is not an email address/, ["email", "--to", "me"]],
    ];
    for (const [code, says, args] of cases) {
      const { stdout, stderr, ...result } = await site.command(["channel", "test", ...args]);
      expect(result.code, args.join(" ")).toBe(code);
      expect(stderr).toMatch(says);
      expect(stdout).toBe("");
    }
    site.configure({ mail: "file" });
    const { code, stderr } = await site.command(["channel", "test", "email"]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/there are no \[email\] operators .*add --to/),
    ]);
    expect(hook.requests).toEqual([]);
    expect(await notifications(site)).toEqual([]);
  },
  SLOW,
);

test(
  "alarm set --channel, and what alarm show and alarm list say of an alarm's channels",
  async () => {
    const { site } = await channelSite();
    site.module("things.js", THINGS);
    await insertAlarm(site, "things", { recipients: [] });
    const show = async (): Promise<string> =>
      (await site.command(["alarm", "show", "things"])).stdout;
    const list = async (): Promise<string> => (await site.command(["alarm", "list"])).stdout;
    expect(await show()).toMatch(/^channel +email: ready$/m);
    const set = (...args: string[]) =>
      site.command(["alarm", "set", "things", "--channel", ...args]);
    expect(await set("chatt")).toMatchObject({ code: 1, stdout: "" });
    const changed = await set("chat", "broken");
    expect(changed).toMatchObject({ code: 0, stderr: "" });
    expect(changed.stdout).toContain("the channel broken cannot be used; see: ");
    expect(changed.stdout).not.toContain("recipients");
    expect(only(await site.entries("alarm")).data.channels).toEqual(["chat", "broken"]);
    expect(await show()).toMatch(
      /^channel +chat: ready\nchannel +broken: wrong settings; channels\.broken\.url_env: /m,
    );
    const wrong =
      /^things .* ready; the channel broken cannot be used; see: bin\/swf-alarms channel list$/m;
    expect(await list()).toMatch(wrong);
    await site.command(["alarm", "set", "things", "--mail", "off"]);
    expect(await list()).not.toMatch(wrong);
    expect(await set("default")).toMatchObject({ code: 0 });
    expect(await show()).toMatch(/^channel +email: ready$/m);
    const json: unknown = JSON.parse(
      (await site.command(["alarm", "show", "things", "--json"])).stdout,
    );
    expect(at(json, "channels")).toEqual([{ channel: "email", state: "ready", faults: [] }]);
  },
  SLOW,
);
