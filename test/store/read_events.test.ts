import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Notices } from "../../src/core/model.ts";
import { NO_NOTICES } from "../../src/core/news.ts";
import type { Database } from "../../src/store/database.ts";
import { countEvents, eventCounts, eventTexts, listEvents } from "../../src/store/event_list.ts";
import { migrate } from "../../src/store/migrate.ts";
import { notified } from "../support/configured.ts";
import { DATABASES } from "../support/databases.ts";
import { activeList } from "../support/open_events.ts";
import { insertEntry, type RawEntry } from "../support/raw_entries.ts";

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
        id: old,
        alarm: "listed",
        dedupeKey: "k",
        subject: "whole",
        fireTime: 10,
        lastSeen: 15,
        clearTime: 20,
        clearReason: "gone",
        lastNotified: 12,
      });
    });

    test("a row with hardly anything in it is listed with what it has", async () => {
      const id = await insertEntry(db, { kind: "event", title: "T", data: null, created: 9e10 });
      expect(await listEvents(db, { alarm: undefined, all: false, limit: 1 })).toEqual([
        {
          id,
          alarm: "",
          dedupeKey: "",
          subject: "T",
          fireTime: undefined,
          lastSeen: undefined,
          clearTime: undefined,
          clearReason: undefined,
          lastNotified: undefined,
        },
      ]);
    });
  });
});
