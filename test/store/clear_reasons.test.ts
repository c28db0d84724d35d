import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RECOVERED } from "../../src/core/reconcile.ts";
import type { Database, Transaction } from "../../src/store/database.ts";
import { clearEvents } from "../../src/store/events.ts";
import { migrate } from "../../src/store/migrate.ts";
import { DATABASES } from "../support/databases.ts";
import { activeList } from "../support/open_events.ts";
import { entryRow, insertEntry } from "../support/raw_entries.ts";

const LATER = 1_790_000_300.125;

describe.each(DATABASES)("why events cleared, on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  afterAll(() => db.close());

  const insertEvent = (data: object = {}) =>
    insertEntry(db, { kind: "event", data: { entry_id: "event_a", clear_time: null, ...data } });
  const reasonOf = async (id: string) => {
    const { data } = await entryRow(db, id);
    return data;
  };

  test.each([
    ["nothing detects it any more", RECOVERED],
    ["the module's own words", "late by 120 s"],
    ["quotes and other scripts", `'; -- "x" \\ $1 漢😀`],
    ["an empty text", ""],
    ["the text of a null", "null"],
    ["the name of a property of every object", "__proto__"],
  ])("its reason is kept as it is: %s", async (_, reason) => {
    const id = await insertEvent();
    await db.transaction((tx) => clearEvents(tx, [{ id, reason }], ["chat"], LATER));
    expect(await reasonOf(id)).toEqual({
      entry_id: "event_a",
      clear_time: LATER,
      clear_reason: reason,
      swf: { news: "cleared", news_at: LATER, unsent: ["chat"] },
    });
  });

  test("what Postgres cannot hold is replaced", async () => {
    const id = await insertEvent();
    const clear = { id, reason: "a\0b\ud800" };
    await db.transaction((tx) => clearEvents(tx, [clear], [], LATER));
    expect(await reasonOf(id)).toMatchObject({ clear_reason: "a\uFFFDb\uFFFD" });
  });

  test("an id that is not an event's has no reason of another one", async () => {
    const [first, second] = [await insertEvent(), await insertEvent()];
    const clears = [
      { id: "nowhere", reason: "elsewhere" },
      { id: first, reason: "stated" },
    ];
    await db.transaction((tx) => clearEvents(tx, clears, [], LATER));
    expect(await reasonOf(first)).toMatchObject({ clear_reason: "stated" });
    expect(await reasonOf(second)).not.toHaveProperty("clear_reason");
  });

  test.each([
    [
      "levels, reminders and an acknowledgement stay",
      {
        severity: "error",
        stage: "s",
        swf: { peak: { severity: "error" }, reminders: { chat: 2 }, ack: { at: 5 }, first_seen: 3 },
      },
    ],
    ["a row of an earlier version", { last_notified: 5, swf: { reminders: 2 } }],
  ])("what it had is on record: %s", async (_, data) => {
    const id = await insertEvent(data);
    await db.transaction((tx) => clearEvents(tx, [{ id, reason: "r" }], [], LATER));
    expect(await reasonOf(id)).toEqual({
      entry_id: "event_a",
      ...data,
      clear_time: LATER,
      clear_reason: "r",
      swf: { ...data.swf, news: "cleared", news_at: LATER },
    });
  });

  test("20,000 events with reasons of their own take one statement, and 20,001 take two", async () => {
    await db.query(
      `INSERT INTO entry (id, title, content, kind, data, archived, timestamp_created, timestamp_modified, context_id)
       SELECT gen_random_uuid()::text, 't', '', 'event',
              jsonb_build_object('entry_id', 'event_many', 'dedupe_key', n::text, 'clear_time', NULL), false, 1, 1, 'swf-alarms'
       FROM generate_series(1, 20001) AS n`,
    );
    const clears = (await activeList(db, "many")).map(({ id, dedupeKey }, n) => {
      return { id, reason: n % 2 === 0 ? `late by ${dedupeKey} s` : RECOVERED };
    });
    let statements = 0;
    const nothing: Transaction = {
      query: async () => {
        statements++;
        return [];
      },
      isTransaction: true,
    };
    await clearEvents(nothing, clears.slice(1), [], LATER);
    expect(statements).toBe(1);
    await clearEvents(nothing, clears, [], LATER);
    expect(statements).toBe(3);
    await db.transaction((tx) => clearEvents(tx, clears, [], LATER));
    const rows = await db.query(
      `SELECT data->>'clear_reason' = 'late by ' || (data->>'dedupe_key') || ' s' AS "isOwn", count(*)::int AS count
       FROM entry WHERE data->>'entry_id' = 'event_many' AND data->>'clear_reason' IN ('${RECOVERED}', 'late by ' || (data->>'dedupe_key') || ' s')
       GROUP BY 1 ORDER BY 1`,
    );
    expect(rows).toEqual([
      { isOwn: false, count: 10_000 },
      { isOwn: true, count: 10_001 },
    ]);
  });
});
