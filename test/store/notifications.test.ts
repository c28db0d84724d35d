import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "../../src/store/database.ts";
import { failedMails } from "../../src/store/failed_mails.ts";
import { migrate } from "../../src/store/migrate.ts";
import {
  closeNotification,
  type NewNotification,
  type NotificationResult,
  openNotification,
} from "../../src/store/notifications.ts";
import { DATABASES } from "../support/databases.ts";
import { entryRow } from "../support/raw_entries.ts";

const NOW = 1_790_000_000.5;
const ATTEMPT: NewNotification = {
  alarm: "alarm_x",
  runId: "run",
  channel: "ses",
  subject: "[alarm_x] 2 detection(s), 1 new, 1 continuing",
  text: "one\ntwo",
  recipients: ["a@h.example", "b@h.example"],
  newEventIds: ["event-1"],
  continuingEventIds: ["event-2"],
  clearedEventIds: ["event-3"],
};
const OPENED = {
  entry_id: "notification_alarm_x",
  alarm: "alarm_x",
  run_id: "run",
  channel: "ses",
  attempted_at: NOW,
  recipients: ["a@h.example", "b@h.example"],
  new_event_ids: ["event-1"],
  continuing_event_ids: ["event-2"],
  cleared_event_ids: ["event-3"],
  attempts: 1,
};

const NOTHING_MORE = {
  messageIds: [],
  refused: [],
  pending: [],
  error: undefined,
  retryable: undefined,
  shortened: undefined,
};

describe.each(DATABASES)("notifications on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  afterAll(() => db.close());

  test("opened, the attempt is on record with an unknown outcome", async () => {
    const id = await db.transaction((tx) => openNotification(tx, ATTEMPT, NOW));
    expect(await entryRow(db, id)).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      title: ATTEMPT.subject,
      content: "one\ntwo",
      kind: "notification",
      name: null,
      data: { ...OPENED, outcome: "unknown" },
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

  const results: readonly (readonly [string, NotificationResult, object])[] = [
    [
      "delivered",
      { ...NOTHING_MORE, outcome: "delivered", messageIds: ["m-1", "m-2"] },
      { outcome: "delivered", message_ids: ["m-1", "m-2"] },
    ],
    [
      "failed, another attempt may help",
      { ...NOTHING_MORE, outcome: "failed", error: `SES: "no"\0`, retryable: true },
      { outcome: "failed", message_ids: [], error: `SES: "no"\uFFFD`, retryable: true },
    ],
    [
      "failed without an answer, in the short form",
      {
        ...NOTHING_MORE,
        outcome: "failed",
        error: "x",
        unknown: { count: 1, last: NOW },
        shortened: "one\ntwo",
      },
      {
        outcome: "failed",
        message_ids: [],
        error: "x",
        may_have_been_sent: true,
        unknown_attempts: { count: 1, last: NOW },
        shortened: true,
      },
    ],
    [
      "in part: some are refused, some wait",
      {
        ...NOTHING_MORE,
        outcome: "partial",
        messageIds: ["m-1"],
        refused: [{ address: "a@h.example", reason: "no" }],
        pending: ["b@h.example"],
        error: "rejected",
        retryable: false,
      },
      {
        outcome: "partial",
        message_ids: ["m-1"],
        refused: [{ address: "a@h.example", reason: "no" }],
        pending: ["b@h.example"],
        error: "rejected",
        retryable: false,
      },
    ],
  ];
  test.each(results)("closed: %s", async (_sentence, result, written) => {
    const id = await db.transaction((tx) => openNotification(tx, ATTEMPT, NOW));
    const bystander = await db.transaction((tx) => openNotification(tx, ATTEMPT, NOW));
    const before = await entryRow(db, id);
    const other = await entryRow(db, bystander);
    await db.transaction((tx) => closeNotification(tx, id, result, NOW + 2));
    expect(await entryRow(db, id)).toEqual({
      ...before,
      status: "done",
      timestamp_modified: NOW + 2,
      data: { ...OPENED, finished_at: NOW + 2, ...written },
    });
    expect(await entryRow(db, bystander)).toEqual(other);
  });

  test("what Postgres refuses does not lose the record of the attempt", async () => {
    const hostile = { ...ATTEMPT, subject: "a\0b\ud800", text: "c\0d\ud800", channel: "x\0" };
    const id = await db.transaction((tx) => openNotification(tx, hostile, NOW));
    expect(await entryRow(db, id)).toMatchObject({
      title: "a\uFFFDb\uFFFD",
      content: "c\uFFFDd\uFFFD",
      data: { channel: "x\uFFFD" },
    });
  });

  test("10,000 event ids and a text of a megabyte fit", async () => {
    const newEventIds = Array.from({ length: 10_000 }, (_, index) => `event-${index}`);
    const text = "漢".repeat(400_000);
    const id = await db.transaction((tx) =>
      openNotification(tx, { ...ATTEMPT, newEventIds, text }, NOW),
    );
    const row = await entryRow(db, id);
    expect(row.data).toMatchObject({ new_event_ids: newEventIds });
    expect(row.content).toBe(text);
  });

  test("a mail from the future neither resolves one that failed, nor is one of the last day", async () => {
    await db.query("DELETE FROM entry");
    const result = { messageIds: [], refused: [], pending: [], error: "no", retryable: false };
    const mail = async (at: number, outcome: "delivered" | "failed") => {
      const id = await db.transaction((tx) => openNotification(tx, ATTEMPT, at));
      await db.transaction((tx) => closeNotification(tx, id, { ...result, outcome }, at));
    };
    await mail(NOW - 3600, "failed");
    await mail(NOW + 400, "delivered");
    await mail(NOW + 500, "failed");
    expect(await failedMails(db, NOW)).toMatchObject([
      { attemptedAt: NOW - 3600, resolved: false },
    ]);
  });

  test("a failed mail that may have been sent is not called undelivered", async () => {
    const id = await db.transaction((tx) => openNotification(tx, ATTEMPT, NOW + 1_000));
    const failed = { outcome: "failed", messageIds: [], refused: [], pending: [] } as const;
    const unknown = { count: 1, last: NOW + 1_000 };
    const result = { ...failed, unknown, error: "no response", retryable: true };
    await db.transaction((tx) => closeNotification(tx, id, result, NOW + 1_001));
    const [newest] = await failedMails(db, NOW + 2_000);
    expect(newest).toMatchObject({ outcome: "unknown", error: "no response" });
  });
});
