import { hostname } from "node:os";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Database } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import {
  countTicks,
  type ListedSkip,
  listSkipped,
  recordSkipped,
} from "../../src/store/skipped_ticks.ts";
import { DATABASES } from "../support/databases.ts";
import { entryRow, insertEntry } from "../support/raw_entries.ts";

/** 2026-11-21 03:45:07.25 UTC */
const AT = 1_795_232_707.25;
const TICK: Omit<ListedSkip, "id"> = {
  at: AT,
  host: hostname(),
  pid: process.pid,
  reason: `'"\\ another tick`,
};

describe.each(DATABASES)("skipped ticks on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  beforeEach(async () => {
    await db.query("DELETE FROM entry");
  });
  afterAll(() => db.close());
  const record = async (...times: readonly number[]): Promise<void> => {
    for (const at of times) await db.transaction((tx) => recordSkipped(tx, at, TICK.reason));
  };

  test("recorded, each is a row of its own", async () => {
    await record(AT, AT + 300);
    const [newer, older] = await listSkipped(db, 10);
    expect(newer).toEqual({ ...TICK, at: AT + 300, id: expect.any(String) });
    expect(await entryRow(db, older?.id ?? "")).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      title: `Tick skipped: ${TICK.reason}`,
      content: "",
      kind: "skipped_tick",
      name: null,
      data: { entry_id: "skipped_1795232707", ...TICK },
      priority: null,
      status: "done",
      archived: false,
      timestamp_created: AT,
      timestamp_modified: AT,
      deleted_at: null,
      parent_id: null,
      context_id: "swf-alarms",
    });
  });

  test("listed newest first, at most so many, without the archived, the deleted and what is none", async () => {
    await record(AT, AT + 600, AT + 300);
    const kind = "skipped_tick";
    await insertEntry(db, { kind, created: AT + 900, archived: true, data: TICK });
    await insertEntry(db, { kind, created: AT + 900, deletedAt: 5, data: TICK });
    await insertEntry(db, { kind: "engine_run", created: AT + 900, data: TICK });
    expect((await listSkipped(db, 2)).map(({ at }) => at)).toEqual([AT + 600, AT + 300]);
    for (const data of [null, "x", { at: "then" }])
      await insertEntry(db, { kind, created: AT, data });
    expect((await listSkipped(db, 10)).map(({ at }) => at)).toEqual([AT + 600, AT + 300, AT]);
  });

  test("counted from a moment on", async () => {
    expect(await countTicks(db, 0)).toBe(0);
    await record(AT, AT + 300, AT + 600);
    await insertEntry(db, { kind: "engine_run", created: AT + 600 });
    expect(await countTicks(db, 0)).toBe(3);
    expect(await countTicks(db, AT + 300)).toBe(2);
    expect(await countTicks(db, AT + 601)).toBe(0);
  });
});
