import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Ack } from "../../src/core/ack.ts";
import { NO_NOTICES } from "../../src/core/news.ts";
import { acknowledge, endAcknowledgement } from "../../src/store/acknowledgements.ts";
import type { Database } from "../../src/store/database.ts";
import { eventsById } from "../../src/store/event_list.ts";
import { changeEvents } from "../../src/store/events.ts";
import { migrate } from "../../src/store/migrate.ts";
import { DATABASES } from "../support/databases.ts";
import { entryRow, insertEntry, type RawEntry } from "../support/raw_entries.ts";

const FIRED = 1_790_000_000;
const NOW = 1_790_000_300.123_456;
const ACK = { by: `cli:'"\\ $1`, reason: "漢😀 ; --", at: NOW, until: NOW + 60, sticky: false };
const DATA = { entry_id: "event_x", dedupe_key: "a", clear_time: null, site: "BNL" };

describe.each(DATABASES)("acknowledgements on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  afterAll(() => db.close());

  const insert = async (data: object, rest: Partial<RawEntry> = {}): Promise<string> =>
    await insertEntry(db, {
      kind: "event",
      created: FIRED,
      data: { ...DATA, dedupe_key: randomUUID(), ...data },
      ...rest,
    });
  const give = (id: string, ack: Omit<Ack, "ended"> = ACK) =>
    db.transaction((tx) => acknowledge(tx, id, ack, NOW));
  const end = (id: string, at: number, now: number) =>
    db.transaction((tx) => endAcknowledgement(tx, id, { at }, "cli:bob", now));
  const swfOf = async (id: string): Promise<unknown> => {
    const { data } = await entryRow(db, id);
    return data !== null && typeof data === "object" && "swf" in data ? data.swf : undefined;
  };
  const ackOf = async (id: string) => (await eventsById(db, [id]))[0]?.notices.ack;

  test("acknowledging writes the acknowledgement and the time of the change, and nothing else", async () => {
    const swf = { news_at: FIRED, news: "fired", reminders: { chat: 2 }, notified: { chat: 5 } };
    const id = await insert({ swf });
    const before = await entryRow(db, id);
    expect(await give(id)).toBe(true);
    const data = typeof before.data === "object" ? before.data : {};
    expect(await entryRow(db, id)).toEqual({
      ...before,
      timestamp_modified: NOW,
      data: { ...data, swf: { ...swf, ack: ACK } },
    });
    expect(await ackOf(id)).toEqual({ ...ACK, ended: undefined });
  });

  test("one without an end is stored with null, and read without one", async () => {
    const id = await insert({ swf: 7 });
    expect(await give(id, { ...ACK, until: undefined })).toBe(true);
    expect(await swfOf(id)).toEqual({ ack: { ...ACK, until: null } });
    expect(await ackOf(id)).toEqual({ ...ACK, until: undefined, ended: undefined });
  });

  test("a second one replaces the first, its end included", async () => {
    const id = await insert({});
    await give(id);
    await end(id, NOW, NOW + 1);
    const second = { ...ACK, by: "cli:eve", at: NOW + 2, sticky: true };
    expect(await give(id, second)).toBe(true);
    expect(await swfOf(id)).toEqual({ ack: second });
  });

  const inactive: readonly (readonly [string, object, Partial<RawEntry>])[] = [
    ["one that has cleared", { clear_time: 7 }, {}],
    ["an archived one", {}, { archived: true }],
    ["a deleted one", {}, { deletedAt: 7 }],
    ["one in another context", {}, { context: "teams" }],
    ["a row of another kind", {}, { kind: "alarm" }],
  ];
  test.each(inactive)("neither acknowledged nor ended: %s", async (_, data, rest) => {
    const id = await insert({ swf: { ack: ACK }, ...data }, rest);
    const before = await entryRow(db, id);
    expect(await give(id, { ...ACK, by: "other" })).toBe(false);
    expect(await end(id, NOW, NOW + 1)).toBe(false);
    expect(await entryRow(db, id)).toEqual(before);
  });

  test("an end says when and by whom, and the reminders begin anew", async () => {
    const id = await insert({ swf: { news_at: FIRED, reminders: { chat: 2 } } });
    await give(id);
    expect(await end(id, NOW, NOW + 9)).toBe(true);
    expect(await swfOf(id)).toEqual({
      news_at: FIRED,
      ack: { ...ACK, ended_at: NOW + 9, ended: "by operator", ended_by: "cli:bob" },
    });
    expect(await ackOf(id)).toMatchObject({ ended: { at: NOW + 9, reason: "by operator" } });
  });

  test("nothing ends that another person has ended or replaced meanwhile", async () => {
    const id = await insert({ swf: { reminders: { chat: 1 } } });
    expect(await end(id, NOW, NOW + 1)).toBe(false);
    await give(id);
    await give(id, { ...ACK, at: NOW + 1 });
    expect(await end(id, NOW, NOW + 2)).toBe(false);
    expect(await swfOf(id)).toEqual({ reminders: { chat: 1 }, ack: { ...ACK, at: NOW + 1 } });
    expect(await end(id, NOW + 1, NOW + 2)).toBe(true);
    expect(await end(id, NOW + 1, NOW + 3)).toBe(false);
    expect(await ackOf(id)).toMatchObject({ ended: { at: NOW + 2 } });
  });

  test("a tick that read an earlier acknowledgement does not end a later one", async () => {
    const id = await insert({});
    await give(id);
    await give(id, { ...ACK, at: NOW + 1, until: NOW + 999 });
    const ended = { at: NOW + 60, reason: "its time is over" } as const;
    const ack = { ...ACK, ended };
    const change = { id, notices: NO_NOTICES, ack };
    await db.transaction((tx) => changeEvents(tx, [change], NOW + 70));
    expect(await ackOf(id)).toMatchObject({ at: NOW + 1, ended: undefined });
  });
});
