import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Ack } from "../../src/core/ack.ts";
import { ENGINE_KEYS } from "../../src/core/detection.ts";
import { NO_LEVEL } from "../../src/core/level.ts";
import type { ActiveEvent, Notices } from "../../src/core/model.ts";
import { NO_NOTICES } from "../../src/core/news.ts";
import type { Database } from "../../src/store/database.ts";
import {
  countEvents,
  eventCounts,
  eventsOf,
  eventTexts,
  listEvents,
} from "../../src/store/event_list.ts";
import { migrate } from "../../src/store/migrate.ts";
import { notified } from "../support/configured.ts";
import { DATABASES } from "../support/databases.ts";
import { activeList } from "../support/open_events.ts";
import { insertEntry, only, type RawEntry } from "../support/raw_entries.ts";

/** Rows as this engine, the Python engine and people left them. */
describe.each(DATABASES)("reading events on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  afterAll(() => db.close());

  const event = (alarm: string, data: object, rest: Partial<RawEntry> = {}) =>
    insertEntry(db, { kind: "event", data: { entry_id: `event_${alarm}`, ...data }, ...rest });

  describe("activeEvents", () => {
    const times: readonly (readonly [string, object, number, number | undefined])[] = [
      ["all as the contract says", { fire_time: 5.25, last_notified: 6.5 }, 5.25, 6.5],
      ["never mailed: no last_notified", { fire_time: 5 }, 5, undefined],
      ["last_notified null", { fire_time: 5, last_notified: null }, 5, undefined],
      ["last_notified 0 is never", { fire_time: 5, last_notified: 0 }, 5, undefined],
      ["last_notified a text", { fire_time: 5, last_notified: "6" }, 5, undefined],
      ["no fire_time", {}, 0, undefined],
      ["fire_time null", { fire_time: null }, 0, undefined],
      ["fire_time a text", { fire_time: "2026-08-07T17:54:00" }, 0, undefined],
      ["fire_time an object", { fire_time: { at: 5 } }, 0, undefined],
      ["clear_time is not there at all", { fire_time: 5 }, 5, undefined],
      ["clear_time is a JSON null", { fire_time: 5, clear_time: null }, 5, undefined],
      ["recipients as typed", { fire_time: 5, recipients: "a@b.example, @t" }, 5, undefined],
    ];
    test.each(times)("read: %s", async (sentence, data, fireTime, lastNotified) => {
      const alarm = `times: ${sentence}`;
      const id = await event(alarm, { dedupe_key: "k", ...data });
      expect(await activeList(db, alarm)).toMatchObject([
        { id, dedupeKey: "k", fireTime, notices: notified(lastNotified) },
      ]);
    });

    const SAID = { newsAt: 5, notified: { chat: 7 }, to: { chat: ["room"] }, recipients: ["@own"] };
    const said: readonly (readonly [string, unknown, Partial<Notices>])[] = [
      [
        "all as this version writes it",
        { news_at: 5, notified: { chat: 7 }, to: { chat: ["room"] }, recipients: ["@own"] },
        SAID,
      ],
      ["nothing: last_notified is that of email", {}, { notified: { email: 6 } }],
      [
        "news alone: last_notified is that of email",
        { news_at: 5 },
        { newsAt: 5, notified: { email: 6 } },
      ],
      ["notified on no channel: last_notified does not count", { notified: {} }, {}],
      [
        "an odd value is as good as none, the others count",
        { notified: { chat: 7 }, news_at: "5", to: [], recipients: "x" },
        { notified: { chat: 7 } },
      ],
      [
        "odd times are as good as none",
        { notified: { chat: "7" }, to: { chat: "x" } },
        { to: { chat: [] } },
      ],
      ["no object", "text", { notified: { email: 6 } }],
      ["null", null, { notified: { email: 6 } }],
    ];
    test.each(said)("what it says of notifications: %s", async (sentence, swf, notices) => {
      const alarm = `notices: ${sentence}`;
      await event(alarm, { dedupe_key: "k", fire_time: 5, last_notified: 6, swf });
      expect(await activeList(db, alarm)).toMatchObject([
        { notices: { ...NO_NOTICES, ...notices } },
      ]);
    });

    const LEVEL = { severity: "error", stage: "second" } as const;
    const NO = { level: undefined, peak: undefined, firstSeen: undefined };
    type Read = Pick<ActiveEvent, "level" | "peak" | "firstSeen">;
    const levels: readonly (readonly [string, object, Partial<Read>])[] = [
      [
        "all as this version writes it",
        { ...LEVEL, swf: { peak: LEVEL, first_seen: 3.5 } },
        { level: LEVEL, peak: LEVEL, firstSeen: 3.5 },
      ],
      ["a row of an earlier version", {}, {}],
      ["a severity alone", { severity: "info" }, { level: { severity: "info", stage: undefined } }],
      [
        "a stage alone, with a null",
        { severity: null, stage: "s" },
        { level: { severity: undefined, stage: "s" } },
      ],
      ["nulls", { severity: null, stage: null, swf: { peak: null, first_seen: null } }, {}],
      ["a severity that does not exist", { severity: "Error" }, {}],
      [
        "other types",
        { severity: ["error"], stage: 7, swf: { peak: "error", first_seen: "3" } },
        {},
      ],
      [
        "odd values beside good ones",
        { severity: { a: 1 }, stage: "s", swf: { peak: { severity: 5, stage: "s" } } },
        {
          level: { severity: undefined, stage: "s" },
          peak: { severity: undefined, stage: "s" },
        },
      ],
      [
        "stages in other scripts and with quotes",
        { stage: `'"\\ 漢😀`, swf: { peak: { stage: "__proto__" } } },
        {
          level: { severity: undefined, stage: `'"\\ 漢😀` },
          peak: { severity: undefined, stage: "__proto__" },
        },
      ],
      ["a time beyond all times", { swf: { first_seen: 1e16 } }, {}],
    ];
    test.each(levels)("severity, stage and beginning: %s", async (sentence, data, expected) => {
      const alarm = `levels: ${sentence}`;
      await event(alarm, { dedupe_key: "k", ...data });
      const { level, peak, firstSeen } = only(await activeList(db, alarm));
      expect({ level, peak, firstSeen }).toEqual({ ...NO, ...expected });
    });

    const ACK: Ack = {
      by: "a",
      reason: "r",
      at: 5,
      until: 9,
      sticky: true,
      ended: { at: 7, reason: "severity rose" },
    };
    const ACK_ROW = { by: "a", reason: "r", at: 5, until: 9, sticky: true, ended_at: 7 };
    const acks: readonly (readonly [string, unknown, Ack | undefined])[] = [
      ["whole", { ...ACK_ROW, ended: "severity rose" }, ACK],
      [
        "one that holds, as null and as nothing",
        { by: "a", reason: "r", at: 5, until: null, sticky: false, ended_at: null, ended: null },
        { ...ACK, until: undefined, sticky: false, ended: undefined },
      ],
      [
        "a time alone",
        { at: 5 },
        { by: "unknown", reason: "", at: 5, until: undefined, sticky: false, ended: undefined },
      ],
      [
        "an end for a reason that does not exist",
        { ...ACK_ROW, ended: "bored" },
        { ...ACK, ended: { at: 7, reason: "by operator" } },
      ],
      [
        "a reason of an end without a time",
        { ...ACK_ROW, ended_at: "x", ended: "severity rose" },
        { ...ACK, ended: undefined },
      ],
      [
        "an author of another type",
        { ...ACK_ROW, by: 5, ended: "severity rose" },
        { ...ACK, by: "unknown" },
      ],
      [
        "a reason of another type",
        { ...ACK_ROW, reason: [], ended: "severity rose" },
        { ...ACK, reason: "" },
      ],
      [
        "an end time of another type",
        { ...ACK_ROW, until: "x", ended: "severity rose" },
        { ...ACK, until: undefined },
      ],
      [
        "sticky of another type",
        { ...ACK_ROW, sticky: "x", ended: "severity rose" },
        { ...ACK, sticky: false },
      ],
      ["no time: none", { ...ACK_ROW, at: undefined }, undefined],
      ["a time of another type: none", { ...ACK_ROW, at: "5" }, undefined],
      ["a time beyond all times: none", { ...ACK_ROW, at: 1e16 }, undefined],
      ...[null, "text", 5, true, [], {}].map(
        (odd) => [`no object with a time: ${JSON.stringify(odd)}`, odd, undefined] as const,
      ),
    ];
    test.each(acks)("acknowledgement: %s", async (sentence, ack, expected) => {
      const alarm = `ack: ${sentence}`;
      await event(alarm, { dedupe_key: "k", swf: { ack, news_at: 5 } });
      expect(only(await activeList(db, alarm)).notices).toEqual({
        ...NO_NOTICES,
        newsAt: 5,
        ack: expected,
      });
    });

    test.each([
      ["by channel", { chat: 2, email: 1 }, { chat: 2, email: 1 }],
      ["one number of an earlier version", 4, {}],
      [
        "odd values",
        { chat: "2", email: -1, hook: 3, sms: 1e9 },
        { chat: 0, email: 0, hook: 3, sms: 0 },
      ],
      ["null", null, {}],
      ["a text", "2", {}],
    ])("reminders: %s", async (sentence, reminders, expected) => {
      const alarm = `reminders: ${sentence}`;
      await event(alarm, { dedupe_key: "k", swf: { reminders, notified: { chat: 7 } } });
      const { notices } = only(await activeList(db, alarm));
      expect(notices).toEqual({ ...NO_NOTICES, notified: { chat: 7 }, reminders: expected });
    });

    test("numbers too large for JavaScript are left out", async () => {
      const id = await event("huge", { dedupe_key: "k" });
      await db.query(
        `UPDATE entry SET data = data || '{"swf": {"first_seen": 1e400, "news_at": 1e400, "reminders": {"chat": 1e400}, "ack": {"at": 1e400}}}' WHERE id = $1`,
        [id],
      );
      const found = only(await activeList(db, "huge"));
      expect(found.notices).toEqual({ ...NO_NOTICES, reminders: { chat: 0 } });
      expect(found.firstSeen).toBeUndefined();
    });

    const others: readonly (readonly [string, object, Partial<RawEntry>])[] = [
      ["one that has ended", { clear_time: 5 }, {}],
      ["one that ended at a time of its own notation", { clear_time: "2026-08-07" }, {}],
      ["one without a key", { dedupe_key: null }, {}],
      ["an archived one", {}, { archived: true }],
      ["a deleted one", {}, { deletedAt: 5 }],
      ["one in another context", {}, { context: "teams" }],
      ["one in no context", {}, { context: null }],
      ["another kind of row", {}, { kind: "ping" }],
      ["one whose data is null", {}, { data: null }],
      ["one whose data is a list", {}, { data: ["event_others"] }],
      ["one of an alarm whose name goes on", { entry_id: "event_others_too" }, {}],
    ];
    test.each(others)("left out: %s", async (sentence, data, rest) => {
      await event("others", { dedupe_key: sentence, ...data }, rest);
      expect(await activeList(db, "others")).toEqual([]);
    });

    test("keys are given as they are: a number, other scripts, quotes", async () => {
      const keys = [`'; -- "\\`, "漢😀", " padded ", ""];
      for (const [created, dedupe_key] of keys.entries())
        await event("keys", { dedupe_key }, { created });
      await event("keys", { dedupe_key: 38949 }, { created: 99 });
      const found = (await activeList(db, "keys")).map(({ dedupeKey }) => dedupeKey);
      expect(found).toEqual([...keys, "38949"].sort());
    });
  });

  test("eventCounts counts the active and the unmailed ones of each alarm, also one whose own name begins with event_", async () => {
    await event("counted", { dedupe_key: "1" });
    await event("counted", { dedupe_key: "2", last_notified: 7 });
    await event("counted", { dedupe_key: "1", clear_time: 5 });
    await event("event_counted", { dedupe_key: "1" });
    await insertEntry(db, { kind: "event", data: null });
    const counts = await eventCounts(db);
    expect(counts.get("counted")).toEqual({ active: 2, unsent: 1 });
    expect(counts.get("event_counted")).toEqual({ active: 1, unsent: 1 });
    expect([...counts.keys()]).not.toContain("null");
  });

  describe("eventTexts", () => {
    const marker = "\n\n---\n\n";
    const texts: readonly (readonly [string, Partial<RawEntry>, string, string])[] = [
      [
        "the whole subject and what follows the description",
        { title: "cut", content: `D${marker}B`, data: { subject: "whole" } },
        "whole",
        "B",
      ],
      ["no description", { content: "B", data: { subject: "s" } }, "s", "B"],
      [
        "a marker inside the detail stays",
        { content: `D${marker}B${marker}C`, data: { subject: "s" } },
        "s",
        `B${marker}C`,
      ],
      ["no subject: the title", { title: "T", content: "B", data: {} }, "T", "B"],
      ["a subject that is no text: the title", { title: "T", data: { subject: 5 } }, "T", ""],
      ["data null: the title", { title: "T", content: "B", data: null }, "T", "B"],
    ];
    test.each(texts)("%s", async (_sentence, entry, subject, body) => {
      const id = await insertEntry(db, { kind: "event", ...entry });
      expect(await eventTexts(db, [id], "D")).toEqual(new Map([[id, { subject, body }]]));
    });

    test.each([
      ["the alarm's own", `D${marker}E\n`, "B"],
      ["no longer the alarm's", "new", `E${marker}B`],
    ])("a marker inside the description: it is %s", async (_sentence, description, body) => {
      const content = `D${marker}E${marker}B`;
      const id = await insertEntry(db, { kind: "event", content, data: { subject: "s" } });
      expect(await eventTexts(db, [id], description)).toEqual(
        new Map([[id, { subject: "s", body }]]),
      );
    });

    const facts: readonly (readonly [string, object, object])[] = [
      ["its metric", { metric: "15.6%" }, { metric: "15.6%" }],
      ["a metric that is a number", { metric: 0.5 }, { metric: "0.5" }],
      ["a metric of another type", { metric: ["x"] }, {}],
      ["a blank metric", { metric: " " }, {}],
      [
        "what it fired with",
        { severity: "error", swf: { fired: { severity: "warning", stage: null } } },
        { fired: { severity: "warning", stage: undefined } },
      ],
      [
        "that it fired with neither",
        { swf: { fired: { severity: null, stage: null } } },
        { fired: { severity: undefined, stage: undefined } },
      ],
      ["not what somebody wrote there", { swf: { fired: "warning" } }, {}],
    ];
    test.each(facts)("and %s", async (_sentence, data, more) => {
      const id = await insertEntry(db, { kind: "event", content: "B", data });
      const text = { subject: "a title", body: "B", ...more };
      expect(await eventTexts(db, [id], "D")).toEqual(new Map([[id, text]]));
    });

    test("unknown ids are not in the answer, and no ids ask nothing", async () => {
      expect(await eventTexts(db, ["nowhere"], "")).toEqual(new Map());
      const mute = {
        query: () => Promise.reject(new Error("nothing should be asked")),
      };
      expect(await eventTexts(mute, [], "")).toEqual(new Map());
    });
  });

  describe("listEvents", () => {
    test("newest first; cleared ones only when asked for; one alarm or all; at most so many", async () => {
      const ended = { clear_time: 20, clear_reason: "gone", last_seen: 15, last_notified: 12 };
      const base = { dedupe_key: "k", subject: "whole", fire_time: 10 };
      const old = await event("listed", { ...base, ...ended }, { created: 1e10 });
      const active = await event("listed", base, { created: 2e10 });
      const other = await event("listed_other", base, { created: 3e10 });
      await event("listed", base, { created: 4e10, archived: true });
      await event("listed", base, { created: 4e10, deletedAt: 5 });
      const ids = async (filter: Partial<Parameters<typeof listEvents>[1]>) =>
        (await listEvents(db, { alarm: "listed", all: false, limit: 10, ...filter })).map(
          ({ id }) => id,
        );
      expect(await ids({})).toEqual([active]);
      expect(await ids({ all: true })).toEqual([active, old]);
      expect(await ids({ all: true, limit: 1 })).toEqual([active]);
      expect(await ids({ alarm: undefined, limit: 2 })).toEqual([other, active]);
      expect(await ids({ alarm: "unknown" })).toEqual([]);
      expect(await ids({ all: true, limit: 0 })).toEqual([active, old]);
      for (const [alarm, all, count] of [
        ["listed", false, 1],
        ["listed", true, 2],
        ["unknown", true, 0],
        [undefined, true, (await ids({ alarm: undefined, all: true, limit: 0 })).length],
        [undefined, false, (await ids({ alarm: undefined, limit: 0 })).length],
      ] as const)
        expect(await countEvents(db, { alarm, all }), `${alarm} ${all}`).toBe(count);

      const [, listed] = await listEvents(db, { alarm: "listed", all: true, limit: 10 });
      expect(listed).toEqual({
        ...UNNOTICED,
        id: old,
        alarm: "listed",
        dedupeKey: "k",
        subject: "whole",
        fireTime: 10,
        firstSeen: 10,
        lastSeen: 15,
        clearTime: 20,
        clearReason: "gone",
        lastNotified: 12,
        notices: notified(12),
      });
    });

    test("a row with hardly anything in it is listed with what it has", async () => {
      const id = await insertEntry(db, { kind: "event", title: "T", data: null, created: 9e10 });
      expect(await listEvents(db, { alarm: undefined, all: false, limit: 1 })).toEqual([
        {
          ...UNNOTICED,
          id,
          alarm: "",
          dedupeKey: "",
          subject: "T",
          fireTime: undefined,
          firstSeen: undefined,
          lastSeen: undefined,
          clearTime: undefined,
          clearReason: undefined,
          lastNotified: undefined,
        },
      ]);
    });

    test("all that this version keeps of an event is read, and its data is what its detection said", async () => {
      const swf = {
        news: "severity",
        news_at: 15,
        notified: { chat: 15 },
        peak: { severity: "critical" },
        fired: { severity: "warning", stage: null },
        first_seen: 8,
        unsent: ["chat"],
      };
      const own = { site: "BNL", metric: "40%", detection_stage: 5, "": null };
      const engine = Object.fromEntries([...ENGINE_KEYS].map((key) => [key, "x"]));
      const data = { ...engine, ...own, fire_time: 10, clear_held_at: 12, severity: "error", swf };
      const id = await event("whole", {
        ...data,
        dedupe_key: "k",
        clear_time: null,
        entry_id: "event_whole",
      });
      expect(await listEvents(db, { alarm: "whole", all: false, limit: 1 })).toEqual([
        {
          id,
          alarm: "whole",
          dedupeKey: "k",
          subject: "x",
          level: { severity: "error", stage: "x" },
          peak: { severity: "critical", stage: undefined },
          fired: { severity: "warning", stage: undefined },
          fireTime: 10,
          firstSeen: 8,
          lastSeen: undefined,
          clearTime: undefined,
          clearReason: "x",
          clearHeldAt: 12,
          lastNotified: undefined,
          notices: { ...NO_NOTICES, news: "severity", newsAt: 15, notified: { chat: 15 } },
          unsent: ["chat"],
          data: own,
        },
      ]);
    });
  });

  describe("eventsOf", () => {
    test("the events of one entity, newest first, at most so many", async () => {
      const key = `'; -- "\\ 漢😀`;
      const make = (created: number, data: object = {}, rest: Partial<RawEntry> = {}) =>
        event("entity", { dedupe_key: key, ...data }, { created, ...rest });
      const first = await make(1, { clear_time: 2 });
      const second = await make(3, { clear_time: 4, clear_reason: "late by 120 s" });
      const third = await make(5);
      await make(6, { dedupe_key: `${key}2`, clear_time: 7 });
      await make(6, { dedupe_key: null });
      await make(6, { entry_id: "event_entity2" });
      await make(6, {}, { kind: "ping" });
      await make(6, { clear_time: 7 }, { archived: true });
      await make(6, { clear_time: 7 }, { deletedAt: 7 });
      await make(6, { clear_time: 7 }, { context: "teams" });
      const ids = async (limit: number) =>
        (await eventsOf(db, "entity", key, limit)).map(({ id }) => id);
      expect(await ids(10)).toEqual([third, second, first]);
      expect(await ids(2)).toEqual([third, second]);
      expect(await eventsOf(db, "entity", "other", 10)).toEqual([]);
      expect(await eventsOf(db, "other", key, 10)).toEqual([]);
      expect(await eventsOf(db, "entity", key, 2)).toMatchObject([
        { dedupeKey: key, alarm: "entity", clearTime: undefined },
        { dedupeKey: key, clearReason: "late by 120 s" },
      ]);
    });

    test("a key that is a number in the row is found by its text", async () => {
      const id = await event("numbers", { dedupe_key: 38949 });
      expect(await eventsOf(db, "numbers", "38949", 10)).toMatchObject([{ id }]);
    });
  });
});

/** What is listed of an event that says nothing of it. */
const UNNOTICED = {
  level: NO_LEVEL,
  clearHeldAt: undefined,
  notices: NO_NOTICES,
  unsent: [],
  data: {},
};
