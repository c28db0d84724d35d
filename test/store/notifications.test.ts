import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "../../src/store/database.ts";
import { failedNotifications } from "../../src/store/failed_notifications.ts";
import { migrate } from "../../src/store/migrate.ts";
import {
  beginAttempt,
  closeNotification,
  type NewNotification,
  type NotificationResult,
  openNotification,
  reopenNotification,
  supersedeAhead,
} from "../../src/store/notifications.ts";
import { openNotifications } from "../../src/store/unsent.ts";
import { makeBundle, makeItem } from "../support/bundles.ts";
import { DATABASES } from "../support/databases.ts";
import { DELIVERED, makeNew } from "../support/notifications.ts";
import { entryRow, insertEntry, only } from "../support/raw_entries.ts";

const NOW = 1_790_000_000.5;
const TEXTS = { subject: "[alarm_x] 2 detection(s), 1 new, 1 continuing", text: "one\ntwo" };
const BUNDLE = makeBundle({ fresh: [makeItem("a", { subject: "漢😀" })], caveats: ["old"] });
const EVENTS = {
  newEventIds: ["event-1"],
  continuingEventIds: ["event-2"],
  clearedEventIds: ["event-3"],
};
const OPENED = {
  entry_id: "notification_alarm_x",
  alarm: "alarm_x",
  run_id: "run",
  channel: "email",
  type: "ses",
  composed_at: NOW - 2,
  attempted_at: NOW,
  to: ["@ops"],
  recipients: ["ann@h.example", "bob@h.example"],
  new_event_ids: ["event-1"],
  continuing_event_ids: ["event-2"],
  cleared_event_ids: ["event-3"],
  attempts: 1,
};
/** On record until the result is known: that of an attempt whose result stays unknown. */
const SENDING = {
  state: "sending",
  outcome: "unknown",
  not_before: NOW,
  unknown_attempts: { count: 1, last: NOW },
};
const FAILED: NotificationResult = {
  ...DELIVERED,
  state: "failed",
  outcome: "failed",
  error: "down",
  retryable: true,
  notBefore: NOW + 2,
};
const BAD = { address: "bob@h.example", reason: "no" };

describe.each(DATABASES)("notifications on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  afterAll(() => db.close());

  /** Opens one; gives its id. */
  const opened = async (more: Partial<NewNotification> = {}, at = NOW): Promise<string> => {
    const base = { ...TEXTS, ...EVENTS, composedAt: NOW - 2, bundle: BUNDLE };
    const given = makeNew({ ...base, ...more });
    await db.transaction((tx) => openNotification(tx, given, at));
    return given.id;
  };
  const close = (id: string, result: NotificationResult, at = NOW + 2) =>
    db.transaction((tx) => closeNotification(tx, id, result, at));
  /** The one open notification of the alarm. */
  const openOne = async (alarm: string) => only(await openNotifications(db, alarm));

  test("opened, the attempt is on record with an unknown outcome", async () => {
    const id = await opened();
    expect(await entryRow(db, id)).toEqual({
      id,
      title: TEXTS.subject,
      content: "one\ntwo",
      kind: "notification",
      name: null,
      data: { ...OPENED, ...SENDING, bundle: BUNDLE },
      priority: null,
      status: "active",
      archived: false,
      timestamp_created: NOW,
      timestamp_modified: NOW,
      deleted_at: null,
      parent_id: null,
      context_id: "swf-alarms",
    });
  });

  test.each([
    ["recipients of the events alone", { own: ["@own"] }, { own: ["@own"] }],
    [
      "after attempts of those that it replaces, the next one waits longer",
      { unknownBefore: 2 },
      { not_before: NOW + 600, unknown_attempts: { count: 3, last: NOW } },
    ],
    ["on another channel", { channel: "chat", type: "mattermost" }, { channel: "chat" }],
  ] as const)("opened: %s", async (_, more, written) => {
    expect((await entryRow(db, await opened(more))).data).toMatchObject(written);
  });

  test("a test of a channel is on record, and no tick repeats it", async () => {
    const id = await opened({
      alarm: "alarm_test",
      runId: undefined,
      bundle: makeBundle({ isTest: true }),
    });
    const { data } = await entryRow(db, id);
    expect(data).toMatchObject({ about: "test", state: "unknown" });
    for (const key of ["bundle", "not_before", "run_id"]) expect(data).not.toHaveProperty(key);
    expect(await openNotifications(db, "alarm_test")).toEqual([]);
  });

  const results: readonly (readonly [string, Partial<NotificationResult>, object, boolean])[] = [
    [
      "delivered",
      { messageIds: ["m-1", "m-2"] },
      { state: "delivered", outcome: "delivered", message_ids: ["m-1", "m-2"] },
      false,
    ],
    [
      "failed, another attempt may help",
      { ...FAILED, error: `SES: "no"\0` },
      {
        state: "failed",
        outcome: "failed",
        message_ids: [],
        error: `SES: "no"\uFFFD`,
        retryable: true,
        not_before: NOW + 2,
      },
      true,
    ],
    [
      "failed without an answer, in the short form",
      { ...FAILED, state: "unknown", unknown: { count: 1, last: NOW }, shortened: "short" },
      {
        state: "unknown",
        outcome: "failed",
        message_ids: [],
        error: "down",
        retryable: true,
        may_have_been_sent: true,
        unknown_attempts: { count: 1, last: NOW },
        not_before: NOW + 2,
        shortened: true,
      },
      true,
    ],
    [
      "in part: some are refused, some are pending",
      {
        ...FAILED,
        state: "partial",
        outcome: "partial",
        messageIds: ["m-1"],
        refused: [BAD],
        pending: ["ann@h.example"],
      },
      {
        state: "partial",
        outcome: "partial",
        message_ids: ["m-1"],
        refused: [BAD],
        pending: ["ann@h.example"],
        error: "down",
        retryable: true,
        not_before: NOW + 2,
      },
      true,
    ],
    [
      "given up: a person may send it again",
      { ...FAILED, state: "given_up", notBefore: undefined, givenUp: ["ann@h.example"] },
      {
        state: "given_up",
        outcome: "failed",
        message_ids: [],
        error: "down",
        retryable: true,
        given_up: ["ann@h.example"],
        bundle: BUNDLE,
      },
      false,
    ],
  ];
  test.each(results)("closed: %s", async (_sentence, result, written, isOpen) => {
    const id = await opened();
    const bystander = await opened();
    const before = await entryRow(db, id);
    const other = await entryRow(db, bystander);
    await close(id, { ...DELIVERED, ...result });
    expect(await entryRow(db, id)).toEqual({
      ...before,
      content: result.shortened ?? before.content,
      status: isOpen ? "active" : "done",
      timestamp_modified: NOW + 2,
      data: { ...OPENED, finished_at: NOW + 2, ...(isOpen && { bundle: BUNDLE }), ...written },
    });
    expect(await entryRow(db, bystander)).toEqual(other);
  });

  test("an open one is read as it was written, until it is delivered", async () => {
    const alarm = "alarm_whole";
    const id = await opened({ alarm, own: ["@own"] });
    const read = {
      ...{ id, channel: "email", state: "unknown", to: ["@ops"], own: ["@own"], ...EVENTS },
      recipients: ["ann@h.example", "bob@h.example"],
      ...{ composedAt: NOW - 2, since: NOW, notBefore: NOW, attempts: 1, pending: [], refused: [] },
      ...{ messageIds: [], unknown: { count: 1, last: NOW }, error: "", ...TEXTS, bundle: BUNDLE },
    };
    expect(await openOne(alarm), "the engine died in the attempt").toEqual(read);
    await close(id, FAILED);
    const failed = { ...read, state: "failed", error: "down", notBefore: NOW + 2 };
    expect(await openOne(alarm)).toEqual({ ...failed, unknown: undefined });
    await close(id, DELIVERED);
    expect(await openNotifications(db, alarm)).toEqual([]);
  });

  test("another attempt is on record before it is made, and its result is added", async () => {
    const alarm = "alarm_again";
    const id = await opened({ alarm });
    const refused = [BAD];
    const partial = { ...FAILED, state: "partial", outcome: "partial", refused } as const;
    await close(id, { ...partial, messageIds: ["m-1"], pending: ["ann@h.example"] });
    const row = await openOne(alarm);
    await db.transaction((tx) => beginAttempt(tx, row, NOW + 300));
    // A crash here leaves this.
    const { data } = await entryRow(db, id);
    expect(data).toMatchObject({
      state: "sending",
      outcome: "partial",
      attempts: 2,
      attempted_at: NOW,
      retried_at: NOW + 300,
      retry: "unknown",
      pending: ["ann@h.example"],
      unknown_attempts: { count: 1, last: NOW + 300 },
    });
    expect(await openOne(alarm)).toEqual({
      ...row,
      state: "unknown",
      attempts: 2,
      notBefore: NOW + 300,
      unknown: { count: 1, last: NOW + 300 },
    });
    await close(id, { ...DELIVERED, messageIds: ["m-1", "m-2"] }, NOW + 301);
    const closed = (await entryRow(db, id)).data;
    expect(closed).toMatchObject({
      state: "delivered",
      outcome: "delivered",
      message_ids: ["m-1", "m-2"],
      attempts: 2,
      attempted_at: NOW,
      finished_at: NOW + 301,
    });
    for (const key of ["pending", "retry", "error", "retryable", "unknown_attempts", "not_before"])
      expect(closed).not.toHaveProperty(key);
  });

  test("another attempt at one that reached nobody has an unknown outcome, and ages from the earlier time", async () => {
    const alarm = "alarm_back";
    const id = await opened({ alarm }, NOW + 10_000);
    await close(id, FAILED, NOW + 10_001);
    const row = await openOne(alarm);
    await db.transaction((tx) => beginAttempt(tx, row, NOW));
    expect((await entryRow(db, id)).data).toMatchObject({ outcome: "unknown", attempted_at: NOW });
  });

  test("a new one replaces open ones, which say by which", async () => {
    const alarm = "alarm_replaced";
    const old = await opened({ alarm });
    await close(old, FAILED);
    const kept = await opened({ alarm }, NOW + 1);
    const id = await opened({ alarm, supersedes: [old] }, NOW + 300);
    const row = await entryRow(db, old);
    expect(row).toMatchObject({ status: "done", timestamp_modified: NOW + 300 });
    expect(row.data).toMatchObject({ state: "superseded", superseded_by: id, outcome: "failed" });
    expect(row.data).not.toHaveProperty("bundle");
    expect((await openNotifications(db, alarm)).map((each) => each.id)).toEqual([kept, id]);
  });

  test("after a step back of the clock those that it composed later or now end, unless some recipients got them", async () => {
    const alarm = "alarm_ahead";
    const ahead = [
      await opened({ alarm, composedAt: NOW + 7200 }),
      await opened({ alarm, composedAt: NOW }),
    ];
    const partial = await opened({ alarm, composedAt: NOW + 7200 });
    await close(partial, { ...FAILED, state: "partial", pending: ["bob@h.example"] });
    const before = await opened({ alarm, composedAt: NOW - 0.5 });
    await db.transaction((tx) => supersedeAhead(tx, NOW));
    const open = (await openNotifications(db, alarm)).map(({ id }) => id);
    expect(open.sort()).toEqual([partial, before].sort());
    const state = { state: "superseded", superseded_because: "the clock was set back" };
    for (const id of ahead) {
      const row = await entryRow(db, id);
      expect(row).toMatchObject({ status: "done", data: { ...state, outcome: "unknown" } });
      expect(row.data).not.toHaveProperty("bundle");
    }
  });

  test.each([
    ["one that was given up is tried again, for a day from now", "given_up", true],
    ["one that is open is tried at once", "failed", true],
    ["one that was delivered is not", "delivered", false],
  ] as const)("reopened: %s", async (_, state, isReopened) => {
    const alarm = `alarm_reopened_${state}`;
    const id = await opened({ alarm });
    await close(id, state === "delivered" ? DELIVERED : { ...FAILED, state, givenUp: ["x@h"] });
    const before = await entryRow(db, id);
    const later = NOW + 90_000;
    expect(await db.transaction((tx) => reopenNotification(tx, id, later))).toBe(isReopened);
    if (!isReopened) return expect(await entryRow(db, id)).toEqual(before);
    expect((await entryRow(db, id)).data).not.toHaveProperty("given_up");
    const read = { id, state: "queued", notBefore: later, since: later, bundle: BUNDLE };
    return expect(await openOne(alarm)).toMatchObject(read);
  });

  test("one that had reached some recipients is only sent to the others again", async () => {
    const alarm = "alarm_reopened_partial";
    const id = await opened({ alarm });
    const givenUp = ["bob@h.example"];
    await close(id, { ...FAILED, state: "given_up", outcome: "partial", givenUp });
    await db.transaction((tx) => reopenNotification(tx, id, NOW + 90_000));
    expect(await openOne(alarm)).toMatchObject({ id, state: "queued", pending: givenUp });
  });

  test("an id of no notification is not reopened", async () => {
    const id = await insertEntry(db, { kind: "event", data: { bundle: {} } });
    for (const each of [id, "nowhere", ""])
      expect(await db.transaction((tx) => reopenNotification(tx, each, NOW))).toBe(false);
  });

  const rows: readonly (readonly [string, object, object | undefined])[] = [
    [
      "of an earlier version, pending: on email, from its texts",
      {
        channel: "ses",
        attempted_at: NOW,
        attempts: 3,
        outcome: "partial",
        recipients: ["a@h", "b@h"],
        new_event_ids: ["e"],
        pending: ["b@h"],
        message_ids: ["m"],
        error: "busy",
      },
      {
        channel: "email",
        state: "partial",
        subject: "S",
        text: "T",
        attempts: 3,
        since: NOW,
        composedAt: NOW,
        notBefore: 0,
        pending: ["b@h"],
        messageIds: ["m"],
        newEventIds: ["e"],
        error: "busy",
        bundle: undefined,
      },
    ],
    [
      "of an earlier version, unknown: the next bundle names its events",
      { attempted_at: NOW, outcome: "unknown" },
      undefined,
    ],
    ["without a time", { pending: ["a@h"] }, undefined],
    ["with a text for a time", { attempted_at: "x", pending: ["a@h"] }, undefined],
    [
      "with odd values: each counts as none",
      {
        attempted_at: NOW,
        state: "lost",
        channel: 5,
        since: "x",
        not_before: "soon",
        attempts: "many",
        recipients: "a@h",
        refused: [5],
        unknown_attempts: 5,
        error: {},
        bundle: { fresh: 5 },
      },
      {
        state: "partial",
        channel: "email",
        since: NOW,
        notBefore: 0,
        attempts: 1,
        recipients: [],
        refused: [],
        unknown: undefined,
        error: "",
        bundle: undefined,
      },
    ],
    [
      "with a bundle of a later version: what is known of it is read",
      {
        attempted_at: NOW,
        state: "failed",
        not_before: 1,
        bundle: { ...BUNDLE, later: 1, fresh: [{ ...makeItem("a"), later: 1 }] },
      },
      { bundle: { ...BUNDLE, fresh: [makeItem("a")] } },
    ],
  ];
  test.each(rows)("a row is read: %s", async (sentence, data, expected) => {
    const alarm = `alarm_read: ${sentence}`;
    const texts = { title: "S", content: "T" };
    await insertEntry(db, { kind: "notification", ...texts, data: { alarm, ...data } });
    const found = await openNotifications(db, alarm);
    if (expected === undefined) expect(found).toEqual([]);
    else expect(found).toMatchObject([expected]);
  });

  test("those of an alarm are read, the oldest first, and a row beyond reading costs no other", async () => {
    const alarm = "alarm_order";
    const second = await opened({ alarm }, NOW + 2);
    await insertEntry(db, { kind: "notification", data: { alarm, pending: 5 }, created: NOW });
    await opened({ alarm: "alarm_other" }, NOW);
    const first = await opened({ alarm, channel: "chat" }, NOW + 1);
    await insertEntry(db, { kind: "event", data: { alarm, not_before: 1, attempted_at: NOW } });
    const found = await openNotifications(db, alarm);
    expect(found.map(({ id, channel }) => [id, channel])).toEqual([
      [first, "chat"],
      [second, "email"],
    ]);
  });

  test("what Postgres refuses does not lose the record of the attempt", async () => {
    const hostile = { subject: "a\0b\ud800", text: "c\0d\ud800", channel: "x\0" };
    expect(await entryRow(db, await opened(hostile))).toMatchObject({
      title: "a\uFFFDb\uFFFD",
      content: "c\uFFFDd\uFFFD",
      data: { channel: "x\uFFFD" },
    });
  });

  test("10,000 event ids and a text of a megabyte fit", async () => {
    const newEventIds = Array.from({ length: 10_000 }, (_, index) => `event-${index}`);
    const text = "漢".repeat(400_000);
    const row = await entryRow(db, await opened({ newEventIds, text }));
    expect(row.data).toMatchObject({ new_event_ids: newEventIds });
    expect(row.content).toBe(text);
  });

  test("a mail from the future neither resolves one that failed, nor is one of the last day", async () => {
    await db.query("DELETE FROM entry");
    const mail = async (at: number, result: NotificationResult) =>
      await close(await opened({}, at), result, at);
    await mail(NOW - 3600, FAILED);
    await mail(NOW + 400, DELIVERED);
    await mail(NOW + 500, FAILED);
    expect(await failedNotifications(db, NOW)).toMatchObject([
      { attemptedAt: NOW - 3600, resolved: false },
    ]);
  });

  test("a failed mail that may have been sent is not called undelivered", async () => {
    const id = await opened({}, NOW + 1_000);
    const unknown = { count: 1, last: NOW + 1_000 };
    await close(id, { ...FAILED, state: "unknown", unknown, error: "no response" }, NOW + 1_001);
    const [newest] = await failedNotifications(db, NOW + 2_000);
    expect(newest).toMatchObject({ outcome: "unknown", error: "no response" });
  });
});
