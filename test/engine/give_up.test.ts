import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { giveUp } from "../../src/engine/give_up.ts";
import type { Database } from "../../src/store/database.ts";
import { openInMemory } from "../../src/store/embedded/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openNotification } from "../../src/store/notifications.ts";
import { openNotifications } from "../../src/store/unsent.ts";
import { makeNew } from "../support/notifications.ts";
import { entryRow, insertEntry, only } from "../support/raw_entries.ts";

const NOW = 1_790_000_000;

describe("a notification that is given up", () => {
  let db: Database;
  beforeAll(async () => {
    db = await openInMemory();
    await migrate(db);
  });
  afterAll(() => db.close());

  test.each([
    ["waited for 24 hours", false],
    ["the alarm no longer uses the channel", false],
    // Others get it in the next one.
    ["no longer recipients of the alarm", true],
  ])("because: %s; do its clears stay unsent? %s", async (reason, isUnsent) => {
    const data = { entry_id: "event_x", clear_time: 5, swf: { unsent: ["email"] } };
    const event = await insertEntry(db, { kind: "event", data });
    const alarm = `alarm_${reason}`;
    const given = makeNew({ alarm, clearedEventIds: [event] });
    await db.transaction((tx) => openNotification(tx, given, NOW));
    const row = only(await openNotifications(db, alarm));
    await db.transaction((tx) => giveUp(tx, row, reason, NOW + 5));
    expect((await entryRow(db, given.id)).data).toMatchObject({
      state: "given_up",
      outcome: "failed",
      given_up: given.recipients,
      error: expect.stringContaining(`gave up, ${reason}: `),
      finished_at: NOW + 5,
    });
    expect(await openNotifications(db, alarm)).toEqual([]);
    const { swf } = Object((await entryRow(db, event)).data);
    expect(swf).toEqual(isUnsent ? { unsent: ["email"] } : {});
  });
});
