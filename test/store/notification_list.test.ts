import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { channelRecords } from "../../src/store/channel_records.ts";
import type { Database } from "../../src/store/database.ts";
import { findEvents } from "../../src/store/event_list.ts";
import { failedNotifications } from "../../src/store/failed_notifications.ts";
import { migrate } from "../../src/store/migrate.ts";
import { findNotifications, listNotifications } from "../../src/store/notification_list.ts";
import {
  closeNotification,
  type NewNotification,
  type NotificationResult,
  openNotification,
  reopenNotification,
} from "../../src/store/notifications.ts";
import { openNotifications } from "../../src/store/unsent.ts";
import { DATABASES } from "../support/databases.ts";
import { DELIVERED, makeNew } from "../support/notifications.ts";
import { insertEntry } from "../support/raw_entries.ts";

const NOW = 1_795_654_800;
const DAY = 86_400;
const FAILED: NotificationResult = {
  ...DELIVERED,
  state: "failed",
  outcome: "failed",
  error: "down",
  notBefore: NOW,
};
const GIVEN_UP: NotificationResult = { ...FAILED, state: "given_up", notBefore: undefined };
const ALL = { alarm: undefined, events: undefined, states: undefined, limit: 0 };

describe.each(DATABASES)("notifications for people on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  beforeEach(() => db.query("DELETE FROM entry"));
  afterAll(() => db.close());

  const made = async (
    result: NotificationResult,
    at: number,
    more: Partial<NewNotification> = {},
    closedAt = at,
  ): Promise<string> => {
    const notification = makeNew(more);
    await db.transaction((tx) => openNotification(tx, notification, at));
    await db.transaction((tx) => closeNotification(tx, notification.id, result, closedAt));
    return notification.id;
  };

  test("rows of earlier versions have the state that their outcome means, and are mails", async () => {
    for (const [created, data] of [
      [1, { outcome: "delivered" }],
      [2, { outcome: "interrupted" }],
      [3, { outcome: "failed", may_have_been_sent: true }],
      [4, { outcome: "partial", pending: ["a@h.example"] }],
      [5, {}],
    ] as const)
      await insertEntry(db, {
        kind: "notification",
        created,
        data: { alarm: "alarm_x", channel: "ses", recipients: ["a@h.example"], ...data },
      });
    const listed = await listNotifications(db, ALL);
    expect(listed.map(({ state }) => state)).toEqual([
      "unknown",
      "partial",
      "unknown",
      "unknown",
      "delivered",
    ]);
    expect(listed[0]).toMatchObject({ channel: "email", alarm: "x", to: ["a@h.example"] });
    expect(await listNotifications(db, { ...ALL, states: ["partial"] })).toHaveLength(1);
  });

  test("an id may be shortened; two that begin alike are both found", async () => {
    const ids = ["aaaaaaaa-1111-4000-8000-000000000000", "aaaaaaaa-2222-4000-8000-000000000000"];
    for (const id of ids) await made(DELIVERED, NOW, { id });
    expect(await findNotifications(db, "aaaaaaaa")).toHaveLength(2);
    expect(await findNotifications(db, "aaaaaaaa-2")).toMatchObject([{ id: ids[1] }]);
    expect(await findNotifications(db, "bbbbbbbb")).toEqual([]);
  });

  test("an event is found by its id before a key that reads like one", async () => {
    const event = (key: string) =>
      insertEntry(db, { kind: "event", data: { entry_id: "event_x", dedupe_key: key } });
    const id = await event("k");
    const other = await event(id.slice(0, 8));
    expect(await findEvents(db, id.slice(0, 8), ["x"])).toEqual([{ id, alarm: "x" }]);
    expect(await findEvents(db, "k", ["y"])).toEqual([]);
    await db.query("DELETE FROM entry WHERE id = $1", [id]);
    expect(await findEvents(db, id.slice(0, 8), ["x"])).toEqual([{ id: other, alarm: "x" }]);
  });

  test("retried, one that had reached some of its recipients goes to the others alone", async () => {
    const some = { outcome: "partial", givenUp: ["bob@h.example"] } as const;
    const partly = await made({ ...GIVEN_UP, ...some }, NOW - DAY);
    const whole = await made(GIVEN_UP, NOW - DAY);
    for (const id of [partly, whole])
      expect(await db.transaction((tx) => reopenNotification(tx, id, NOW))).toBe(true);
    const open = await openNotifications(db, "alarm_x");
    const pending = Object.fromEntries(open.map((row) => [row.id, row.pending]));
    expect(pending).toEqual({ [partly]: ["bob@h.example"], [whole]: [] });
    expect(open).toMatchObject([{ since: NOW }, { state: "queued", notBefore: NOW }]);
    const sent = await made(DELIVERED, NOW);
    expect(await db.transaction((tx) => reopenNotification(tx, sent, NOW))).toBe(false);
  });

  test("the status counts each channel alone, and what was given up in the last day; no test, and nothing replaced", async () => {
    const gaveUp = await made(GIVEN_UP, NOW - 2 * DAY, {}, NOW - DAY / 2);
    await made(GIVEN_UP, NOW - 3 * DAY, {}, NOW - 2 * DAY);
    const mail = await made(FAILED, NOW - 600);
    const chat = await made(FAILED, NOW - 600, { channel: "chat" });
    const { bundle } = makeNew();
    await made(FAILED, NOW - 500, { bundle: { ...bundle, isTest: true } });
    const old = await made(FAILED, NOW - 900, { channel: "chat" });
    const failed = async () => {
      const found = await failedNotifications(db, NOW);
      return new Map(found.map(({ id, resolved }) => [id, resolved]));
    };
    expect(await failed()).toEqual(
      new Map([
        [mail, false],
        [chat, false],
        [old, false],
        [gaveUp, false],
      ]),
    );
    await made(DELIVERED, NOW - 300, { supersedes: [old] });
    expect(await failed()).toEqual(
      new Map([
        [mail, true],
        [chat, false],
        [gaveUp, true],
      ]),
    );
  });

  test("the last delivery and the last error of each channel", async () => {
    await made(DELIVERED, NOW - 900, { channel: "chat" }, NOW - 899);
    await made(FAILED, NOW - 600, { channel: "chat" }, NOW - 590);
    await made(DELIVERED, NOW - 300);
    const [chat, email, other] = ["chat", "email", "other"];
    expect(await channelRecords(db, [chat, email, other])).toEqual(
      new Map([
        [chat, { deliveredAt: NOW - 899, failedAt: NOW - 590, error: "down" }],
        [email, { deliveredAt: NOW - 300, failedAt: undefined, error: undefined }],
        [other, { deliveredAt: undefined, failedAt: undefined, error: undefined }],
      ]),
    );
  });
});
