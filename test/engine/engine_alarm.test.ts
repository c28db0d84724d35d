import { expect, test } from "vitest";
import type { Channel, Outgoing } from "../../src/channel/channel.ts";
import type { Opener } from "../../src/channel/channel_type.ts";
import { type Delivery, undelivered } from "../../src/core/delivery.ts";
import { testChannel } from "../../src/engine/channel_test.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { configured } from "../support/configured.ts";
import { createPostgres } from "../support/databases.ts";
import { loginTo } from "../support/login.ts";
import { delivered } from "../support/mails.ts";
import { changeAlarm, eventsOf, insertAlarm, insertEntry, readEntries } from "../support/rows.ts";
import { type EngineAt, engineAt, START } from "./engine_at.ts";

const DOWN = {
  message: "down",
  retryable: true,
  scope: "channel",
  mayBeDelivered: false,
} as const;

type Deliver = (outgoing: Outgoing) => Delivery;
const accept: Deliver = ({ recipients }) => delivered(recipients, []);
const fail: Deliver = ({ recipients }) => undelivered(recipients, DOWN);

/** An engine whose alarm x mails owner@example.org, with channels that do what the test says. */
async function site() {
  const engine = await engineAt(async () => openPostgres(loginTo(await createPostgres())));
  engine.configure({ operators: ["ops@example.org"] });
  await insertAlarm(engine.db, "x", { recipients: ["owner@example.org"], channels: ["email"] });
  engine.says("x", { keys: [] });
  const services = { email: accept, chat: accept };
  const channel = (name: "email" | "chat", target?: string) =>
    configured(
      name,
      { deliver: async (outgoing) => services[name](outgoing) },
      { isDefault: true, ...(target !== undefined && { target }) },
    );
  const [email, chat] = [channel("email"), channel("chat", "#alarms")];
  engine.channels = new Map([["email", email]]);
  return { engine, services, email, chat };
}

async function next(engine: EngineAt, minutes = 5): Promise<readonly string[]> {
  engine.now += minutes * 60;
  await engine.tick();
  return await active(engine);
}

/** Keys of the active events of the alarm `engine`. */
async function active(engine: EngineAt): Promise<readonly string[]> {
  const events = await eventsOf(engine.db, "engine");
  const firing = events.filter(({ data }) => data.clear_time === null);
  return firing.map(({ data }) => String(data.dedupe_key)).sort();
}

/** Its delivered notifications: channel, recipients, and the keys with what is said of each. */
async function said(engine: EngineAt): Promise<readonly string[]> {
  const keys = new Map(
    (await eventsOf(engine.db, "engine")).map(({ id, data }) => [id, String(data.dedupe_key)]),
  );
  const listed = (ids: unknown, sign: string): readonly string[] =>
    Array.isArray(ids) ? ids.map((id) => `${sign}${keys.get(String(id))}`) : [];
  return (await readEntries(engine.db, "notification"))
    .filter(({ data }) => data.alarm === "alarm_engine" && data.outcome === "delivered")
    .map(({ data }) => {
      const to = Array.isArray(data.recipients) ? data.recipients.join(" ") : "";
      const what = [
        ...listed(data.new_event_ids, "+"),
        ...listed(data.continuing_event_ids, "+"),
        ...listed(data.cleared_event_ids, "-"),
      ];
      return `${data.channel} ${to}: ${what.join(" ")}`;
    });
}

const BOTH = "email ops@example.org owner@example.org";

test("an alarm that fails for three ticks; its end goes to the same people", async () => {
  const { engine } = await site();
  engine.says("x", { incomplete: "half" });
  for (const expected of [[], [], ["alarm:x"], ["alarm:x"]])
    expect(await next(engine)).toEqual(expected);
  expect(await said(engine)).toEqual([`${BOTH}: +alarm:x`]);
  engine.says("x", { keys: [] });
  engine.configure({ operators: ["others@example.org"] });
  expect(await next(engine)).toEqual([]);
  expect(await said(engine)).toEqual([`${BOTH}: +alarm:x`, `${BOTH}: -alarm:x`]);
});

test("a quarantined alarm at once", async () => {
  const { engine } = await site();
  engine.configure({ quarantineAfter: 1 });
  engine.says("x", { fails: "no" });
  expect(await next(engine)).toEqual(["alarm:x"]);
  expect(await said(engine)).toEqual([`${BOTH}: +alarm:x`]);
});

test("the recipients of its row come before the operators; those of an alarm only while its notifications are on", async () => {
  const { engine } = await site();
  await next(engine);
  engine.configure({ quarantineAfter: 1 });
  await changeAlarm(engine.db, "engine", { recipients: ["admin@example.org"] });
  await changeAlarm(engine.db, "x", { enabled: false });
  engine.says("x", { fails: "no" });
  expect(await next(engine)).toEqual(["alarm:x"]);
  expect(await said(engine)).toEqual(["email admin@example.org: +alarm:x"]);
});

test("what a tick did not look at stays: a tick of some alarms, a dry run", async () => {
  const { engine } = await site();
  engine.configure({ quarantineAfter: 1 });
  engine.says("x", { fails: "no" });
  await next(engine);
  engine.says("x", { keys: [] });
  engine.now += 300;
  await engine.tick("tick", ["x"]);
  expect(await active(engine)).toEqual(["alarm:x"]);
  engine.now += 300;
  await engine.tick("dry-run");
  expect(await active(engine)).toEqual(["alarm:x"]);
  expect(await next(engine)).toEqual([]);
});

test("a channel with wrong settings in two ticks, over the other channel", async () => {
  const { engine, email, chat } = await site();
  const faults = ["channels.chat.url: missing"];
  engine.channels = new Map([
    ["email", email],
    ["chat", { ...chat, opener: undefined, faults }],
  ]);
  expect(await next(engine)).toEqual([]);
  expect(await next(engine)).toEqual(["channel:chat"]);
  expect(await said(engine)).toEqual(["email ops@example.org: +channel:chat"]);
  const [event] = await eventsOf(engine.db, "engine");
  expect(event?.title).toBe("channel chat does not deliver: channels.chat.url: missing");
  engine.channels = new Map([
    ["email", email],
    ["chat", chat],
  ]);
  // Nothing was delivered through it yet.
  expect(await next(engine)).toEqual(["channel:chat"]);
  expect(await next(engine)).toEqual([]);
});

test("a channel that fails in this alarm's own turn is detected in the next ticks, and so is its success", async () => {
  const { engine, services, email, chat } = await site();
  engine.channels = new Map([
    ["email", email],
    ["chat", chat],
  ]);
  engine.configure({ quarantineAfter: 1 });
  engine.says("x", { fails: "no" });
  services.chat = fail;
  expect(await next(engine)).toEqual(["alarm:x"]);
  expect(await next(engine)).toEqual(["alarm:x"]);
  services.chat = accept;
  expect(await next(engine)).toEqual(["alarm:x", "channel:chat"]);
  expect(await next(engine)).toEqual(["alarm:x"]);
  expect((await said(engine)).toSorted()).toEqual([
    "chat #alarms: +channel:chat +alarm:x",
    "chat #alarms: -channel:chat",
    "email ops@example.org owner@example.org: +alarm:x",
    "email ops@example.org: +channel:chat",
    "email ops@example.org: -channel:chat",
  ]);
});

test("a test of a channel ends its event, also after a tick that was not whole", async () => {
  const { engine, services, email, chat } = await site();
  engine.channels = new Map([
    ["email", email],
    ["chat", chat],
  ]);
  await changeAlarm(engine.db, "engine", { channels: ["email"] });
  await changeAlarm(engine.db, "x", { channels: ["chat"] });
  services.chat = fail;
  engine.says("x", { keys: ["a"] });
  await next(engine);
  expect(await next(engine)).toEqual(["channel:chat"]);
  services.chat = accept;
  // Nothing is left to deliver on it.
  await changeAlarm(engine.db, "x", { enabled: false });
  expect(await next(engine)).toEqual(["channel:chat"]);
  const target = { to: ["#alarms"], recipients: ["#alarms"] };
  const { db } = engine;
  const tools = { db, openChannel: ({ open }: Opener) => open(() => {}), clock: () => engine.now };
  await testChannel(chat, target, tools, new AbortController().signal);
  engine.now += 60;
  await engine.tick("dry-run");
  expect(await next(engine)).toEqual([]);
});

test("an address that is refused, until the notifications of its alarm are off", async () => {
  const { engine, services } = await site();
  const [address, reason] = ["owner@example.org", "no such mailbox"];
  services.email = ({ recipients }) => ({
    ...delivered(
      recipients.filter((each) => each !== address),
      [],
    ),
    refused: recipients.includes(address) ? [{ address, reason }] : [],
  });
  engine.says("x", { keys: ["a"] });
  expect(await next(engine)).toEqual([`recipient:${address}`]);
  await changeAlarm(engine.db, "x", { enabled: false });
  expect(await next(engine)).toEqual([]);
});

test("an address that is refused, to the others, until the alarm names it no more", async () => {
  const { engine, services } = await site();
  services.email = ({ recipients }) => ({
    ...delivered(
      recipients.filter((address) => address !== "bad@example.org"),
      [],
    ),
    refused: recipients
      .filter((address) => address === "bad@example.org")
      .map((address) => ({ address, reason: "no such mailbox" })),
  });
  const recipients = ["owner@example.org", "bad@example.org"];
  await changeAlarm(engine.db, "x", { recipients });
  engine.says("x", { keys: ["a"] });
  expect(await next(engine)).toEqual(["recipient:bad@example.org"]);
  expect(await next(engine)).toEqual(["recipient:bad@example.org"]);
  await changeAlarm(engine.db, "x", { recipients: ["owner@example.org", "not an address"] });
  expect(await next(engine)).toEqual(["recipient:an", "recipient:address", "recipient:not"].sort());
  await changeAlarm(engine.db, "x", { recipients: ["owner@example.org"] });
  expect(await next(engine)).toEqual([]);
  expect((await said(engine)).slice(0, 1)).toEqual([`${BOTH}: +recipient:bad@example.org`]);
});

test("a tick that crashed, until the next one; ticks that were missed, by the schedule of those before", async () => {
  const { engine } = await site();
  for (let tick = 0; tick < 8; tick++) expect(await next(engine)).toEqual([]);
  const crash = async (record: object): Promise<void> => {
    engine.now += 300;
    const started_at = engine.now;
    const data = { entry_id: `run_${started_at}`, started_at, ...record };
    await insertEntry(engine.db, {
      kind: "engine_run",
      created: started_at,
      status: "active",
      data,
    });
  };
  // The second one has closed the record of the first.
  await crash({ crashed_at: engine.now + 600 });
  await crash({});
  expect(await next(engine)).toEqual(["tick:crashed"]);
  const [found] = await eventsOf(engine.db, "engine");
  expect(found?.title).toMatch(/^2 ticks crashed, the last one that of /);
  expect(await next(engine)).toEqual([]);
  expect(await next(engine, 60)).toEqual(["tick:missed"]);
  expect(await next(engine)).toEqual([]);
  expect(await said(engine)).toEqual([
    "email ops@example.org: +tick:crashed",
    "email ops@example.org: -tick:crashed",
    "email ops@example.org: +tick:missed",
    "email ops@example.org: -tick:missed",
  ]);
});

test("a tick that ran out of time still notifies, and accuses no channel", async () => {
  const { engine } = await site();
  engine.configure({ tickTimeout: 1, quarantineAfter: 1 });
  engine.module(
    "slow.js",
    "export const SOURCES = []; export const detect = () => new Promise((end) => setTimeout(end, 1200, []));",
  );
  const deliver: Channel["deliver"] = async ({ recipients }, signal) =>
    signal.aborted ? undelivered(recipients, DOWN) : delivered(recipients, []);
  engine.channels = new Map([["email", configured("email", { deliver })]]);
  engine.says("x", { fails: "no" });
  for (let tick = 0; tick < 3; tick++) expect(await next(engine)).toEqual(["alarm:x"]);
  expect(await said(engine)).toEqual([`${BOTH}: +alarm:x`]);
});

test("a module file named engine is an error, and does not run", async () => {
  const { engine } = await site();
  engine.says("engine", { keys: ["mine"] });
  expect((await engine.tick())?.errors).toEqual([
    `${engine.alarmsDir}/engine.js is not used: engine is the name of the built-in alarm; rename the file`,
  ]);
  expect(await active(engine)).toEqual([]);
});

test.each(["archived = true", `deleted_at = ${START}`])(
  "with its row at %s it does nothing",
  async (change) => {
    const { engine } = await site();
    await next(engine);
    await engine.db.query(
      `UPDATE entry SET ${change} WHERE kind = 'alarm' AND data->>'entry_id' = 'alarm_engine'`,
    );
    engine.configure({ quarantineAfter: 1 });
    engine.says("x", { fails: "no" });
    expect(await next(engine)).toEqual([]);
    expect(await said(engine)).toEqual([]);
  },
);
