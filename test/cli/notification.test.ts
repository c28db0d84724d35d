import { expect, test } from "vitest";
import { type HookReply, startHookServer } from "../support/hook_server.ts";
import { at, insertAlarm, only } from "../support/rows.ts";
import { makeSite, type Site, THINGS } from "../support/site.ts";

const SLOW = 120_000;
const TIME = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`;

/** An alarm that notifies by mail and in a chat, which replies so. */
async function chatSite(...replies: readonly HookReply[]) {
  const hook = await startHookServer(...replies);
  const more = `[channels.chat]\ntype = "mattermost"\nurl = "${hook.url}"`;
  const site = await makeSite({ mail: "file", more });
  site.module("things.js", THINGS);
  await insertAlarm(site, "things", { channels: ["chat", "email"] });
  site.things = [{ key: "a", subject: "A is wrong" }];
  return { site, hook };
}

async function run(site: Site, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await site.command(args);
  expect({ code, stderr }, args.join(" ")).toEqual({ code: 0, stderr: "" });
  return stdout;
}

async function list(site: Site, ...args: readonly string[]): Promise<readonly unknown[]> {
  const json: unknown = JSON.parse(await run(site, "notification", "list", ...args, "--json"));
  const value = at(json, "notifications");
  if (!Array.isArray(value)) throw new Error("not a list");
  return value;
}

/** The id of the newest notification on the chat. */
async function chatId(site: Site): Promise<string> {
  const found = (await list(site)).find((item) => at(item, "channel") === "chat");
  return String(at(found, "id"));
}

/** As if the notification had been composed more than a day ago. */
async function age(site: Site, id: string): Promise<void> {
  await site.query(
    `UPDATE entry SET data = data || jsonb_build_object('attempted_at', (data->>'attempted_at')::float8 - 90000, 'not_before', 1)
     WHERE id = $1`,
    [id],
  );
}

test(
  "notification list: what was sent where, newest first, by alarm, event and state",
  async () => {
    const { site } = await chatSite({ status: 503 }, {});
    await insertAlarm(site, "other");
    site.module("other.js", `export const detect = () => [{ dedupeKey: "o", subject: "O" }];`);
    await site.tick();
    const lines = (await run(site, "notification", "list")).split("\n");
    expect(lines).toHaveLength(5);
    const failed = new RegExp(`^${TIME} +[0-9a-f]{8} +things +chat +\\S.* +failed +1 +1 +.*503`);
    expect(lines).toContainEqual(expect.stringMatching(failed));
    expect(lines).toContainEqual(
      expect.stringMatching(/ things +email +ops@example\.org +delivered +1 +1 +\[alarm_things\] /),
    );
    const keys = async (...args: readonly string[]) =>
      (await list(site, ...args))
        .map((item) => `${at(item, "alarm")} ${at(item, "channel")}`)
        .sort();
    const things = ["things chat", "things email"];
    expect(await keys()).toEqual(["other email", ...things]);
    expect(await keys("--alarm", "alarm_things")).toEqual(things);
    expect(await keys("--alarm", "alarm_things", "--event", "a")).toEqual(things);
    expect(await keys("--state", "failed", "queued")).toEqual(["things chat"]);
    expect(await keys("--alarm", "other", "--state", "failed")).toEqual([]);
    expect(await keys("--event", "a")).toEqual(things);
    expect(await keys("--event", "a", "--alarm", "things")).toEqual(things);
    const events = await site.entries("event");
    const { id } = only(events.filter(({ data }) => data.dedupe_key === "o"));
    expect(await keys("--event", id)).toEqual(["other email"]);
    expect(await keys("--event", id.slice(0, 8))).toEqual(["other email"]);

    const cut = await site.command(["notification", "list", "--limit", "1"]);
    expect(cut.stdout).toContain("… and 2 more; --limit 0 lists all");
    for (const [code, says, args] of [
      [2, /there is no state "faild" \(did you mean failed\?\)/, ["--state", "faild"]],
      [2, /there is no state "x" \(known: queued, /, ["--state", "failed", "x"]],
      [1, /there is no alarm "thnigs" \(did you mean things\?\)/, ["--alarm", "thnigs"]],
      [1, /there is no event "b"; write its id or its key; see: /, ["--event", "b"]],
      [1, /there is no event "a" of the alarm other;/, ["--event", "a", "--alarm", "other"]],
    ] as const) {
      const wrong = await site.command(["notification", "list", ...args]);
      expect(wrong.code, args.join(" ")).toBe(code);
      expect(wrong.stderr).toMatch(says);
    }
  },
  SLOW,
);

test(
  "what a service asked to wait for is shown with its time, and retry does not wait for it",
  async () => {
    const { site, hook } = await chatSite({ status: 429, headers: { "retry-after": "3600" } }, {});
    await site.tick();
    const id = await chatId(site);
    expect(await run(site, "notification", "list")).toMatch(
      new RegExp(`^${TIME} +${id.slice(0, 8)} .* queued until ${TIME} `, "m"),
    );
    const status = (await site.command(["status"])).stdout;
    expect(status).toMatch(
      /^ {2}the last notification of things on chat was not delivered; the next attempt is after \d{4}-/m,
    );
    expect(status).toMatch(
      new RegExp(`^${TIME} +${id.slice(0, 8)} +things +chat +queued until `, "m"),
    );

    const shown = await run(site, "notification", "show", id.slice(0, 8));
    for (const part of [
      new RegExp(`^id +${id}$`, "m"),
      /^channel +chat \(mattermost\)$/m,
      /^next +it waits until \d{4}-\d\d-\d\d \d\d:\d\d UTC: the service asked to wait$/m,
      /^error +.*429/m,
      /^new +[0-9a-f-]{36} +a +A is wrong$/m,
      /^text:\n {2}Head of things\.$/m,
      /^ {4}\[1\] A is wrong$/m,
    ])
      expect(shown).toMatch(part);
    expect(shown).not.toContain("s3cret");
    await site.tick();
    expect(hook.requests).toHaveLength(1);

    expect(await run(site, "notification", "retry", id.slice(0, 8))).toBe(
      `${id.slice(0, 8)} is queued: the next tick attempts it: not delivered\n`,
    );
    expect((await site.tick()).code).toBe(0);
    expect(hook.requests.map(({ headers }) => headers["x-swf-notification"])).toEqual([id, id]);
    expect(JSON.parse(await run(site, "notification", "show", id, "--json"))).toMatchObject({
      state: "delivered",
      attempts: 2,
      next: null,
      events: [{ named_as: "new", key: "a" }],
    });
    expect((await site.command(["status"])).code).toBe(0);
  },
  SLOW,
);

test(
  "show says what happens next as the alarm is now",
  async () => {
    const { site } = await chatSite({ status: 503 });
    await site.tick();
    const id = await chatId(site);
    const next = async (): Promise<unknown> =>
      at(JSON.parse(await run(site, "notification", "show", id, "--json")), "next");
    const set = (...args: readonly string[]) => run(site, "alarm", "set", "things", ...args);
    expect(await next()).toBe("the next tick attempts it: not delivered");
    await set("--mail", "off");
    expect(await next()).toBe("it waits: mail is off");
    await set("--mail", "on", "--channel", "email");
    expect(await next()).toBe("the next tick gives it up: the alarm no longer uses the channel");
    await set("--archive");
    expect(await next()).toBe("it waits: its alarm does not run");
  },
  SLOW,
);

test(
  "what was given up after 24 hours needs attention, and retry sends it",
  async () => {
    const { site, hook } = await chatSite({ status: 503 }, {});
    await site.tick();
    const id = await chatId(site);
    await age(site, id);
    // Without mail, no new one names its event.
    await run(site, "alarm", "set", "things", "--mail", "off");
    const gaveUp = await site.tick();
    await run(site, "alarm", "set", "things", "--mail", "on");
    expect(gaveUp.stderr).toMatch(/gave up sending the notification on chat /);
    expect((await site.command(["status"])).stdout).toMatch(
      /^ {2}the last notification of things on chat was given up$/m,
    );
    expect(at(only(await list(site, "--state", "given_up")), "id")).toBe(id);
    expect(await run(site, "notification", "retry", id)).toMatch(/ is queued: the next tick /);
    await site.tick();
    expect(hook.requests.map(({ headers }) => headers["x-swf-notification"])).toEqual([id, id]);
    expect(await list(site, "--state", "given_up", "failed", "queued")).toEqual([]);
    expect((await site.command(["status"])).code).toBe(0);
  },
  SLOW,
);

test(
  "retry says why a notification cannot be sent again, and changes nothing",
  async () => {
    const { site, hook } = await chatSite({ status: 503 }, {});
    await site.tick();
    const first = await chatId(site);
    site.things = [...site.things, { key: "b", subject: "B is wrong" }];
    await site.tick();
    const newest = await chatId(site);
    await run(site, "channel", "test", "chat");
    const tested = await chatId(site);
    const requests = hook.requests.length;
    for (const [id, says] of [
      [first, `${newest.slice(0, 8)} replaces it and names all of its events`],
      [newest, "it was delivered"],
      [tested, "it is a test; send another one with: bin/swf-alarms channel test chat"],
    ] as const)
      expect(await site.command(["notification", "retry", id])).toEqual({
        code: 1,
        stdout: "",
        stderr: `swf-alarms: cannot retry ${id.slice(0, 8)}: ${says}\n`,
      });
    for (const [id, code, says] of [
      ["abc", 2, /write the id, or at least its first 8 characters/],
      ["00000000", 1, /there is no notification "00000000"; see: .*notification list/],
      [`${first.slice(0, 7)}%`, 2, /write the id/],
    ] as const) {
      const wrong = await site.command(["notification", "retry", id]);
      expect(wrong).toMatchObject({ code, stderr: expect.stringMatching(says) });
    }
    await site.tick();
    expect(hook.requests).toHaveLength(requests);
    const superseded = await run(site, "notification", "show", first);
    expect(superseded).toMatch(new RegExp(`^replaced by +${newest}$`, "m"));
  },
  SLOW,
);
