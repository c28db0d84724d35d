import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseDetection } from "../../src/core/detection.ts";
import { NO_LEVEL } from "../../src/core/level.ts";
import type { SafeDetection } from "../../src/core/model.ts";
import type { OpenedEvent } from "../../src/core/notice.ts";
import type { Database } from "../../src/store/database.ts";
import { clearEvents, type FiringFacts, openEvents } from "../../src/store/events.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { isJsonObject } from "../../src/text/json.ts";
import { createPostgres, DATABASES } from "../support/databases.ts";
import { loginTo } from "../support/login.ts";
import { activeList, type NewEvent, openDetected } from "../support/open_events.ts";
import { entryRow, insertEntry, only } from "../support/raw_entries.ts";

const NOW = 1_790_000_000.25;
const CONFIG_ID = "5f0c7a52-0000-4000-8000-000000000001";

type Facts = Omit<FiringFacts, "detections">;

function firing(alarm: string, facts: Partial<Facts> = {}): Facts {
  return {
    alarm: { id: CONFIG_ID, name: alarm, description: "Why this matters." },
    recipientsOf: () => ["a@host.example"],
    fireTime: NOW,
    ...facts,
  };
}

function event(dedupeKey: string, more: Partial<SafeDetection> = {}): NewEvent {
  const texts = { subject: `subject of ${dedupeKey}`, body: "detail" };
  return {
    id: randomUUID(),
    detection: { dedupeKey, ...texts, data: {}, recipients: [], ...more },
  };
}

describe.each(DATABASES)("openEvents on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  afterAll(() => db.close());

  /** Opens one event of an alarm of its own, and gives its row. */
  const openOne = async (
    alarm: string,
    detection: Partial<SafeDetection>,
    facts: Partial<Facts> = {},
  ) => {
    const made = event("task:1", detection);
    await openDetected(db, [made], firing(alarm, facts));
    return await entryRow(db, made.id);
  };

  test("the row is the contract's, column by column and key by key", async () => {
    const detection = {
      dedupeKey: "task:38949",
      subject: "40.0% failed in 38949",
      body: "site BNL\nuser wenaus",
      data: { metric: "40.0%", jeditaskid: 38949, computed_failurerate: 0.4, native: null },
    };
    const row = await openOne("shape", detection, {
      recipientsOf: () => ["a@host.example", "b@host.example"],
    });
    expect(row).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/),
      title: "40.0% failed in 38949",
      content: "Why this matters.\n\n---\n\nsite BNL\nuser wenaus",
      kind: "event",
      name: null,
      data: {
        entry_id: "event_shape",
        fire_time: NOW,
        clear_time: null,
        last_seen: NOW,
        dedupe_key: "task:38949",
        subject: "40.0% failed in 38949",
        recipients: ["a@host.example", "b@host.example"],
        alarm_config_id: CONFIG_ID,
        metric: "40.0%",
        jeditaskid: 38949,
        computed_failurerate: 0.4,
        native: null,
        swf: { news_at: NOW, news: "fired" },
      },
      priority: null,
      status: "active",
      archived: false,
      timestamp_created: NOW,
      timestamp_modified: NOW,
      deleted_at: null,
      parent_id: null,
      context_id: "swf-alarms",
    });
  });

  test("clear_time is there as a JSON null and last_notified is not there at all", async () => {
    const { id } = await openOne("nulls", {});
    const [types] = await db.query(
      `SELECT jsonb_typeof(data->'clear_time') AS clear, data ? 'clear_time' AS has_clear,
              data ? 'last_notified' AS has_notified, jsonb_typeof(data->'recipients') AS recipients
       FROM entry WHERE id = $1`,
      [String(id)],
    );
    expect(types).toEqual({
      clear: "null",
      has_clear: true,
      has_notified: false,
      recipients: "array",
    });
  });

  test("with nobody to mail, recipients is an empty array", async () => {
    const row = await openOne("nobody", {}, { recipientsOf: () => [] });
    expect(row.data).toMatchObject({ recipients: [] });
  });

  test("the recipients of the detection are on record as written, beside all addresses", async () => {
    const recipients = ["@shift", "Own@host.example"];
    const row = await openOne(
      "own",
      { recipients },
      { recipientsOf: (detection) => ["a@host.example", ...detection.recipients.slice(1)] },
    );
    expect(row.data).toMatchObject({
      recipients: ["a@host.example", "Own@host.example"],
      swf: { news_at: NOW, news: "fired", recipients },
    });
    expect(await activeList(db, "own")).toMatchObject([
      { notices: { newsAt: NOW, notified: {}, to: {}, recipients } },
    ]);
  });

  const levels: readonly (readonly [string, Partial<OpenedEvent>, object, object])[] = [
    ["neither: today's keys alone", { level: NO_LEVEL }, {}, {}],
    [
      "both, and when it was first seen",
      { level: { severity: "error", stage: "second" }, firstSeen: NOW - 600 },
      { severity: "error", stage: "second" },
      { peak: { severity: "error", stage: "second" }, first_seen: NOW - 600 },
    ],
    [
      "a severity alone",
      { level: { severity: "info", stage: undefined } },
      { severity: "info" },
      { peak: { severity: "info" } },
    ],
    [
      "a stage alone",
      { level: { severity: undefined, stage: "漢" } },
      { stage: "漢" },
      { peak: { stage: "漢" } },
    ],
    ["first seen alone", { firstSeen: NOW - 60.5 }, {}, { first_seen: NOW - 60.5 }],
  ];
  test.each(levels)(
    "severity and stage, which win over the detection's data: %s",
    async (sentence, given, keys, swf) => {
      const alarm = `levels: ${sentence}`;
      const { id, detection } = event("task:1", {
        data: { severity: "bad", stage: 7, site: "BNL" },
      });
      const opened = { id, dedupeKey: "task:1", recipients: [], ...given };
      const facts = { ...firing(alarm), detections: new Map([["task:1", detection]]) };
      await db.transaction((tx) => openEvents(tx, [opened], facts));
      expect((await entryRow(db, id)).data).toEqual({
        site: "BNL",
        entry_id: `event_${alarm}`,
        fire_time: NOW,
        clear_time: null,
        last_seen: NOW,
        dedupe_key: "task:1",
        subject: "subject of task:1",
        recipients: ["a@host.example"],
        alarm_config_id: CONFIG_ID,
        ...keys,
        swf: { news_at: NOW, news: "fired", ...swf },
      });
      const { level = NO_LEVEL, peak = NO_LEVEL, firstSeen } = only(await activeList(db, alarm));
      expect({ level, peak, firstSeen }).toEqual({
        level: given.level ?? NO_LEVEL,
        peak: given.level ?? NO_LEVEL,
        firstSeen: given.firstSeen,
      });
    },
  );

  const contents: readonly (readonly [string, string, string, string])[] = [
    ["description and detail", "D", "B", "D\n\n---\n\nB"],
    ["no description: the detail alone", "", "B", "B"],
    ["a blank description counts as none", " \n", "B", "B"],
    ["no detail", "D", "", "D\n\n---\n\n"],
    ["only the description's end is trimmed", "D\n\n", " B \n", "D\n\n---\n\n B \n"],
    [
      "quotes, backslashes, dollars and other scripts stay as they are",
      `'; DROP TABLE entry; -- "x" \\`,
      "$1 $$ \\u0000 \\n é漢字😀\u202e\u0007",
      `'; DROP TABLE entry; -- "x" \\\n\n---\n\n$1 $$ \\u0000 \\n é漢字😀\u202e\u0007`,
    ],
  ];
  test.each(contents)("content: %s", async (sentence, description, body, content) => {
    const alarm = { id: CONFIG_ID, name: `content: ${sentence}`, description };
    expect((await openOne(alarm.name, { body }, { alarm })).content).toBe(content);
  });

  test.each([
    ["255 characters fit", "s".repeat(255), "s".repeat(255)],
    ["more are cut", "s".repeat(300), "s".repeat(255)],
    ["emoji count as one character", "😀".repeat(300), "😀".repeat(255)],
    ["quotes and backslashes stay", `a'b"c\\d`, `a'b"c\\d`],
    ["an empty subject is an empty title", "", ""],
  ])("title: %s; data.subject is whole", async (sentence, subject, title) => {
    const row = await openOne(`title: ${sentence}`, { subject });
    expect(row.title).toBe(title);
    expect(row.data).toMatchObject({ subject });
  });

  test("the engine's keys win over a detection's own of the same name", async () => {
    const stolen = {
      entry_id: "event_other",
      fire_time: 1,
      clear_time: 2,
      last_seen: 3,
      dedupe_key: "other",
      subject: "other",
      recipients: "other@host.example",
      alarm_config_id: "other",
      last_notified: 4,
      mail_owed: true,
      swf: { notified: { email: 5 } },
    };
    const row = await openOne("keys", { data: { ...stolen, site: "BNL" } });
    expect(row.data).toEqual({
      entry_id: "event_keys",
      fire_time: NOW,
      clear_time: null,
      last_seen: NOW,
      dedupe_key: "task:1",
      subject: "subject of task:1",
      recipients: ["a@host.example"],
      alarm_config_id: CONFIG_ID,
      site: "BNL",
      swf: { news_at: NOW, news: "fired" },
    });
  });

  const data: readonly (readonly [string, object, object])[] = [
    [
      "hostile keys and texts",
      { "'; --": "\\", "": "empty", $1: '"', constructor: "c", "a\nb": "\t" },
      { "'; --": "\\", "": "empty", $1: '"', constructor: "c", "a\nb": "\t" },
    ],
    [
      "what Postgres cannot hold",
      { nul: "a\0b", "k\0": 1, half: "\ud83d", nan: Number.NaN, inf: -Infinity, big: 2n ** 70n },
      {
        nul: "a\uFFFDb",
        "k\uFFFD": 1,
        half: "\uFFFD",
        nan: "NaN",
        inf: "-Infinity",
        big: "1180591620717411303424",
      },
    ],
    [
      "numbers at the edge",
      { tiny: 5e-324, huge: 1.7976931348623157e308, int: 2 ** 53, zero: -0 },
      { tiny: 5e-324, huge: 1.7976931348623157e308, int: 2 ** 53, zero: 0 },
    ],
    [
      "nested lists, objects and dates",
      { list: [[], {}, [null, { a: [1] }]], at: new Date(0) },
      { list: [[], {}, [null, { a: [1] }]], at: "1970-01-01T00:00:00.000Z" },
    ],
  ];
  test.each(data)("a module's data arrives: %s", async (sentence, given, stored) => {
    const parsed = parseDetection({ dedupeKey: sentence, subject: "s\0", data: given });
    if (!parsed.ok) throw new Error(parsed.error);
    if (!("detection" in parsed)) throw new Error("a clear");
    const row = await openOne(`data: ${sentence}`, parsed.detection);
    expect(row.title).toBe("s\uFFFD");
    expect(row.data).toMatchObject(stored);
  });

  test("a body of a megabyte of hostile text arrives whole", async () => {
    const body = `\\"'$1\u2028😀é\t`.repeat(80_000);
    expect(Buffer.byteLength(body)).toBeGreaterThan(2 ** 20);
    const row = await openOne("megabyte", { body, data: { copy: body } });
    expect(String(row.content).endsWith(body)).toBe(true);
    expect(isJsonObject(row.data) && row.data.copy === body).toBe(true);
  });

  test("no events: no rows, no error", async () => {
    expect(await openDetected(db, [], firing("none"))).toEqual(new Set());
    expect(await activeList(db, "none")).toEqual([]);
  });

  test("gives the ids that it made, and leaves an entity that is already active to whoever made it", async () => {
    const theirs = await insertEntry(db, {
      kind: "event",
      data: { entry_id: "event_race", dedupe_key: "task:1", clear_time: null, subject: "theirs" },
    });
    const before = await entryRow(db, theirs);
    const events = [event("task:1"), event("task:2")];
    expect(await openDetected(db, events, firing("race"))).toEqual(new Set([events[1]?.id]));
    expect(await entryRow(db, theirs)).toEqual(before);
    expect((await activeList(db, "race")).map(({ dedupeKey }) => dedupeKey)).toEqual([
      "task:1",
      "task:2",
    ]);
  });

  test("the same key twice in one call is one row", async () => {
    const events = [event("same"), event("same"), event("other")];
    const made = await openDetected(db, events, firing("twice"));
    expect([...made].sort()).toEqual([events[0]?.id, events[2]?.id].sort());
    expect(await activeList(db, "twice")).toHaveLength(2);
  });

  test("an entity fires again after it cleared, as a new row", async () => {
    for (const fireTime of [NOW, NOW + 300, NOW + 600]) {
      const next = event("task:1");
      expect(await openDetected(db, [next], firing("again", { fireTime }))).toEqual(
        new Set([next.id]),
      );
      expect(only(await activeList(db, "again"))).toMatchObject({ id: next.id, fireTime });
      await db.transaction((tx) =>
        clearEvents(tx, [{ id: next.id, reason: "gone" }], [], fireTime + 1),
      );
      expect(await activeList(db, "again")).toEqual([]);
    }
  });

  test("12,000 detections at once: every row, in a handful of statements", async () => {
    const events = Array.from({ length: 12_000 }, (_, index) => event(`task:${index}`));
    let statements = 0;
    const made = await db.transaction((tx) =>
      openDetected(
        {
          query: (sql, params) => {
            statements++;
            return tx.query(sql, params);
          },
          isTransaction: true,
        },
        events,
        firing("many"),
      ),
    );
    expect(made).toEqual(new Set(events.map(({ id }) => id)));
    expect(await activeList(db, "many")).toHaveLength(12_000);
    expect(statements).toBeLessThan(10);

    const again = events.map(({ detection }) => ({ id: randomUUID(), detection }));
    expect(await openDetected(db, again, firing("many"))).toEqual(new Set());
  });

  test("a transaction that fails takes its events with it", async () => {
    const lost = db.transaction(async (tx) => {
      await openDetected(tx, [event("task:1")], firing("rolled back"));
      throw new Error("the tick died");
    });
    await expect(lost).rejects.toThrow("the tick died");
    expect(await activeList(db, "rolled back")).toEqual([]);
  });
});

describe("openEvents on a shared Postgres", () => {
  let dsn: string;
  let ours: Database;
  let theirs: Database;
  beforeAll(async () => {
    dsn = await createPostgres();
    ours = await openPostgres(loginTo(dsn));
    theirs = await openPostgres(loginTo(dsn));
    await migrate(ours);
  });
  afterAll(async () => {
    await ours.close();
    await theirs.close();
  });

  test("two ticks that detect the same entity at once make one row; the later one waits, then yields", async () => {
    const first = event("task:1");
    const second = [event("task:1"), event("task:2")];
    let waiting: Promise<ReadonlySet<string>> | undefined;
    await ours.transaction(async (tx) => {
      await openDetected(tx, [first], firing("pair"));
      waiting = openDetected(theirs, second, firing("pair"));
      await untilBlocked(tx);
    });
    expect(await waiting).toEqual(new Set([second[1]?.id]));
    const keys = (await activeList(ours, "pair")).map(({ id, dedupeKey }) => [dedupeKey, id]);
    expect(keys.sort()).toEqual([
      ["task:1", first.id],
      ["task:2", second[1]?.id],
    ]);
  });

  test("where the earlier one rolls back, the later one makes the row", async () => {
    const second = event("task:1");
    let waiting: Promise<ReadonlySet<string>> | undefined;
    const lost = ours.transaction(async (tx) => {
      await openDetected(tx, [event("task:1")], firing("undone"));
      waiting = openDetected(theirs, [second], firing("undone"));
      await untilBlocked(tx);
      throw new Error("the first tick died");
    });
    await expect(lost).rejects.toThrow("the first tick died");
    expect(await waiting).toEqual(new Set([second.id]));
    expect(only(await activeList(ours, "undone")).id).toBe(second.id);
  });

  test("hundreds of detections with a megabyte each are stored, though no one statement could hold them", async () => {
    const body = "x".repeat(2 ** 20);
    const events = Array.from({ length: 270 }, (_, index) => event(`task:${index}`, { body }));
    expect(await openDetected(ours, events, firing("heavy"))).toHaveProperty("size", 270);
  });

  /** Resolves when another session waits for a lock that this transaction holds. */
  async function untilBlocked(tx: Pick<Database, "query">): Promise<void> {
    for (;;) {
      const rows = await tx.query(
        "SELECT 1 AS one FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))",
      );
      if (rows.length > 0) return;
    }
  }
});
