import { expect, test } from "vitest";
import { eventCounts } from "../../src/store/event_list.ts";
import { DATABASES } from "../support/databases.ts";
import { insertAlarm, insertEntry, only, readEntries } from "../support/rows.ts";
import { engineAt } from "./engine_at.ts";

const { open } = only(DATABASES.slice(0, 1));
const NO_KEY = "no dedupe_key, so that nothing mails or clears them";
const NO_TIME = "a fire_time that is not a time in epoch seconds, or in the future";
/** As `engineAt` begins. */
const NOW = 1_800_000_000;

/** What another program wrote into an active event, the fault that is reported, and whether a mail can name it. */
const ROWS: readonly (readonly [string, object, string | undefined, boolean])[] = [
  ["no dedupe_key", { fire_time: NOW - 60 }, NO_KEY, false],
  ["a null one", { fire_time: NOW - 60, dedupe_key: null }, NO_KEY, false],
  ["milliseconds", { fire_time: NOW * 1000, dedupe_key: "a" }, NO_TIME, true],
  ["microseconds", { fire_time: NOW * 1e6, dedupe_key: "a" }, NO_TIME, true],
  ["tomorrow", { fire_time: NOW + 86_400, dedupe_key: "a" }, NO_TIME, true],
  ["a text", { fire_time: "2026-11-26T10:00:00Z", dedupe_key: "a" }, NO_TIME, true],
  ["digits in a text", { fire_time: String(NOW), dedupe_key: "a" }, NO_TIME, true],
  ["an object", { fire_time: {}, dedupe_key: "a" }, NO_TIME, true],
  ["zero", { fire_time: 0, dedupe_key: "a" }, NO_TIME, true],
  [
    "other times in milliseconds",
    { fire_time: NOW - 60, last_seen: NOW * 1000, clear_held_at: NOW * 1000, dedupe_key: "a" },
    undefined,
    true,
  ],
  [
    "times that are texts",
    { fire_time: NOW - 60, last_seen: "now", last_notified: "now", dedupe_key: "a" },
    undefined,
    true,
  ],
  ...[
    null,
    { notified: null },
    { notified: [] },
    { notified: { chat: "x" } },
    { news_at: 1e300 },
    { news_at: "now", to: 5, recipients: {}, unsent: null, reminders: "x" },
  ].map((swf): (typeof ROWS)[number] => [
    `swf ${JSON.stringify(swf)}`,
    { fire_time: NOW - 60, dedupe_key: "a", swf },
    undefined,
    true,
  ]),
];

test.each(ROWS)("an event of another program with %s", async (_name, data, fault, isMailed) => {
  const engine = await engineAt(open);
  await insertAlarm(engine.db, "x");
  engine.says("x", { keys: ["a"] });
  const ids: string[] = [];
  for (const clone of fault === NO_KEY ? [1, 2, 3] : [1])
    ids.push(
      await insertEntry(engine.db, {
        kind: "event",
        created: NOW - 60 - clone,
        data: { entry_id: "event_x", clear_time: null, ...data },
      }),
    );
  const report = await engine.tick();
  const errors = report?.errors ?? [];
  if (fault === undefined) expect(errors).toEqual([]);
  else {
    expect(errors).toEqual([
      expect.stringMatching(
        `^x: ${ids.length} active event\\(s\\) have ${fault}; to repair them run: UPDATE public.entry SET `,
      ),
    ]);
  }
  // No mail is owed for ever, and none is repeated.
  expect((await eventCounts(engine.db)).get("x")?.unsent).toBe(0);
  expect(engine.mails()).toHaveLength(1);
  engine.now += 300;
  expect((await engine.tick())?.errors).toEqual(errors);
  expect(engine.mails()).toHaveLength(1);
  const active = (await readEntries(engine.db, "event")).filter(
    (row) => row.data.clear_time === null,
  );
  expect(active).toHaveLength(isMailed ? 1 : 4);

  const [, repair] = /run: (UPDATE .*)$/.exec(errors[0] ?? "") ?? [];
  if (repair !== undefined) await engine.db.query(repair);
  engine.now += 300;
  expect((await engine.tick())?.errors).toEqual([]);
  engine.says("x", {});
  engine.now += 300;
  expect((await engine.tick())?.errors).toEqual([]);
  const left = (await readEntries(engine.db, "event")).filter(
    (row) => row.data.clear_time === null,
  );
  expect(left).toEqual([]);
  expect(engine.mails()).toHaveLength(1);
});

test("one statement repairs thousands, and of many alarms' faults ten are listed", async () => {
  const engine = await engineAt(open);
  const insert = (entryId: string, count: number) =>
    engine.db.query(
      `INSERT INTO entry (id, title, content, kind, archived, timestamp_created, timestamp_modified, context_id, data)
       SELECT gen_random_uuid(), '', '', 'event', false, 0, 0, 'swf-alarms',
              jsonb_build_object('entry_id', ${entryId}, 'clear_time', NULL, 'fire_time', 1e12) FROM generate_series(1, $1::int) AS n`,
      [count],
    );
  await engine.tick();
  await insert("'event_it''s'", 3_000);
  engine.now += 300;
  const errors = (await engine.tick())?.errors ?? [];
  expect(errors).toEqual([
    expect.stringMatching(/^it's: 3000 active event.s. have no dedupe_key/),
    expect.stringMatching(/^it's: 3000 active event.s. have a fire_time/),
  ]);
  for (const error of errors.toReversed())
    await engine.db.query(/run: (UPDATE .*)$/.exec(error)?.[1] ?? "");
  engine.now += 300;
  expect((await engine.tick())?.errors).toEqual([]);

  await insert("NULL::text", 1);
  await insert("'event_' || n", 30);
  engine.now += 300;
  const many = (await engine.tick())?.errors ?? [];
  expect(many).toHaveLength(11);
  expect(many.at(-1)).toBe("and 53 more faults of active events");
});
