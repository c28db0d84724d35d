import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { DATABASES } from "../support/databases.ts";
import { insertEntry, type RawEntry } from "../support/raw_entries.ts";

/** Promise 1, held by the database itself: these statements are not the engine's. */
describe.each(DATABASES)("one active event per alarm and entity on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  afterAll(() => db.close());

  const firing = (key: string, more: object = {}) => ({
    entry_id: "event_a",
    dedupe_key: key,
    clear_time: null,
    ...more,
  });
  const event = (data: unknown, rest: Partial<RawEntry> = {}) =>
    insertEntry(db, { kind: "event", data, ...rest });

  const refused: readonly (readonly [string, object])[] = [
    ["a second active one", firing("refused")],
    [
      "one without clear_time, which is active as well",
      { entry_id: "event_a", dedupe_key: "refused" },
    ],
    ["one of another subject and time", firing("refused", { subject: "other", fire_time: 5 })],
  ];
  test.each(refused)("refused beside an active one: %s", async (_sentence, second) => {
    await event(firing("refused")).catch(() => {});
    await expect(event(second)).rejects.toThrow("swf_alarms_one_active_event");
  });

  const allowed: readonly (readonly [string, unknown, Partial<RawEntry>])[] = [
    ["one of another alarm", firing("allowed", { entry_id: "event_b" }), {}],
    ["one of another entity", firing("allowed too"), {}],
    ["an entity that differs by case", firing("Allowed"), {}],
    ["one that has ended", firing("allowed", { clear_time: 5 }), {}],
    ["an archived one", firing("allowed"), { archived: true }],
    ["a deleted one", firing("allowed"), { deletedAt: 5 }],
    ["one in another context", firing("allowed"), { context: "teams" }],
    ["a row of another kind", firing("allowed"), { kind: "ping" }],
    ["a row without data", null, {}],
    ["a second row without data", null, {}],
    ["one without a key", { entry_id: "event_a", clear_time: null }, {}],
    ["a second one without a key", { entry_id: "event_a", clear_time: null }, {}],
  ];
  test.each(allowed)("allowed beside an active one: %s", async (_sentence, second, rest) => {
    await event(firing("allowed")).catch(() => {});
    await event(second, rest);
  });

  test("an entity fires again and again, each time as a new row, once the one before has ended", async () => {
    for (let time = 1; time <= 5; time++) {
      await event(firing("recurring", { fire_time: time }));
      await expect(event(firing("recurring"))).rejects.toThrow("swf_alarms_one_active_event");
      await db.query(
        `UPDATE entry SET data = data || '{"clear_time": 9}' WHERE data->>'dedupe_key' = 'recurring'`,
      );
    }
    const rows = await db.query("SELECT id FROM entry WHERE data->>'dedupe_key' = 'recurring'");
    expect(rows).toHaveLength(5);
  });

  test("an ended event cannot become active beside a newer one", async () => {
    const old = await event(firing("revived", { clear_time: 5 }));
    await event(firing("revived"));
    await expect(
      db.query(`UPDATE entry SET data = data - 'clear_time' WHERE id = $1`, [old]),
    ).rejects.toThrow("swf_alarms_one_active_event");
  });

  test("keys far longer than an index entry are told apart by their last character", async () => {
    // Random, so that compression does not make it fit.
    const long = randomBytes(50_000).toString("base64");
    await event(firing(`${long}1`));
    await event(firing(`${long}2`));
    await expect(event(firing(`${long}1`))).rejects.toThrow("swf_alarms_one_active_event");
  });
});
