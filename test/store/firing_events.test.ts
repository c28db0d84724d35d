import { expect, test } from "vitest";
import { activeEvents } from "../../src/store/events.ts";
import { firingEvents } from "../../src/store/firing_events.ts";
import { migrate } from "../../src/store/migrate.ts";
import { CountingDatabase } from "../support/counting_database.ts";
import { DATABASES } from "../support/databases.ts";
import { insertEntry } from "../support/raw_entries.ts";

test.each(DATABASES)(
  "on $kind an alarm's active events have the data that their detections gave, and nothing of the engine",
  async ({ open }) => {
    const db = await open();
    try {
      await migrate(db);
      const event = (key: string, data: object) =>
        insertEntry(db, {
          kind: "event",
          data: { entry_id: "event_x", dedupe_key: key, fire_time: 5, clear_time: null, ...data },
        });
      await event("task:1", {
        severity: "error",
        stage: "late",
        metric: "40.0%",
        detection_subject: "of its own",
        swf: { news: "fired" },
        last_notified: 5,
        recipients: ["a@example.org"],
        clear_held_at: 6,
      });
      await event("task:2", {});
      await event("over", { clear_time: 9 });
      await event("of another", { entry_id: "event_y" });
      const active = await activeEvents(db, "x");
      const found = [...(await firingEvents(db, active))];
      const none = { severity: undefined, stage: undefined, data: {} };
      expect(found.toSorted((a, b) => (a.dedupeKey < b.dedupeKey ? -1 : 1))).toEqual([
        {
          dedupeKey: "task:1",
          since: 5,
          severity: "error",
          stage: "late",
          data: { metric: "40.0%", subject: "of its own" },
        },
        { dedupeKey: "task:2", since: 5, ...none },
      ]);
      await event("task:3", { metric: "x".repeat(2_000) });
      await expect(firingEvents(db, await activeEvents(db, "x"), 2_048)).rejects.toThrow(
        "the data of the 3 active events is over 0.001953125 MiB; use client.firing, or yield less data",
      );
    } finally {
      await db.close();
    }
  },
);

test("an alarm without events asks the database nothing", async () => {
  const [{ open } = { open: () => Promise.reject(new Error("no database")) }] = DATABASES;
  const db = new CountingDatabase(await open());
  try {
    expect(await firingEvents(db, new Map())).toEqual([]);
    expect(db.take()).toEqual([]);
  } finally {
    await db.close();
  }
});
