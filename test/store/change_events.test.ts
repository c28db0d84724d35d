import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LevelChange } from "../../src/core/level.ts";
import { NO_NOTICES } from "../../src/core/news.ts";
import type { Database, Row, Transaction } from "../../src/store/database.ts";
import { changeEvents } from "../../src/store/event_changes.ts";
import { clearEvents, holdEvents, touchEvents } from "../../src/store/events.ts";
import { migrate } from "../../src/store/migrate.ts";
import { stampNotified } from "../../src/store/stamps.ts";
import { isJsonObject } from "../../src/text/json.ts";
import { DATABASES } from "../support/databases.ts";
import { activeList, openDetected } from "../support/open_events.ts";
import { entryRows, insertEntry, type RawEntry } from "../support/raw_entries.ts";

const FIRED = 1_790_000_000;
const LATER = 1_790_000_300.125;
const ROSE: LevelChange = {
  level: { severity: "error", stage: undefined },
  peak: { severity: "error", stage: undefined },
  news: "severity",
  reason: "severity rose: none → error",
};
const STAMP = { channel: "chat", composedAt: LATER - 1, to: ["room"], cleared: [] };

/**
 * The ways in which an event changes after it was made, with the keys that each may write, and those that it may write
 * in `swf`.
 */
type Change = (tx: Transaction, ids: readonly string[], now: number) => Promise<unknown>;
const CHANGES: readonly (readonly [string, Change, object, object])[] = [
  ["touchEvents", touchEvents, { last_seen: LATER }, {}],
  ["holdEvents", holdEvents, { clear_held_at: LATER }, {}],
  [
    "clearEvents",
    (tx, ids, now) => clearEvents(tx, clears(ids, "recovered"), ["chat"], now),
    { clear_time: LATER, clear_reason: "recovered" },
    { news: "cleared", news_at: LATER, unsent: ["chat"] },
  ],
  [
    "changeEvents",
    (tx, ids, now) =>
      changeEvents(
        tx,
        ids.map((id) => ({ id, level: ROSE, notices: { ...NO_NOTICES, newsAt: LATER } })),
        now,
      ),
    { severity: "error" },
    {
      peak: { severity: "error" },
      fired: { severity: null, stage: null },
      news: "severity",
      news_at: LATER,
      notified: {},
    },
  ],
  [
    "stampNotified",
    (tx, ids, now) => stampNotified(tx, { ...STAMP, firing: ids }, now),
    { last_notified: STAMP.composedAt },
    { notified: { chat: STAMP.composedAt }, to: { chat: ["room"] } },
  ],
];

function clears(ids: readonly string[], reason: string) {
  return ids.map((id) => ({ id, reason }));
}

describe.each(DATABASES)("changing events on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  afterAll(() => db.close());

  /** The events of an alarm of its own, as ours and as the Python engine's look. */
  const makeEvents = async (alarm: string): Promise<readonly string[]> => {
    const facts = {
      alarm: { id: randomUUID(), name: alarm, description: "D" },
      recipientsOf: () => ["a@host.example"],
      fireTime: FIRED,
    };
    const ours = ["task:1", "task:2"].map((dedupeKey) => ({
      id: randomUUID(),
      detection: {
        dedupeKey,
        subject: `s'"\\ ${dedupeKey}`,
        body: "b\n😀",
        data: { site: "BNL" },
        recipients: ["@own"],
      },
    }));
    await openDetected(db, ours, facts);
    const python = (data: object) =>
      insertEntry(db, {
        kind: "event",
        content: "x",
        created: FIRED,
        data: { entry_id: `event_${alarm}`, ...data },
      });
    return [
      ...ours.map(({ id }) => id),
      await python({ dedupe_key: "task:3", clear_time: null, recipients: "a@host.example, @t" }),
      await python({ dedupe_key: "task:4", fire_time: "yesterday" }),
      await python({
        dedupe_key: "task:5",
        clear_time: null,
        last_notified: "5",
        last_seen: 6,
        swf: 7,
      }),
      await python({ clear_time: null }),
    ];
  };

  describe.each(CHANGES)("%s", (name, change, written, swf) => {
    test("writes its own keys and the time of the change on the rows named, and nothing else anywhere", async () => {
      const ids = await makeEvents(name);
      const all = [...ids, ...(await makeEvents(`${name}_bystander`))];
      const before = await entryRows(db, all);

      await db.transaction((tx) => change(tx, ids, LATER));

      const expected = new Map(
        [...before].map(([id, row]) => [id, changed(row, ids, written, swf)]),
      );
      expect(await entryRows(db, all)).toEqual(expected);
    });

    test("repeated, it writes the same again", async () => {
      const ids = await makeEvents(`${name}_repeated`);
      await db.transaction((tx) => change(tx, ids, LATER));
      const before = await entryRows(db, ids);
      await db.transaction((tx) => change(tx, ids, LATER));
      expect(await entryRows(db, ids)).toEqual(before);
    });

    test("no ids and unknown ids are not errors", async () => {
      await db.transaction((tx) => change(tx, [], LATER));
      const ids = [randomUUID(), "'; DROP TABLE entry; --", ""];
      await db.transaction((tx) => change(tx, ids, LATER));
    });

    test("12,000 events take a handful of statements", async () => {
      const count = 12_000;
      await db.query(
        `INSERT INTO entry (id, title, content, kind, data, archived, timestamp_created, timestamp_modified, context_id)
         SELECT gen_random_uuid()::text, 't', '', 'event',
                jsonb_build_object('entry_id', $1::text, 'dedupe_key', n::text, 'clear_time', NULL), false, $2::float8, $2, 'swf-alarms'
         FROM generate_series(1, $3::int) AS n`,
        [`event_${name}_many`, FIRED, count],
      );
      const ids = (await activeList(db, `${name}_many`)).map(({ id }) => id);
      expect(ids).toHaveLength(count);
      let statements = 0;
      const counting: Transaction = {
        query: (sql, params) => {
          statements++;
          return db.query(sql, params);
        },
        isTransaction: true,
      };
      await change(counting, ids, LATER);
      expect(statements).toBeLessThan(10);
      const rows = await db.query(
        "SELECT 1 AS one FROM entry WHERE data->>'entry_id' = $1 AND data @> $2::text::jsonb AND timestamp_modified = $3",
        [
          `event_${name}_many`,
          JSON.stringify({ ...written, ...(Object.keys(swf).length > 0 && { swf }) }),
          LATER,
        ],
      );
      expect(rows).toHaveLength(count);
    });
  });

  test("clearEvents leaves events that have already cleared unchanged", async () => {
    const ids = await makeEvents("twice");
    await db.transaction((tx) => clearEvents(tx, clears(ids.slice(0, 2), "r"), [], LATER));
    const before = await entryRows(db, ids.slice(0, 2));
    await db.transaction((tx) => clearEvents(tx, clears(ids, "other"), ["email"], LATER + 1));
    expect(await entryRows(db, ids.slice(0, 2))).toEqual(before);
  });

  const inactive: readonly (readonly [string, object, Partial<RawEntry>])[] = [
    ["one that has ended", { clear_time: 7, clear_reason: "before" }, {}],
    ["an archived one", { clear_time: null }, { archived: true }],
    ["a deleted one", { clear_time: null }, { deletedAt: 7 }],
    ["one in another context", { clear_time: null }, { context: "teams" }],
    ["a row of another kind", { clear_time: null }, { kind: "alarm" }],
  ];
  test.each(inactive)("neither touched, changed nor cleared: %s", async (sentence, data, rest) => {
    const id = await insertEntry(db, {
      kind: "event",
      data: { entry_id: "event_inactive", dedupe_key: sentence, ...data },
      ...rest,
    });
    const before = await entryRows(db, [id]);
    await db.transaction((tx) => touchEvents(tx, [id], LATER));
    const change = { id, level: ROSE, notices: NO_NOTICES };
    await db.transaction((tx) => changeEvents(tx, [change], LATER));
    await db.transaction((tx) => clearEvents(tx, clears([id], "r"), [], LATER));
    expect(await entryRows(db, [id])).toEqual(before);
  });

  test("an event that cleared while its mail was on the way is stamped all the same, and stays cleared", async () => {
    const [id = ""] = await makeEvents("late");
    await db.transaction((tx) => clearEvents(tx, clears([id], "gone"), ["chat"], LATER));
    await db.transaction((tx) => stampNotified(tx, { ...STAMP, firing: [id] }, LATER + 1));
    expect((await entryRows(db, [id])).get(id)?.data).toMatchObject({
      clear_time: LATER,
      clear_reason: "gone",
      last_notified: STAMP.composedAt,
    });
  });
});

/** The row as it must be afterwards: the written keys in its data, where it was named. */
function changed(row: Row, ids: readonly string[], written: object, swf: object): Row {
  if (!ids.includes(String(row.id))) return row;
  if (!isJsonObject(row.data)) throw new Error("an event of this test has no data");
  const before = isJsonObject(row.data.swf) ? row.data.swf : {};
  const after = Object.keys(swf).length > 0 ? { swf: { ...before, ...swf } } : {};
  return { ...row, timestamp_modified: LATER, data: { ...row.data, ...written, ...after } };
}
