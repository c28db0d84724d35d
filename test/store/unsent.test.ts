import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isUnsent, NO_NOTICES } from "../../src/core/news.ts";
import type { DueItem } from "../../src/core/notice.ts";
import type { Database } from "../../src/store/database.ts";
import { changeEvents } from "../../src/store/event_changes.ts";
import { activeEvents, clearEvents } from "../../src/store/events.ts";
import { migrate } from "../../src/store/migrate.ts";
import {
  closeNotification,
  type NewNotification,
  type NotificationResult,
  openNotification,
} from "../../src/store/notifications.ts";
import { correctNews, forgetUnsent, type Stamp, stampNotified } from "../../src/store/stamps.ts";
import { maybeNotified, readUnsent, unsentClears } from "../../src/store/unsent.ts";
import { notified } from "../support/configured.ts";
import { DATABASES } from "../support/databases.ts";
import { DELIVERED, makeNew } from "../support/notifications.ts";
import { entryRow, insertEntry, only, type RawEntry } from "../support/raw_entries.ts";

const FIRED = 1_790_000_000;
const LATER = 1_790_000_300.5;
const SENT: Stamp = {
  channel: "email",
  composedAt: LATER,
  to: ["@ops"],
  firing: [],
  cleared: [],
};

describe.each(DATABASES)("what is unsent, on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  afterAll(() => db.close());

  const insertEvent = (alarm: string, data: object = {}, rest: Partial<RawEntry> = {}) =>
    insertEntry(db, {
      kind: "event",
      created: FIRED,
      ...rest,
      data: {
        entry_id: `event_${alarm}`,
        dedupe_key: "k",
        fire_time: FIRED,
        clear_time: null,
        ...data,
      },
    });
  const clear = (id: string, unsent: readonly string[]) =>
    db.transaction((tx) => clearEvents(tx, [{ id, reason: "recovered" }], unsent, LATER));
  /** A notification that is composed and delivered. */
  const stamp = (given: Partial<Stamp>) =>
    db.transaction(async (tx) => {
      const sent = { ...SENT, ...given };
      await correctNews(tx, sent.firing, sent.composedAt);
      await stampNotified(tx, sent, LATER + 1);
    });
  const dataOf = async (id: string) => (await entryRow(db, id)).data;

  test.each([
    ["on no channel", "none", {}, []],
    ["on two", "two", { swf: { notified: { email: 5 } } }, ["email", "chat"]],
    ["of an earlier version", "old", { last_notified: 5 }, ["chat"]],
  ])("an event that clears unsent: %s", async (_, alarm, data, unsent) => {
    const id = await insertEvent(alarm, data);
    await clear(id, unsent);
    expect(await dataOf(id)).toMatchObject({
      clear_time: LATER,
      swf: { news: "cleared", news_at: LATER },
    });
    const notices = notified("last_notified" in data || "swf" in data ? 5 : undefined, {
      news: "cleared",
      newsAt: LATER,
    });
    const found = { id, dedupeKey: "k", fireTime: FIRED, clearTime: LATER, notices, unsent };
    expect(await unsentClears(db, alarm)).toMatchObject(unsent.length === 0 ? [] : [found]);
    if (unsent.length === 0) expect(await dataOf(id)).not.toHaveProperty("swf.unsent");
  });

  test("the news of a clear is later than any notification, whatever the clock", async () => {
    const id = await insertEvent("ahead", { last_notified: LATER + 900 });
    await clear(id, ["email"]);
    expect(await dataOf(id)).toMatchObject({ swf: { news_at: LATER + 900.001 } });
  });

  type StampCase = readonly [string, object, Partial<Stamp>, keyof Stamp, object];
  const stamps: readonly StampCase[] = [
    [
      "a new one",
      { swf: { news_at: FIRED, news: "fired" } },
      {},
      "firing",
      {
        last_notified: LATER,
        swf: { news_at: FIRED, news: "fired", notified: { email: LATER }, to: { email: ["@ops"] } },
      },
    ],
    [
      "a second channel in the same tick",
      { last_notified: LATER, swf: { notified: { email: LATER }, to: { email: ["@ops"] } } },
      { channel: "chat", to: ["room"] },
      "firing",
      {
        last_notified: LATER,
        swf: {
          notified: { email: LATER, chat: LATER },
          to: { email: ["@ops"], chat: ["room"] },
        },
      },
    ],
    [
      "one that an earlier tick composed does not set last_notified back",
      { last_notified: LATER + 1, swf: { notified: { chat: LATER + 1 } } },
      {},
      "firing",
      {
        last_notified: LATER + 1,
        swf: { notified: { chat: LATER + 1, email: LATER }, to: { email: ["@ops"] } },
      },
    ],
    [
      "on chat: the last_notified of an earlier version becomes that of email",
      { last_notified: 5 },
      { channel: "chat" },
      "firing",
      {
        last_notified: LATER,
        swf: { notified: { email: 5, chat: LATER }, to: { chat: ["@ops"] } },
      },
    ],
    [
      "odd values are replaced",
      { last_notified: "x", swf: 5 },
      {},
      "firing",
      { last_notified: LATER, swf: { notified: { email: LATER }, to: { email: ["@ops"] } } },
    ],
    [
      "a reminder is counted, on its channel",
      {
        last_notified: FIRED,
        swf: { notified: { email: FIRED, chat: FIRED }, reminders: { email: 2, chat: 5 } },
      },
      {},
      "firing",
      {
        last_notified: LATER,
        swf: {
          notified: { email: LATER, chat: FIRED },
          to: { email: ["@ops"] },
          reminders: { email: 3, chat: 5 },
        },
      },
    ],
    [
      "another channel reminds in the same tick",
      {
        last_notified: LATER,
        swf: { notified: { email: LATER, chat: FIRED }, reminders: { email: 3 } },
      },
      { channel: "chat" },
      "firing",
      {
        last_notified: LATER,
        swf: {
          notified: { email: LATER, chat: LATER },
          to: { chat: ["@ops"] },
          reminders: { email: 3, chat: 1 },
        },
      },
    ],
    [
      "the same notification, delivered again, counts once",
      { last_notified: LATER, swf: { notified: { email: LATER }, reminders: { email: 3 } } },
      {},
      "firing",
      {
        last_notified: LATER,
        swf: { notified: { email: LATER }, to: { email: ["@ops"] }, reminders: { email: 3 } },
      },
    ],
    [
      "the number that an earlier version wrote says nothing of a channel",
      { last_notified: FIRED, swf: { notified: { email: FIRED }, reminders: 2 } },
      {},
      "firing",
      {
        last_notified: LATER,
        swf: { notified: { email: LATER }, to: { email: ["@ops"] }, reminders: { email: 1 } },
      },
    ],
    [
      "the first reminder of an event of an earlier version",
      { last_notified: FIRED },
      {},
      "firing",
      {
        last_notified: LATER,
        swf: { notified: { email: LATER }, to: { email: ["@ops"] }, reminders: { email: 1 } },
      },
    ],
    [
      "news is no reminder",
      { swf: { news_at: LATER, notified: { email: FIRED } } },
      {},
      "firing",
      {
        last_notified: LATER,
        swf: { news_at: LATER, notified: { email: LATER }, to: { email: ["@ops"] } },
      },
    ],
    ...[null, [], "x", 5].map(
      (odd): StampCase => [
        `parts that somebody changed are replaced: ${JSON.stringify(odd)}`,
        { swf: { notified: odd, to: odd } },
        {},
        "firing",
        { last_notified: LATER, swf: { notified: { email: LATER }, to: { email: ["@ops"] } } },
      ],
    ),
    [
      "news beside reminders that were counted before is no reminder either",
      { swf: { news_at: LATER, notified: { email: FIRED }, reminders: { email: 2 } } },
      {},
      "firing",
      {
        last_notified: LATER,
        swf: {
          news_at: LATER,
          notified: { email: LATER },
          to: { email: ["@ops"] },
          reminders: { email: 2 },
        },
      },
    ],
    ...["x", null, [1], { email: "2" }, { email: null }, { email: { n: 1 } }].map(
      (reminders): StampCase => [
        `reminders that somebody changed are counted anew: ${JSON.stringify(reminders)}`,
        { last_notified: FIRED, swf: { notified: { email: FIRED }, reminders } },
        {},
        "firing",
        {
          last_notified: LATER,
          swf: { notified: { email: LATER }, to: { email: ["@ops"] }, reminders: { email: 1 } },
        },
      ],
    ),
    [
      "news of a clock that was ahead: its time is that of the notification, and a channel that has not heard it still has not",
      {
        last_notified: LATER + 900,
        swf: {
          news: "severity",
          news_at: LATER + 950,
          notified: { email: FIRED, chat: LATER + 900, hook: LATER + 950 },
        },
      },
      {},
      "firing",
      {
        last_notified: LATER,
        swf: {
          news: "severity",
          news_at: LATER,
          notified: { email: LATER, chat: LATER - 0.001, hook: LATER + 950 },
          to: { email: ["@ops"] },
        },
      },
    ],
    [
      "the same where earlier versions wrote the times",
      { fire_time: LATER + 950, last_notified: LATER + 900 },
      { channel: "chat" },
      "firing",
      {
        fire_time: LATER + 950,
        last_notified: LATER,
        swf: {
          news_at: LATER,
          notified: { email: LATER - 0.001, chat: LATER },
          to: { chat: ["@ops"] },
        },
      },
    ],
    [
      "a notification of a clock that was ahead: what is composed now is no reminder of it, and counts from now on",
      {
        last_notified: LATER + 900,
        swf: { news_at: FIRED, notified: { email: LATER + 900, chat: LATER + 900 } },
      },
      {},
      "firing",
      {
        last_notified: LATER,
        swf: {
          news_at: FIRED,
          notified: { email: LATER, chat: LATER + 900 },
          to: { email: ["@ops"] },
        },
      },
    ],
    ...[null, "email", 5, { email: 1 }].map(
      (unsent): StampCase => [
        `a clear whose channels somebody changed: ${JSON.stringify(unsent)}`,
        { clear_time: 5, swf: { unsent } },
        {},
        "cleared",
        {
          clear_time: 5,
          last_notified: LATER,
          swf: { notified: { email: LATER }, to: { email: ["@ops"] } },
        },
      ],
    ),
    [
      "a clear: another channel still has to hear of it",
      { clear_time: 5, swf: { unsent: ["email", "chat"] } },
      {},
      "cleared",
      {
        clear_time: 5,
        last_notified: LATER,
        swf: { unsent: ["chat"], notified: { email: LATER }, to: { email: ["@ops"] } },
      },
    ],
    [
      "a clear: no channel has to hear of it any more",
      { clear_time: 5, swf: { unsent: ["email"], news: "cleared" } },
      {},
      "cleared",
      {
        clear_time: 5,
        last_notified: LATER,
        swf: { news: "cleared", notified: { email: LATER }, to: { email: ["@ops"] } },
      },
    ],
    [
      "a clear of an earlier version",
      { clear_time: 5, mail_owed: true },
      {},
      "cleared",
      {
        clear_time: 5,
        last_notified: LATER,
        swf: { notified: { email: LATER }, to: { email: ["@ops"] } },
      },
    ],
    [
      "a clear of an earlier version, on chat: email still has to hear of it",
      { clear_time: 5, mail_owed: true },
      { channel: "chat" },
      "cleared",
      {
        clear_time: 5,
        last_notified: LATER,
        swf: { unsent: ["email"], notified: { chat: LATER }, to: { chat: ["@ops"] } },
      },
    ],
  ];
  test.each(stamps)(
    "what a delivered notification leaves: %s",
    async (_, data, more, list, expected) => {
      const id = await insertEvent("stamped", { dedupe_key: null, ...data });
      await stamp({ ...more, [list]: [id] });
      expect(await dataOf(id)).toEqual({
        entry_id: "event_stamped",
        dedupe_key: null,
        fire_time: FIRED,
        clear_time: null,
        ...expected,
      });
    },
  );

  test("a count that is no longer a number for JavaScript does not stop the stamp", async () => {
    const id = await insertEvent("huge", { last_notified: FIRED });
    await db.query(
      `UPDATE entry SET data = data || '{"swf": {"notified": {"email": 5}, "news_at": 4, "reminders": {"email": 1e400}}}' WHERE id = $1`,
      [id],
    );
    await stamp({ firing: [id] });
    const event = (await activeEvents(db, "huge")).get("k");
    expect(event?.notices).toMatchObject({ notified: { email: LATER }, reminders: { email: 0 } });
  });

  test("two channels remind in one tick and in different ticks, and a rise begins anew on both", async () => {
    const id = await insertEvent("course", { swf: { news_at: FIRED, news: "fired" } });
    const deliver = (channel: string, composedAt: number, at = composedAt) =>
      db.transaction((tx) => stampNotified(tx, { ...SENT, channel, composedAt, firing: [id] }, at));
    const reminders = async () => (await activeEvents(db, "course")).get("k")?.notices.reminders;
    for (const channel of ["email", "chat"]) await deliver(channel, FIRED);
    expect(await reminders()).toEqual({});
    for (const channel of ["email", "chat"]) await deliver(channel, FIRED + 300);
    expect(await reminders()).toEqual({ email: 1, chat: 1 });
    await deliver("email", FIRED + 600);
    // The second attempt at chat succeeds in a later tick.
    await deliver("chat", FIRED + 600, FIRED + 900);
    await deliver("chat", FIRED + 600, FIRED + 1200);
    expect(await reminders()).toEqual({ email: 2, chat: 2 });
    const notices = {
      ...NO_NOTICES,
      newsAt: FIRED + 1500,
      notified: { email: FIRED + 600, chat: FIRED + 600 },
    };
    const level = { severity: "error", stage: undefined } as const;
    const rise = {
      id,
      notices,
      level: { level, peak: level, news: "severity", reason: "severity rose: x" },
    } as const;
    await db.transaction((tx) => changeEvents(tx, [rise], FIRED + 1500));
    expect(await reminders()).toEqual({});
    for (const channel of ["email", "chat"]) await deliver(channel, FIRED + 1500);
    expect(await reminders()).toEqual({});
    await deliver("chat", FIRED + 1800);
    expect(await reminders()).toEqual({ chat: 1 });
  });

  test("news of a clock that was ahead is told on each channel, whatever the order", async () => {
    const id = await insertEvent("corrected", {
      swf: {
        news_at: LATER + 9e5,
        news: "severity",
        notified: { email: FIRED, chat: LATER + 8e5 },
      },
    });
    const unsentOn = async () => {
      const event = only([...(await activeEvents(db, "corrected")).values()]);
      return ["email", "chat", "hook"].filter((channel) => isUnsent(event, channel));
    };
    expect(await unsentOn()).toEqual(["email", "chat", "hook"]);
    await stamp({ firing: [id] });
    expect(await unsentOn()).toEqual(["chat", "hook"]);
    await stamp({ firing: [id], channel: "hook" });
    expect(await unsentOn()).toEqual(["chat"]);
    await stamp({ firing: [id], channel: "chat" });
    expect(await unsentOn()).toEqual([]);
  });

  test.each([
    ["the last channel", { swf: { unsent: ["chat"], news: "cleared" } }, { news: "cleared" }],
    ["one of two", { swf: { unsent: ["email", "chat"] } }, { unsent: ["email"] }],
    ["one that it does not name", { swf: { unsent: ["email"] } }, { unsent: ["email"] }],
    ["a row of an earlier version keeps email", { mail_owed: true }, { unsent: ["email"] }],
    ["an event that is not unsent", { swf: { news: "cleared" } }, { news: "cleared" }],
  ])("a channel that no longer has to hear of a clear: %s", async (_, data, swf) => {
    const id = await insertEvent("forgotten", { ...data, clear_time: 5 });
    await db.transaction((tx) => forgetUnsent(tx, [id], "chat", LATER));
    const after = await dataOf(id);
    expect(after).toMatchObject({ clear_time: 5 });
    expect(after).toHaveProperty("swf", swf);
    expect(after).not.toHaveProperty("mail_owed");
    expect(after).not.toHaveProperty("last_notified");
  });

  test("the oldest come first, of this alarm, and not what somebody archived or deleted", async () => {
    const unsent = { clear_time: 5, swf: { unsent: ["chat"] } };
    const second = await insertEvent("order", unsent, { created: FIRED + 2 });
    const old = { mail_owed: true, clear_time: 5, swf: { unsent: [] } };
    const first = await insertEvent("order", old, { created: FIRED + 1 });
    await insertEvent("other", unsent);
    await insertEvent("order", unsent, { archived: true });
    await insertEvent("order", unsent, { deletedAt: 7 });
    await insertEvent("order", { mail_owed: false, clear_time: 5, swf: { notified: {} } });
    expect(await unsentClears(db, "order")).toMatchObject([
      { id: first, unsent: ["email"] },
      { id: second, unsent: ["chat"] },
    ]);
  });

  test("at most a thousand are read; the next notification names the others", async () => {
    await db.query(
      `INSERT INTO entry (id, title, content, kind, data, archived, timestamp_created, timestamp_modified, context_id)
       SELECT gen_random_uuid()::text, 't', '', 'event',
              jsonb_build_object('entry_id', 'event_heap', 'dedupe_key', n::text, 'swf', '{"unsent": ["email"]}'::jsonb), false, n, n, 'swf-alarms'
       FROM generate_series(1, 1200) AS n`,
    );
    const first = await unsentClears(db, "heap");
    expect(first.map(({ dedupeKey }) => dedupeKey).slice(0, 2)).toEqual(["1", "2"]);
    expect(first).toHaveLength(1000);
    await stamp({ cleared: first.map(({ id }) => id) });
    expect(await unsentClears(db, "heap")).toHaveLength(200);
  });

  describe("events that a notification names which may have been delivered", () => {
    const opened = async (more: Partial<NewNotification>, at = LATER): Promise<string> => {
      const given = makeNew(more);
      await db.transaction((tx) => openNotification(tx, given, at));
      return given.id;
    };
    const close = (id: string, result: Partial<NotificationResult>) =>
      db.transaction((tx) => closeNotification(tx, id, { ...DELIVERED, ...result }, LATER));
    const FAILED = { state: "failed", outcome: "failed", notBefore: LATER } as const;
    const ITEM = { dedupeKey: "k", fireTime: FIRED, reason: "unsent" } as const;
    const items = (ids: readonly string[], at?: number): readonly DueItem[] =>
      ids.map((eventId) => ({ ...ITEM, eventId, notices: notified(at) }));
    const found = async (alarm: string, given: readonly DueItem[], channel = "email") =>
      [...(await maybeNotified(db, { alarm, channel }, given, LATER + 600))].sort();

    test("in any list, on this channel, by an attempt after the last delivered one", async () => {
      const alarm = "alarm_u";
      await opened({ alarm, newEventIds: ["n", "x"] });
      await opened({ alarm, continuingEventIds: ["c"] });
      await opened({ alarm, clearedEventIds: ["o"] });
      await close(await opened({ alarm, newEventIds: ["f"] }), FAILED);
      await close(await opened({ alarm, newEventIds: ["d"] }), {});
      const unknown = { count: 1, last: LATER };
      await close(await opened({ alarm, newEventIds: ["s"] }), { ...FAILED, unknown });
      await opened({ alarm, newEventIds: ["chat"], channel: "chat" });
      await opened({ alarm: "alarm_v", newEventIds: ["v"] });
      const ids = ["n", "c", "o", "f", "d", "s", "chat", "v", "nowhere"];
      expect(await found(alarm, items(ids))).toEqual(["c", "n", "o", "s"]);
      expect(await found(alarm, items(ids), "chat")).toEqual(["chat"]);
      expect(await found(alarm, items(ids, LATER + 1))).toEqual([]);
      expect(await found(alarm, [...items(["n"], LATER), ...items(["c"], LATER + 1)])).toEqual([
        "n",
      ]);
      expect(await found(alarm, [])).toEqual([]);
    });

    test("rows of earlier versions are those of email, whatever they call the service", async () => {
      const alarm = "alarm_old";
      const row = { alarm, channel: "ses", attempted_at: LATER };
      for (const [outcome, id] of [
        ["unknown", "a"],
        ["interrupted", "b"],
        ["failed", "c"],
      ])
        await insertEntry(db, {
          kind: "notification",
          created: LATER,
          data: { ...row, outcome, new_event_ids: [id] },
        });
      expect(await found(alarm, items(["a", "b", "c"]))).toEqual(["a", "b"]);
      expect(await found(alarm, items(["a", "b", "c"]), "ses")).toEqual([]);
    });

    test("an event that began while the clock was ahead seems younger than its notifications", async () => {
      const alarm = "alarm_ahead";
      await opened({ alarm, newEventIds: ["young", "stamped"] });
      const young = items(["young"]).map((item) => ({ ...item, fireTime: LATER + 1e6 }));
      expect(await found(alarm, [...young, ...items(["stamped"], LATER + 1e6)])).toEqual([
        "stamped",
        "young",
      ]);
    });

    test("a row that somebody changed costs no other", async () => {
      const alarm = "alarm_w";
      await insertEntry(db, {
        kind: "notification",
        created: LATER + 30,
        data: { alarm, outcome: "unknown", new_event_ids: "none", cleared_event_ids: {} },
      });
      await opened({ alarm, newEventIds: ["a"] });
      expect(await found(alarm, items(["a", "b"]))).toEqual(["a"]);
    });
  });

  test.each([
    ["nothing", "n", [], false, false],
    ["a clear", "c", ["clear"], true, false],
    ["a clear of an earlier version", "co", ["old clear"], true, false],
    ["an open notification", "m", ["open"], false, true],
    ["one of an earlier version", "mo", ["pending"], false, true],
    ["both", "b", ["clear", "open"], true, true],
  ])("one statement finds the alarms: %s", async (_, alarm, unsent, clears, isOpen) => {
    await insertEntry(db, { kind: "notification", data: { alarm: `alarm_${alarm}` } });
    const notification = (data: object) =>
      insertEntry(db, { kind: "notification", data: { alarm: `alarm_${alarm}`, ...data } });
    for (const what of unsent) {
      if (what === "clear") await clear(await insertEvent(alarm), ["chat"]);
      else if (what === "old clear") await insertEvent(alarm, { clear_time: 5, mail_owed: true });
      else await notification(what === "open" ? { not_before: 5 } : { pending: ["a@h"] });
    }
    const found = await readUnsent(db);
    expect(found.hasClears(alarm)).toBe(clears);
    expect(found.hasOpen(`alarm_${alarm}`)).toBe(isOpen);
  });

  test("it also finds which of the alarms that stopped have active events", async () => {
    const odd = `s'"\\ 漢`;
    await insertEvent("stopped");
    await insertEvent("stopped", { dedupe_key: "k2" });
    await insertEvent(odd);
    await insertEvent("running");
    await insertEvent("stopped_cleared", { clear_time: 5 });
    await insertEvent("stopped_archived", {}, { archived: true });
    await insertEvent("stopped_unsent", { clear_time: 5, swf: { unsent: ["chat"] } });
    const stopped = ["stopped", odd, "stopped_cleared", "stopped_archived", "stopped_unsent", "no"];
    const found = await readUnsent(db, stopped);
    expect([...stopped, "running"].filter(found.isActive)).toEqual(["stopped", odd]);
    expect(stopped.filter(found.hasClears)).toEqual(["stopped_unsent"]);
    const none = await readUnsent(db);
    expect(stopped.filter(none.isActive)).toEqual([]);
    expect(none.hasClears("stopped_unsent")).toBe(true);
  });

  test("a cleared event is read with its level, why and when it was first seen; odd values are left out", async () => {
    const cleared = { clear_time: 5, clear_reason: "late by 120 s", severity: "error", stage: "s" };
    const id = await insertEvent("told", { ...cleared, swf: { unsent: ["chat"], first_seen: 3 } });
    expect(await unsentClears(db, "told")).toMatchObject([
      {
        id,
        level: { severity: "error", stage: "s" },
        clearReason: "late by 120 s",
        clearTime: 5,
        firstSeen: 3,
      },
    ]);
    const odd = { clear_time: "5", clear_reason: null, severity: "bad", stage: 7 };
    await insertEvent("told oddly", { ...odd, swf: { unsent: ["chat"], first_seen: "3" } });
    const [found] = await unsentClears(db, "told oddly");
    expect(found).toMatchObject({ clearTime: 0, unsent: ["chat"] });
    const read = [found?.level, found?.clearReason, found?.firstSeen];
    expect(read).toEqual([undefined, undefined, undefined]);
  });

  test("it also finds the time until which a channel accepts nothing", async () => {
    const queued = (channel: string, not_before: unknown, state = "queued") =>
      insertEntry(db, {
        kind: "notification",
        data: { alarm: "alarm_q", channel, state, not_before },
      });
    await queued("chat", LATER);
    await queued("chat", LATER + 60);
    await queued("chat", LATER + 600, "failed");
    await queued("hook", "soon");
    const found = await readUnsent(db);
    const channels = ["chat", "hook", "email", "constructor"];
    expect(channels.map(found.queuedUntil)).toEqual([LATER + 60, 0, 0, 0]);
  });

  test("rows that do not name an alarm are ignored", async () => {
    await insertEntry(db, { kind: "notification", data: { pending: ["a@h"] } });
    await insertEntry(db, { kind: "event", data: { mail_owed: true } });
    const found = await readUnsent(db);
    expect(found.hasClears("")).toBe(false);
    expect(found.hasOpen("null")).toBe(false);
  });
});
