import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "../../src/store/database.ts";
import { clearEvents, stampNotified, unsentClears } from "../../src/store/events.ts";
import { migrate } from "../../src/store/migrate.ts";
import {
  beginRetry,
  closeNotification,
  type NewNotification,
  type NotificationResult,
  openNotification,
  pendingMails,
  readUnsentMail,
  unknownAttempts,
} from "../../src/store/notifications.ts";
import { DATABASES } from "../support/databases.ts";
import { entryRow, entryRows, insertEntry, type RawEntry } from "../support/raw_entries.ts";

const FIRED = 1_790_000_000;
const LATER = 1_790_000_300.5;

describe.each(DATABASES)("unsent mail, on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  afterAll(() => db.close());

  const firing = (alarm: string, data: object = {}, rest: Partial<RawEntry> = {}) =>
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
  const gone = { reason: "no longer detected", mailOn: true };

  test.each([
    ["one that no mail has named is unsent", "unsent", {}, true, true],
    ["one that a mail has named is not", "mailed", { last_notified: 5 }, true, false],
    ["one of an alarm whose mail is off is not", "off", {}, false, false],
    [
      "one whose last_notified is not a number is unsent",
      "odd",
      { last_notified: "yesterday" },
      true,
      true,
    ],
  ])("an event that clears: %s", async (_, alarm, data, mailOn, unsent) => {
    const id = await firing(alarm, data);
    await db.transaction((tx) => clearEvents(tx, [id], { ...gone, mailOn }, LATER));
    expect((await entryRow(db, id)).data).toMatchObject({ clear_time: LATER });
    const found = [{ id, dedupeKey: "k", fireTime: FIRED, clearTime: LATER }];
    expect(await unsentClears(db, alarm)).toEqual(unsent ? found : []);
  });

  test("it is unsent until a mail that names it is confirmed, which removes the mark", async () => {
    const id = await firing("stamped");
    await db.transaction((tx) => clearEvents(tx, [id], gone, LATER));
    await db.transaction((tx) => stampNotified(tx, [id], LATER + 300));
    expect(await unsentClears(db, "stamped")).toEqual([]);
    const { data } = (await entryRows(db, [id])).get(id) ?? {};
    expect(data).toMatchObject({ last_notified: LATER + 300, clear_time: LATER });
    expect(data).not.toHaveProperty("mail_owed");
  });

  test("the oldest come first, of this alarm, and not what somebody archived or deleted", async () => {
    const second = await firing(
      "order",
      { mail_owed: true, clear_time: 5 },
      { created: FIRED + 2 },
    );
    const first = await firing("order", { mail_owed: true, clear_time: 5 }, { created: FIRED + 1 });
    await firing("other", { mail_owed: true, clear_time: 5 });
    await firing("order", { mail_owed: true, clear_time: 5 }, { archived: true });
    await firing("order", { mail_owed: true, clear_time: 5 }, { deletedAt: 7 });
    await firing("order", { mail_owed: false, clear_time: 5 });
    expect((await unsentClears(db, "order")).map(({ id }) => id)).toEqual([first, second]);
  });

  test("at most a thousand are read; the next mail names the others", async () => {
    await db.query(
      `INSERT INTO entry (id, title, content, kind, data, archived, timestamp_created, timestamp_modified, context_id)
       SELECT gen_random_uuid()::text, 't', '', 'event',
              jsonb_build_object('entry_id', 'event_heap', 'dedupe_key', n::text, 'mail_owed', true), false, n, n, 'swf-alarms'
       FROM generate_series(1, 1200) AS n`,
    );
    const first = await unsentClears(db, "heap");
    expect(first.map(({ dedupeKey }) => dedupeKey).slice(0, 2)).toEqual(["1", "2"]);
    expect(first).toHaveLength(1000);
    await db.transaction((tx) =>
      stampNotified(
        tx,
        first.map(({ id }) => id),
        LATER,
      ),
    );
    expect(await unsentClears(db, "heap")).toHaveLength(200);
  });

  const attempt = (alarm: string, events: Partial<NewNotification>): NewNotification => ({
    alarm,
    runId: "run",
    channel: "ses",
    subject: "subject",
    text: "text",
    recipients: ["a@h", "b@h"],
    newEventIds: [],
    continuingEventIds: [],
    clearedEventIds: [],
    ...events,
  });
  const since = (time: number, ids: readonly string[]) =>
    ids.map((eventId) => ({ eventId, since: time }));
  const opened = (given: NewNotification, at: number) =>
    db.transaction((tx) => openNotification(tx, given, at));
  const close = (id: string, result: NotificationResult, at: number) =>
    db.transaction((tx) => closeNotification(tx, id, result, at));
  const closed = {
    outcome: "failed" as const,
    messageIds: [],
    refused: [],
    pending: [],
    error: undefined,
    retryable: undefined,
    shortened: undefined,
  };

  test("events that a mail with an unknown delivery state names, in any list, may have been mailed", async () => {
    await opened(attempt("alarm_u", { newEventIds: ["n", "x"] }), LATER);
    await opened(attempt("alarm_u", { continuingEventIds: ["c"] }), LATER);
    await opened(attempt("alarm_u", { clearedEventIds: ["o"] }), LATER);
    const failed = await opened(attempt("alarm_u", { newEventIds: ["f"] }), LATER);
    await close(failed, closed, LATER);
    const silent = await opened(attempt("alarm_u", { newEventIds: ["s"] }), LATER);
    await close(silent, { ...closed, unknown: { count: 1, last: LATER } }, LATER);
    await opened(attempt("alarm_v", { newEventIds: ["v"] }), LATER);
    const ids = ["n", "c", "o", "f", "s", "v", "nowhere"];
    const once = { count: 1, last: LATER };
    expect(await unknownAttempts(db, "alarm_u", since(FIRED, ids))).toEqual(
      new Map(["c", "n", "o", "s"].map((id) => [id, once])),
    );
    expect(await unknownAttempts(db, "alarm_u", since(LATER + 1, ids))).toEqual(new Map());
    expect(await unknownAttempts(db, "alarm_u", [])).toEqual(new Map());
  });

  test("each event has its own time from which attempts count, and a row that somebody changed is ignored", async () => {
    await insertEntry(db, {
      kind: "notification",
      created: LATER + 30,
      data: { alarm: "alarm_w", outcome: "unknown", new_event_ids: "none", cleared_event_ids: {} },
    });
    for (const index of Array.from({ length: 30 }, (_, each) => each))
      await opened(
        attempt("alarm_w", { continuingEventIds: ["a", "b", `e${index}`] }),
        LATER + index,
      );
    const named = [
      ...since(FIRED, ["a", "e0", "e29"]),
      ...since(LATER + 20, ["b"]),
      ...since(LATER + 6, ["e5"]),
    ];
    expect(await unknownAttempts(db, "alarm_w", named)).toEqual(
      new Map([
        ["a", { count: 30, last: LATER + 29 }],
        ["b", { count: 10, last: LATER + 29 }],
        ["e0", { count: 1, last: LATER }],
        ["e29", { count: 1, last: LATER + 29 }],
      ]),
    );
  });

  test.each([0, 1, 21, 100])(
    "%d failed attempts before and after an unknown one change nothing",
    async (count) => {
      const alarm = `alarm_failed_${count}`;
      const fail = async (at: number) => {
        const id = await opened(attempt(alarm, { continuingEventIds: ["a"] }), at);
        await close(id, closed, at);
      };
      for (let index = 0; index < count; index++) await fail(LATER + index);
      expect(await unknownAttempts(db, alarm, since(FIRED, ["a"]))).toEqual(new Map());
      await opened(attempt(alarm, { newEventIds: ["a"] }), LATER + 200);
      for (let index = 0; index < count; index++) await fail(LATER + 300 + index);
      expect(await unknownAttempts(db, alarm, since(FIRED, ["a"]))).toEqual(
        new Map([["a", { count: 1, last: LATER + 200 }]]),
      );
    },
  );

  test("an announcement is found by its id", async () => {
    const unknown = { about: "quarantine", announces: "quarantine of x since 5" };
    await opened(attempt("alarm_x", unknown), LATER);
    const named = since(FIRED, [unknown.announces, "quarantine of x since 6"]);
    expect([...(await unknownAttempts(db, "alarm_x", named)).keys()]).toEqual([unknown.announces]);
  });

  test("a mail that has yet to reach somebody is found until it has", async () => {
    const id = await opened(attempt("alarm_p", {}), LATER);
    const refused = [{ address: "c@h", reason: "no" }];
    const result = { ...closed, outcome: "partial" as const, messageIds: ["m-1"], refused };
    await close(id, { ...result, pending: ["b@h"], error: "down", retryable: true }, LATER);
    const whole = await opened(attempt("alarm_p", {}), LATER);
    await close(whole, result, LATER);
    const [mail, ...rest] = await pendingMails(db, "alarm_p");
    expect(rest).toEqual([]);
    expect(mail).toEqual({
      id,
      subject: "subject",
      text: "text",
      attemptedAt: LATER,
      attempts: 1,
      pending: ["b@h"],
      refused,
      messageIds: ["m-1"],
      error: "down",
      unknown: undefined,
    });
    expect(await pendingMails(db, "alarm_q")).toEqual([]);

    const unknown = { count: 1, last: LATER + 300 };
    await db.transaction((tx) => beginRetry(tx, { id, attempts: 1 }, unknown));
    // A crash here leaves this: the attempt is counted, and its delivery state is unknown.
    expect((await entryRow(db, id)).data).toMatchObject({ attempts: 2, retry: "unknown" });
    expect(await pendingMails(db, "alarm_p")).toMatchObject([
      { attempts: 2, pending: ["b@h"], unknown },
    ]);

    await close(
      id,
      {
        outcome: "delivered",
        messageIds: ["m-1", "m-2"],
        refused: [],
        pending: [],
        givenUp: [],
        error: undefined,
        retryable: undefined,
      },
      LATER + 301,
    );
    const { data } = await entryRow(db, id);
    expect(data).toMatchObject({
      outcome: "delivered",
      message_ids: ["m-1", "m-2"],
      attempts: 2,
      attempted_at: LATER,
      finished_at: LATER + 301,
    });
    for (const key of ["pending", "retry", "error", "retryable", "unknown_attempts"])
      expect(data).not.toHaveProperty(key);
    expect(await pendingMails(db, "alarm_p")).toEqual([]);
  });

  test("a pending mail that somebody changed beyond reading is left alone", async () => {
    await insertEntry(db, { kind: "notification", data: { alarm: "alarm_r", pending: ["a@h"] } });
    expect(await pendingMails(db, "alarm_r")).toEqual([]);
  });

  test.each([
    ["nothing", "n", [], false, false],
    ["a clear", "c", ["clear"], true, false],
    ["a mail", "m", ["mail"], false, true],
    ["both", "b", ["clear", "mail"], true, true],
  ])(
    "one statement finds the alarms with unsent mail: %s",
    async (_, alarm, unsent, clears, pending) => {
      await insertEntry(db, { kind: "notification", data: { alarm: `alarm_${alarm}` } });
      for (const what of unsent) {
        if (what === "clear") {
          const id = await firing(alarm);
          await db.transaction((tx) => clearEvents(tx, [id], gone, LATER));
        } else
          await insertEntry(db, {
            kind: "notification",
            data: { alarm: `alarm_${alarm}`, pending: [] },
          });
      }
      const found = await readUnsentMail(db);
      expect(found.hasClears(alarm)).toBe(clears);
      expect(found.hasPending(`alarm_${alarm}`)).toBe(pending);
    },
  );

  test("rows that do not name an alarm are ignored", async () => {
    await insertEntry(db, { kind: "notification", data: { pending: ["a@h"] } });
    await insertEntry(db, { kind: "event", data: { mail_owed: true } });
    const found = await readUnsentMail(db);
    expect(found.hasClears("")).toBe(false);
    expect(found.hasPending("null")).toBe(false);
  });
});
