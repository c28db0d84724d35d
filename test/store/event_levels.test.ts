import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Ack } from "../../src/core/ack.ts";
import type { Level, LevelChange } from "../../src/core/level.ts";
import { NO_NOTICES } from "../../src/core/news.ts";
import type { Database, Transaction } from "../../src/store/database.ts";
import { type ChangedEvent, changeEvents } from "../../src/store/event_changes.ts";

import { migrate } from "../../src/store/migrate.ts";
import { DATABASES } from "../support/databases.ts";
import { activeList } from "../support/open_events.ts";
import { entryRow, insertEntry, only } from "../support/raw_entries.ts";

const FIRED = 1_790_000_000;
const LATER = 1_790_000_300.125;

type Change = Omit<ChangedEvent, "id">;

function level(severity: Level["severity"], stage?: string): Level {
  return { severity, stage };
}

function changeTo(now: Level, peak: Level, news: LevelChange["news"]): Change {
  const reason = news === "stage" ? "stage advanced: x" : "severity changed: x";
  const notices = {
    ...NO_NOTICES,
    ...(news && { news, newsAt: LATER, notified: { chat: FIRED } }),
  };
  return { level: { level: now, peak, news, reason }, notices };
}

function ends(at: number, reason: NonNullable<Ack["ended"]>["reason"]): Change {
  const ended = { at: LATER, reason };
  const ack: Ack = { by: "x", reason: "r", at, until: undefined, sticky: false, ended };
  return { ack, notices: { ...NO_NOTICES, ack } };
}

const ERROR = changeTo(level("error"), level("error"), "severity");
const SECOND = changeTo(level("info", "second"), level("error", "second"), "stage");
const FALL = changeTo(level("info"), level("error"), undefined);
const OVER = ends(5, "its time is over");
const ACK = { by: "a", reason: "looking", at: 5, until: 6, sticky: true };

/** What happens, the row's own keys before, the change, and the keys afterwards. */
type Case = readonly [string, object, Change, object];
const CASES: readonly Case[] = [
  [
    "a rise is news: what it had is kept, and reminders begin anew",
    {
      severity: "warning",
      swf: { news: "fired", news_at: FIRED, reminders: { chat: 3 }, to: { chat: ["room"] } },
    },
    ERROR,
    {
      severity: "error",
      swf: {
        news: "severity",
        news_at: LATER,
        notified: { chat: FIRED },
        to: { chat: ["room"] },
        peak: { severity: "error" },
        fired: { severity: "warning", stage: null },
      },
    },
  ],
  [
    "a later stage is news, although the severity fell",
    { severity: "error", stage: "first", swf: { news: "fired", peak: { severity: "error" } } },
    SECOND,
    {
      severity: "info",
      stage: "second",
      swf: {
        news: "stage",
        news_at: LATER,
        notified: { chat: FIRED },
        peak: { severity: "error", stage: "second" },
        fired: { severity: "error", stage: "first" },
      },
    },
  ],
  [
    "a fall is no news: what was sent stays",
    { severity: "error", swf: { news_at: FIRED, notified: { chat: 7 }, reminders: { chat: 3 } } },
    FALL,
    {
      severity: "info",
      swf: {
        news_at: FIRED,
        notified: { chat: 7 },
        reminders: { chat: 3 },
        peak: { severity: "error" },
        fired: { severity: "error", stage: null },
      },
    },
  ],
  [
    "what it fired with is not written twice",
    { severity: "warning", swf: { fired: { severity: "info", stage: null } } },
    FALL,
    {
      severity: "info",
      swf: { peak: { severity: "error" }, fired: { severity: "info", stage: null } },
    },
  ],
  [
    "what it no longer has is removed",
    { severity: "error", stage: "first", site: "BNL", swf: { fired: {} } },
    changeTo(level(undefined), level("error", "first"), undefined),
    { site: "BNL", swf: { fired: {}, peak: { severity: "error", stage: "first" } } },
  ],
  [
    "the number of reminders that an earlier version wrote ends with news",
    { swf: { reminders: 4 } },
    ERROR,
    {
      severity: "error",
      swf: {
        news: "severity",
        news_at: LATER,
        notified: { chat: FIRED },
        peak: { severity: "error" },
        fired: { severity: null, stage: null },
      },
    },
  ],
  [
    "the number of reminders that an earlier version wrote stays without news",
    { swf: { reminders: 4 } },
    FALL,
    {
      severity: "info",
      swf: { reminders: 4, peak: { severity: "error" }, fired: { severity: null, stage: null } },
    },
  ],
  ...[7, null, "text", [], true].map(
    (swf): Case => [
      `what somebody wrote in place of the engine's object is replaced: ${JSON.stringify(swf)}`,
      { severity: { odd: 1 }, swf },
      FALL,
      {
        severity: "info",
        swf: { peak: { severity: "error" }, fired: { severity: { odd: 1 }, stage: null } },
      },
    ],
  ),
  [
    "an acknowledgement ends: reminders begin anew, and its level stays",
    { severity: "error", swf: { ack: ACK, reminders: { chat: 3 }, notified: { chat: 7 } } },
    OVER,
    {
      severity: "error",
      swf: { ack: { ...ACK, ended_at: LATER, ended: "its time is over" }, notified: { chat: 7 } },
    },
  ],
  [
    "it ends because of a rise",
    { severity: "warning", swf: { ack: ACK } },
    { ...ends(5, "severity rose"), ...ERROR },
    {
      severity: "error",
      swf: {
        ack: { ...ACK, ended_at: LATER, ended: "severity rose" },
        news: "severity",
        news_at: LATER,
        notified: { chat: FIRED },
        peak: { severity: "error" },
        fired: { severity: "warning", stage: null },
      },
    },
  ],
  [
    "an end of null is none",
    { swf: { ack: { ...ACK, ended_at: null, ended: null } } },
    OVER,
    { swf: { ack: { ...ACK, ended_at: LATER, ended: "its time is over" } } },
  ],
  [
    "one that a person made meanwhile stays",
    { swf: { ack: { ...ACK, at: 5.001 } } },
    OVER,
    { swf: { ack: { ...ACK, at: 5.001 } } },
  ],
  [
    "the end that a person wrote meanwhile stays",
    { swf: { ack: { ...ACK, ended_at: 6, ended: "by operator", ended_by: "b" } } },
    OVER,
    { swf: { ack: { ...ACK, ended_at: 6, ended: "by operator", ended_by: "b" } } },
  ],
  [
    "none is made where a person removed it",
    { swf: { news: "fired" } },
    OVER,
    { swf: { news: "fired" } },
  ],
  ...[7, null, "text", [5], { at: "5" }].map(
    (ack): Case => [
      `what somebody wrote in its place stays: ${JSON.stringify(ack)}`,
      { swf: { ack } },
      OVER,
      { swf: { ack } },
    ],
  ),
];

describe.each(DATABASES)("severities, stages and ends of acknowledgements on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  afterAll(() => db.close());

  const insertEvent = (alarm: string, data: object) =>
    insertEntry(db, {
      kind: "event",
      created: FIRED,
      data: { entry_id: `event_${alarm}`, dedupe_key: "k", ...data },
    });
  const change = (...changes: readonly ChangedEvent[]) =>
    db.transaction((tx) => changeEvents(tx, changes, LATER));

  test.each(CASES)("%s", async (sentence, before, given, after) => {
    const [id, other] = [
      await insertEvent(sentence, before),
      await insertEvent("other", { dedupe_key: sentence }),
    ];
    const bystander = await entryRow(db, other);
    await change({ ...given, id });
    expect(await entryRow(db, id)).toMatchObject({ timestamp_modified: LATER });
    expect((await entryRow(db, id)).data).toEqual({
      entry_id: `event_${sentence}`,
      dedupe_key: "k",
      ...after,
    });
    expect(await entryRow(db, other)).toEqual(bystander);
  });

  test("over several changes it keeps what it fired with, and reads back the rest", async () => {
    const id = await insertEvent("course", { severity: "warning", stage: "first", swf: {} });
    for (const each of [ERROR, FALL, SECOND]) await change({ ...each, id });
    expect(only(await activeList(db, "course"))).toMatchObject({
      level: { severity: "info", stage: "second" },
      peak: { severity: "error", stage: "second" },
      notices: { news: "stage", newsAt: LATER },
    });
    expect((await entryRow(db, id)).data).toMatchObject({
      swf: { fired: { severity: "warning", stage: "first" } },
    });
  });

  test("each event has its own change", async () => {
    const ids = [
      await insertEvent("own1", {}),
      await insertEvent("own2", {}),
      await insertEvent("own3", {}),
    ];
    const changes = [ERROR, SECOND, OVER].flatMap((each, n) => ({ ...each, id: ids[n] ?? "" }));
    await change(...changes);
    const severities = ids.map(async (id) => (await entryRow(db, id)).data);
    expect(await Promise.all(severities)).toMatchObject([
      { severity: "error", swf: { news: "severity" } },
      { severity: "info", swf: { news: "stage" } },
      { dedupe_key: "k" },
    ]);
  });

  test("names of stages and channels are stored as they are", async () => {
    const odd = `'; -- "\\ $1 漢😀`;
    const id = await insertEvent("odd", {});
    const given = changeTo(level("info", odd), level("info", odd), "stage");
    await change({ ...given, id, notices: { ...given.notices, notified: { [odd]: 5 } } });
    expect((await entryRow(db, id)).data).toMatchObject({
      stage: odd,
      swf: { peak: { stage: odd }, notified: { [odd]: 5 } },
    });
  });

  test("20,001 events take two statements", async () => {
    await db.query(
      `INSERT INTO entry (id, title, content, kind, data, archived, timestamp_created, timestamp_modified, context_id)
       SELECT gen_random_uuid()::text, 't', '', 'event',
              jsonb_build_object('entry_id', 'event_many', 'dedupe_key', n::text, 'clear_time', NULL), false, 1, 1, 'swf-alarms'
       FROM generate_series(1, 20001) AS n`,
    );
    const ids = (await activeList(db, "many")).map(({ id }) => id);
    const sent: string[] = [];
    const counting: Transaction = {
      query: (sql, params) => {
        sent.push(sql);
        return db.query(sql, params);
      },
      isTransaction: true,
    };
    await changeEvents(
      counting,
      ids.map((id) => ({ ...ERROR, id })),
      LATER,
    );
    expect(sent).toHaveLength(2);
    const found = await activeList(db, "many");
    expect(found.filter(({ level }) => level?.severity === "error")).toHaveLength(20_001);
  });

  test("no changes and unknown ids are not errors", async () => {
    await change();
    await change({ ...ERROR, id: randomUUID() }, { ...ERROR, id: "'; DROP TABLE entry; --" });
  });
});
