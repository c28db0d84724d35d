import { describe, expect, test } from "vitest";
import { undelivered } from "../../src/core/delivery.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { configured } from "../support/configured.ts";
import { perAlarm } from "../support/contract.ts";
import { createPostgres } from "../support/databases.ts";
import { loginTo } from "../support/login.ts";
import { delivered } from "../support/mails.ts";
import { changeAlarm, dump, eventsOf, insertAlarm, only, readEntries } from "../support/rows.ts";
import { type EngineAt, engineAt, START } from "./engine_at.ts";

const DOWN = { message: "down", retryable: true, scope: "channel", mayBeDelivered: false } as const;

/** An engine whose alarms x and other fire for a and b, with a mail service that can be down. */
async function site(row: { readonly [key: string]: unknown } = {}) {
  const engine = await engineAt(async () => openPostgres(loginTo(await createPostgres())));
  const mail = { isDown: false, texts: [] as string[] };
  const email = configured(
    "email",
    {
      deliver: async ({ alarm, recipients, text }) => {
        if (mail.isDown) return undelivered(recipients, DOWN);
        mail.texts.push(`${alarm} to ${recipients.join(" ")}: ${text}`);
        return delivered(recipients, []);
      },
    },
    { isDefault: true },
  );
  engine.channels = new Map([["email", email]]);
  await insertAlarm(engine.db, "x", row);
  await insertAlarm(engine.db, "other");
  for (const name of ["x", "other"]) engine.says(name, { keys: ["a", "b"] });
  return { engine, mail };
}

async function stop(engine: EngineAt, how: "archived" | "deleted", name = "x"): Promise<void> {
  const change = how === "archived" ? "archived = true" : "deleted_at = 1";
  await engine.db.query(
    `UPDATE entry SET ${change} WHERE kind = 'alarm' AND data->>'entry_id' = $1`,
    [`alarm_${name}`],
  );
}

async function next(engine: EngineAt, ...args: Parameters<EngineAt["tick"]>) {
  engine.now += 300;
  return await engine.tick(...args);
}

/** `key reason` of the events that have ended, with the time since the start; the keys of others. */
async function events(engine: EngineAt, name = "x"): Promise<readonly string[]> {
  const rows = await eventsOf(engine.db, name);
  return rows
    .map(({ data: { dedupe_key: key, clear_time: at, clear_reason: reason } }) =>
      at === null ? `${key}` : `${key} ${reason} ${Number(at) - START}`,
    )
    .sort();
}

/** The states of the notifications of x, with why they were replaced. */
async function notifications({ db }: EngineAt): Promise<readonly string[]> {
  const rows = await readEntries(db, "notification");
  return rows
    .filter(({ data }) => data.alarm === "alarm_x")
    .map(({ data }) => `${data.state}: ${data.superseded_because ?? ""}`);
}

describe.each(["archived", "deleted"] as const)("an alarm that was %s", (how) => {
  test("ends its events in the next tick, with the reason, and says so to nobody without notify_clear", async () => {
    const { engine, mail } = await site();
    await engine.tick();
    expect(mail.texts).toHaveLength(2);
    await stop(engine, how);
    const report = await next(engine);
    expect(await events(engine)).toEqual([`a alarm ${how} 300`, `b alarm ${how} 300`]);
    expect(await events(engine, "other")).toEqual(["a", "b"]);
    expect(mail.texts).toHaveLength(2);
    expect(report?.errors).toEqual([]);
  });

  test("says so with notify_clear to those who were notified, and not to those of now", async () => {
    const { engine, mail } = await site({ notify_clear: true });
    await engine.tick();
    await changeAlarm(engine.db, "x", { recipients: "others@example.org" });
    await stop(engine, how);
    mail.texts = [];
    await next(engine);
    const text = only(mail.texts);
    expect(text).toMatch(/^alarm_x to ops@example\.org: /);
    expect(text).toContain(`alarm ${how}`);
    for (const key of ["a", "b"]) expect(text).toContain(`${key} is wrong`);
    mail.texts = [];
    await next(engine);
    expect(mail.texts).toEqual([]);
  });

  test("tells what could not be told before, as over", async () => {
    const { engine, mail } = await site();
    mail.isDown = true;
    // After the first one that fails, no other is tried.
    await engine.tick("tick", ["x"]);
    await stop(engine, how);
    await next(engine);
    expect(await events(engine)).toEqual([`a alarm ${how} 300`, `b alarm ${how} 300`]);
    mail.isDown = false;
    await next(engine);
    const about = mail.texts.filter((text) => text.startsWith("alarm_x "));
    expect(about.join("\n")).toContain(`alarm ${how}`);
    const rows = await readEntries(engine.db, "notification");
    expect(rows.filter(({ data }) => "not_before" in data)).toEqual([]);
    mail.texts = [];
    await next(engine);
    expect(mail.texts).toEqual([]);
  });

  test("ends an open notification without sending it if its notifications are off", async () => {
    const { engine, mail } = await site();
    mail.isDown = true;
    await engine.tick("tick", ["x"]);
    await changeAlarm(engine.db, "x", { enabled: false });
    await stop(engine, how);
    mail.isDown = false;
    await next(engine);
    expect(await notifications(engine)).toEqual(["superseded: its events are over"]);
    expect(mail.texts.filter((text) => text.startsWith("alarm_x "))).toEqual([]);
  });

  test("gives up after a day what no service takes, and says so", async () => {
    const { engine, mail } = await site();
    mail.isDown = true;
    await engine.tick("tick", ["x"]);
    await stop(engine, how);
    await next(engine, "tick", ["x"]);
    engine.now += 86_400;
    const report = await next(engine, "tick", ["x"]);
    expect(report?.errors).toContainEqual(expect.stringContaining("gave up"));
    engine.now += 86_400;
    await next(engine, "tick", ["x"]);
    mail.isDown = false;
    await next(engine, "tick", ["x"]);
    expect(mail.texts).toEqual([]);
    const [counts] = await engine.db.query(
      "SELECT count(*)::int AS n FROM entry WHERE data ? 'not_before' OR data->'swf' ? 'unsent'",
    );
    expect(counts).toEqual({ n: 0 });
  });

  test("is in the run record of the tick that ended its events, and of no later one", async () => {
    const { engine } = await site();
    await engine.tick();
    await stop(engine, how);
    for (let ticks = 0; ticks < 3; ticks++) await next(engine);
    const runs = await readEntries(engine.db, "engine_run");
    const records = runs.map(({ data }) => Object(data.per_alarm).alarm_x);
    expect(records.map((record) => record !== undefined)).toEqual([true, true, false, false]);
    expect(records[1]).toMatchObject({ cleared: 2, errors: 0, error_message: "" });
    const [, second] = runs;
    if (second === undefined) throw new Error("no second run");
    expect(perAlarm(second, "alarm_other")).toMatchObject({ alarms_seen: 2 });
  });

  test("is left alone by a tick of another alarm, and by a plan, which shows what would end", async () => {
    const { engine } = await site();
    await engine.tick();
    await stop(engine, how);
    await next(engine, "tick", ["other"]);
    expect(await events(engine)).toEqual(["a", "b"]);
    const before = await dump(engine.db);
    const report = await next(engine, "plan");
    expect(await dump(engine.db)).toBe(before);
    const result = only((report?.results ?? []).filter(({ row }) => row.name === "x"));
    expect(result).toMatchObject({
      plan: {
        clear: [
          { event: { dedupeKey: "a" }, reason: `alarm ${how}` },
          { event: { dedupeKey: "b" }, reason: `alarm ${how}` },
        ],
      },
    });
    await next(engine, "tick", ["x"]);
    expect(await events(engine)).toEqual([`a alarm ${how} 900`, `b alarm ${how} 900`]);
  });

  test("goes on as long as another row of its name lives", async () => {
    const { engine, mail } = await site();
    await engine.tick();
    await stop(engine, how);
    await insertAlarm(engine.db, "x");
    mail.texts = [];
    await next(engine);
    expect(await events(engine)).toEqual(["a", "b"]);
    expect(mail.texts).toEqual([]);
  });

  test("ends its events in a dry run too, and whoever is owed the end hears of it in the next tick", async () => {
    const { engine, mail } = await site({ notify_clear: true });
    await engine.tick();
    await stop(engine, how);
    mail.texts = [];
    await next(engine, "dry-run");
    expect(await events(engine)).toEqual([`a alarm ${how} 300`, `b alarm ${how} 300`]);
    expect(mail.texts).toEqual([]);
    await next(engine);
    expect(only(mail.texts)).toMatch(/^alarm_x to ops@example\.org: /);
  });

  test("is told apart from the alarm engine, which ends its events as well", async () => {
    const { engine, mail } = await site();
    engine.configure({ quarantineAfter: 1, operators: ["admin@example.org"] });
    engine.says("other", { fails: "no" });
    await engine.tick();
    expect(await events(engine, "engine")).toEqual(["alarm:other"]);
    await stop(engine, how, "engine");
    mail.texts = [];
    await next(engine);
    expect(await events(engine, "engine")).toEqual([`alarm:other alarm ${how} 300`]);
    // The built-in alarm says when trouble is over, unless its row does not.
    expect(only(mail.texts)).toMatch(/^alarm_engine to .*admin@example\.org/);
    expect(await events(engine)).toEqual(["a", "b"]);
  });
});

test("an alarm that comes back fires anew", async () => {
  const { engine, mail } = await site();
  await engine.tick();
  await stop(engine, "archived");
  await next(engine);
  await engine.db.query("UPDATE entry SET archived = false WHERE kind = 'alarm'");
  mail.texts = [];
  await next(engine);
  expect(await events(engine)).toEqual(["a", "a alarm archived 300", "b", "b alarm archived 300"]);
  expect(only(mail.texts)).toMatch(/^alarm_x to ops@example\.org: /);
});

test("of an archived row and a deleted one of one name, each event ends once", async () => {
  const { engine, mail } = await site({ notify_clear: true });
  await engine.tick();
  await stop(engine, "archived");
  await insertAlarm(engine.db, "x", { notify_clear: true }, { deletedAt: 1 });
  mail.texts = [];
  await next(engine);
  expect(await events(engine)).toEqual(["a alarm archived 300", "b alarm archived 300"]);
  expect(mail.texts).toHaveLength(1);
});
