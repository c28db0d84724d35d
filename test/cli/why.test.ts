import { expect, test } from "vitest";
import { startHookServer } from "../support/hook_server.ts";
import { at, dump, insertAlarm } from "../support/rows.ts";
import { makeSite, type Site, THINGS } from "../support/site.ts";

const SLOW = 120_000;
const TIME = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`;
const MINUTE = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d UTC`;
const A = { key: "task:5", subject: "Task 5 is wrong" };

async function thingsSite(
  data: { readonly [key: string]: unknown } = {},
  more = "",
): Promise<Site> {
  const site = await makeSite({ mail: "file", more });
  site.module("things.js", THINGS);
  await insertAlarm(site, "things", data);
  return site;
}

/** Matches the whole text; the parts that are patterns stand for times and ids. */
function lines(...parts: readonly string[]): RegExp {
  return new RegExp(`^${parts.join("\n")}\n$`);
}

test(
  "why: pending, firing, about to clear, cleared",
  async () => {
    const site = await thingsSite({
      settle: "2",
      clear_after: "2",
      renotification_window_hours: 3,
    });
    const why = async (): Promise<string> => {
      const { code, stdout, stderr } = await site.command(["why", "alarm_things", "task:5"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return stdout;
    };
    site.things = [A];
    await site.tick();
    expect(await why()).toMatch(
      lines(
        `task:5 of things: pending: detected in 1 of 2 outcomes since ${MINUTE}; it fires after 2 outcomes in a row`,
        "subject      Task 5 is wrong",
      ),
    );
    await site.tick();
    const notification = `${TIME} +[0-9a-f]{8} +email +new +delivered +ops@example.org`;
    expect(await why()).toMatch(
      lines(
        String.raw`task:5 of things: firing since ${TIME}, for \d+ s`,
        `why          detected in the last tick, at ${MINUTE}`,
        "subject      Task 5 is wrong",
        `first seen   ${TIME}`,
        `fired        ${TIME}: settled`,
        `last seen    ${TIME}`,
        `channel      email: last notified at ${TIME}; nothing is due: it was notified; the next reminder is due at ${MINUTE}`,
        "",
        "notifications:",
        "COMPOSED .*",
        notification,
      ),
    );
    site.things = [];
    await site.tick();
    expect(await why()).toMatch(/^why {10}clears later: not detected in 1 of 2 outcomes$/m);
    site.module("things.js", "export const SOURCES = [];\nexport function* detect() { throw 1; }");
    await site.tick();
    expect(await why()).toMatch(
      /^why {10}clears later: .*; in the last tick, at .*, the outcome failed, so that it does not count: detect threw /m,
    );
    site.module("things.js", THINGS);
    await site.tick();
    expect(await why()).toMatch(
      lines(
        String.raw`task:5 of things: cleared at ${TIME}, after \d+ s: recovered`,
        "subject      Task 5 is wrong",
        `first seen   ${TIME}`,
        `fired        ${TIME}: settled`,
        `last seen    ${TIME}`,
        `cleared      ${TIME}: recovered`,
        "",
        "notifications:",
        "COMPOSED .*",
        notification,
      ),
    );
    site.things = [A];
    await site.tick();
    expect(await why()).toMatch(
      /^task:5 of things: pending: [\s\S]*\nearlier events:\nFIRED .*\n.* recovered +Task 5 is wrong\n$/,
    );
  },
  SLOW,
);

test(
  "why --json has the state, the events, the notifications and what holds more of them back",
  async () => {
    const site = await thingsSite({ renotification_window_hours: 3 });
    const why = async (): Promise<unknown> =>
      JSON.parse((await site.command(["why", "things", "task:5", "--json"])).stdout);
    site.things = [A];
    await site.tick();
    const rfc3339 = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const firing = await why();
    expect(firing).toMatchObject({
      version: 1,
      alarm: "things",
      key: "task:5",
      state: "firing",
      reason: expect.stringMatching(/^detected in the last tick, at /),
      events: [{ alarm: "things", key: "task:5", fire_time: rfc3339, clear_time: null }],
      pending: null,
      notifications: [
        { channel: "email", named_as: "new", state: "delivered", to: ["ops@example.org"] },
      ],
      channels: [{ channel: "email", notified_at: rfc3339, notifies: false, to: [] }],
      muted: null,
      next_reminder: rfc3339,
    });
    const [fired, reminder] = [at(at(firing, "events"), "0"), at(firing, "next_reminder")];
    const wait = Date.parse(String(reminder)) - Date.parse(String(at(fired, "fire_time")));
    expect(wait).toBe(3 * 3_600_000);
    const ack = ["event", "ack", "things", "task:5", "--reason", "on it", "--by", "wen"];
    expect((await site.command([...ack, "--for", "2h"])).code).toBe(0);
    const held = await why();
    const until = at(at(held, "muted"), "until");
    const reason = "acknowledged by wen: on it";
    expect(held).toMatchObject({
      events: [{ muted: { reason, until } }],
      channels: [{ channel: "email", notifies: false, reason, until }],
      muted: { reason },
    });
    const afterEnd = Date.parse(String(at(held, "next_reminder"))) - Date.parse(String(until));
    expect(afterEnd).toBe(3 * 3_600_000);
    await site.command(["alarm", "set", "things", "--mail", "off", "--settle", "3"]);
    site.things = [];
    await site.tick();
    expect(await why()).toMatchObject({ state: "cleared", muted: null, next_reminder: null });
    site.things = [A];
    await site.tick();
    expect(await why()).toMatchObject({
      state: "pending",
      pending: { first_seen: rfc3339, seen: 1, needed: 3, unit: "outcomes" },
      next_reminder: null,
    });
    await site.command(["alarm", "set", "things", "--settle", "off"]);
    await site.tick();
    expect(await why()).toMatchObject({
      state: "firing",
      muted: { reason: expect.stringMatching(/^notifications are off; /), until: null },
      channels: [{ notified_at: null, notifies: false }],
      next_reminder: null,
    });
  },
  SLOW,
);

test(
  "why: a channel that does not deliver, before and after the event has cleared",
  async () => {
    const hook = await startHookServer({ status: 503 });
    const more = `[channels.chat]\ntype = "mattermost"\nurl = "${hook.url}"`;
    const site = await thingsSite({ channels: ["email", "chat"] }, more);
    const why = async (): Promise<string> =>
      (await site.command(["why", "things", "task:5"])).stdout;
    site.things = [A];
    await site.tick();
    const firing = await why();
    const chat = `channel {6}chat: not notified; the next tick notifies ${hook.origin}: `;
    expect(firing).toMatch(new RegExp(`^${chat}no notification of it was delivered there$`, "m"));
    expect(firing).toMatch(/^channel {6}email: last notified at /m);
    const failed = `${TIME} +[0-9a-f]{8} +chat +new +failed +${hook.origin} +.*503.*`;
    expect(firing).toMatch(new RegExp(`^COMPOSED.* ERROR$[\\s\\S]*^${failed}$`, "m"));
    site.things = [];
    await site.tick();
    const cleared = await why();
    expect(cleared).toMatch(/^task:5 of things: cleared at /);
    expect(cleared).toMatch(
      new RegExp(`^${chat}it has cleared, and was not notified before$`, "m"),
    );
    expect(cleared).not.toMatch(/^channel {6}email/m);
  },
  SLOW,
);

test(
  "why: what is not on record ends with 1 and names what was meant",
  async () => {
    const site = await thingsSite();
    site.things = [A];
    await site.tick();
    const none = "no event on record, and not pending";
    for (const [args, stdout, stderr] of [
      [["things", "5"], `5 of things: unknown: ${none} (did you mean "task:5"?)\n`, ""],
      [["things", "taks:5"], `taks:5 of things: unknown: ${none} (did you mean "task:5"?)\n`, ""],
      [
        ["things", "host"],
        `host of things: unknown: ${none}; see: bin/swf-alarms event list --all --alarm things\n`,
        "",
      ],
      [
        ["thnigs", "task:5"],
        "",
        'swf-alarms: there is no alarm "thnigs" (did you mean things?); see: bin/swf-alarms alarm list\n',
      ],
    ] as const)
      expect(await site.command(["why", ...args])).toEqual({ code: 1, stdout, stderr });
    const json = await site.command(["why", "things", "5", "--json"]);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({
      state: "unknown",
      events: [],
      notifications: [],
      channels: [],
    });
  },
  SLOW,
);

test(
  "why-not runs detect now, says what a tick would do and whom it would notify, and writes nothing",
  async () => {
    const site = await thingsSite({ settle: "2" });
    site.module(
      "things.js",
      `${THINGS.replace("(client)", "(client, { skip })").replace("yield", "if (key !== skip) yield")}
       export const PARAMS = { skip: { type: "string", default: "", description: "a key" } };`,
    );
    const whyNot = async (code: number, ...args: readonly string[]): Promise<string> => {
      const before = await site.withDatabase(dump);
      const result = await site.command(["why-not", "things", "task:5", ...args]);
      expect(result).toMatchObject({ code, stderr: "" });
      expect(await site.withDatabase(dump)).toBe(before);
      return result.stdout;
    };
    const outcome = String.raw`outcome      complete: \d detected in \d+\.\d\d s; nothing was written`;
    site.things = [{ ...A, key: "task:6" }];
    expect(await whyNot(1)).toMatch(
      lines(
        String.raw`task:5 of things: not detected now \(did you mean "task:6"\?\)`,
        "a tick now   would do nothing: it is not detected, and it is not firing",
        outcome,
      ),
    );
    site.things = [A];
    const detected = ["task:5 of things: detected now", "subject      Task 5 is wrong"];
    expect(await whyNot(0)).toMatch(
      lines(
        ...detected,
        "a tick now   would not open an event yet: not settled: detected in 1 of 2 outcomes",
        "channel      email: not notified; nothing is due: it has not fired yet",
        outcome,
      ),
    );
    await site.tick();
    const opens = [...detected, "a tick now   would open an event: settled"];
    expect(await whyNot(0)).toMatch(
      lines(
        ...opens,
        "channel      email: not notified; it would notify ops@example.org: it is new",
        outcome,
      ),
    );
    await site.command(["alarm", "set", "things", "--mail", "off"]);
    expect(await whyNot(0)).toMatch(
      lines(
        ...opens,
        "channel      email: not notified; held back: notifications are off; to turn them on, run: bin/swf-alarms alarm set things --mail on",
        outcome,
      ),
    );
    await site.command(["alarm", "set", "things", "--mail", "on"]);
    await site.tick();
    const notified = "channel +email: last notified at .*; nothing is due: it was notified, ";
    expect(await whyNot(0)).toMatch(
      new RegExp(`would keep its event: still detected\n${notified}`),
    );
    const json: unknown = JSON.parse(await whyNot(1, "--json", "--param", "skip=task:5"));
    expect(json).toMatchObject({
      version: 1,
      alarm: "things",
      key: "task:5",
      detected: false,
      action: "clear",
      reason: "recovered",
      outcome: "complete",
      channels: [{ channel: "email", notifies: false, to: [] }],
    });
    site.module("things.js", "export const SOURCES = [];\nexport function* detect() { throw 1; }");
    expect(await whyNot(1)).toMatch(
      /^task:5 of things: not detected now, but the outcome failed\n.*: outcome failed\n[\s\S]*\n {13}detect threw .*\n$/,
    );
    for (const [args, code, says] of [
      [["engine", "x"], 1, /engine is built in: /],
      [["thnigs", "x"], 1, /there is no alarm "thnigs" \(did you mean things\?\)/],
      [["things", "x", "--param", "limit=3"], 2, /unknown parameter limit/],
    ] as const) {
      const wrong = await site.command(["why-not", ...args]);
      expect(wrong).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(says) });
    }
  },
  SLOW,
);
