import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AlarmRow } from "../../src/core/model.ts";
import type { RenotifyRule } from "../../src/core/renotify.ts";
import {
  type AlarmChange,
  alarmRows,
  changeAlarm,
  createAlarm,
  parseAlarmRow,
} from "../../src/store/alarms.ts";
import type { Database } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { DATABASES } from "../support/databases.ts";
import { entryRow, insertEntry } from "../support/raw_entries.ts";
import { NO_REMINDERS } from "../support/reminders.ts";

const NOW = 1_790_000_000.5;
const ID = "5f0c7a52-0000-4000-8000-000000000001";

/** The row that the cases below vary. */
const PLAIN: AlarmRow = {
  id: ID,
  entryId: "alarm_x",
  name: "x",
  module: "x",
  title: "A title",
  description: "Head of the mail.",
  enabled: true,
  channels: [],
  notifyClear: false,
  recipients: [],
  renotify: NO_REMINDERS,
  severity: undefined,
  settle: undefined,
  clearAfter: undefined,
  params: {},
  limits: {},
  archived: false,
  faults: [],
  blocker: undefined,
};

function renotify(rule: Partial<RenotifyRule>): Partial<AlarmRow> {
  return { renotify: { ...NO_REMINDERS, ...rule } };
}

function parse(data: unknown, archived = false): AlarmRow | string {
  return parseAlarmRow({
    id: ID,
    title: "A title",
    content: "Head of the mail.",
    data,
    archived,
  });
}

describe("parseAlarmRow", () => {
  const read: readonly (readonly [string, object, Partial<AlarmRow>])[] = [
    ["nothing but its name: mail on, nobody, one mail per event", {}, {}],
    ["enabled", { enabled: true }, { enabled: true }],
    ["disabled", { enabled: false }, { enabled: false }],
    [
      "recipients as typed, with every separator that people use",
      { recipients: " a@h.example,b@h.example; @prodops\n\tc@h.example " },
      { recipients: ["a@h.example", "b@h.example", "@prodops", "c@h.example"] },
    ],
    [
      "recipients as an array",
      { recipients: ["a@h.example", "@prodops"] },
      { recipients: ["a@h.example", "@prodops"] },
    ],
    [
      "an array whose texts hold several",
      { recipients: ["a@h.example, b@h.example", ""] },
      { recipients: ["a@h.example", "b@h.example"] },
    ],
    ["an empty string is no recipients", { recipients: "" }, { recipients: [] }],
    ["recipients null is no recipients", { recipients: null }, { recipients: [] }],
    [
      "recipients that are not strings, which are no addresses",
      { recipients: ["a@h.example", 5, { to: "a" }] },
      { recipients: ["a@h.example", "5", '{"to":"a"}'] },
    ],
    ["channels", { channels: ["chat", "email"] }, { channels: ["chat", "email"] }],
    ["channels as a text", { channels: " chat, email;chat" }, { channels: ["chat", "email"] }],
    ["channels null: the default ones", { channels: null }, { channels: [] }],
    ["hours as a number", { renotification_window_hours: 24 }, renotify({ hours: 24 })],
    ["half an hour", { renotification_window_hours: 0.5 }, renotify({ hours: 0.5 })],
    ["hours as a text", { renotification_window_hours: " 12 " }, renotify({ hours: 12 })],
    ["hours empty", { renotification_window_hours: "" }, {}],
    ["hours null", { renotification_window_hours: null }, {}],
    [
      "a course of reminders",
      {
        renotification_window_hours: 1,
        renotification_growth: 2,
        renotification_max_hours: 24,
        renotification_count: 5,
      },
      renotify({ hours: 1, growth: 2, maxHours: 24, count: 5 }),
    ],
    ["growth as a text", { renotification_growth: "1.5" }, renotify({ growth: 1.5 })],
    ["the greatest growth", { renotification_growth: 10 }, renotify({ growth: 10 })],
    ["one reminder", { renotification_count: 1 }, renotify({ count: 1 })],
    [
      "settings that are null: the defaults",
      {
        renotification_growth: null,
        renotification_max_hours: null,
        renotification_count: null,
        severity: null,
        settle: null,
        clear_after: null,
        notify_clear: null,
      },
      {},
    ],
    [
      "settings whose fields an editor has emptied",
      { renotification_max_hours: "", severity: "", settle: "", clear_after: "" },
      {},
    ],
    ["a severity", { severity: "critical" }, { severity: "critical" }],
    ["a severity in capitals", { severity: " Warning" }, { severity: "warning" }],
    ["no severity", { severity: "none" }, {}],
    ["settle as a number", { settle: 3 }, { settle: { hits: 3, of: 3 } }],
    ["settle as a text", { settle: " 3 " }, { settle: { hits: 3, of: 3 } }],
    ["settle as a share", { settle: "2/3" }, { settle: { hits: 2, of: 3 } }],
    ["settle as a time", { settle: "15m" }, { settle: { seconds: 900 } }],
    ["settle off", { settle: "off" }, {}],
    ["settle of one outcome, which is off", { settle: 1 }, {}],
    ["settle of one out of one, which is off", { settle: "1/1" }, {}],
    ["settle of one out of two", { settle: "1/2" }, { settle: { hits: 1, of: 2 } }],
    ["clear after", { clear_after: "10m" }, { clearAfter: { seconds: 600 } }],
    ["clear after two outcomes", { clear_after: 2 }, { clearAfter: { hits: 2, of: 2 } }],
    ["clears too", { notify_clear: true }, { notifyClear: true }],
    ["no clears", { notify_clear: false }, {}],
    ["params", { params: { threshold: 0.1, n: null } }, { params: { threshold: 0.1, n: null } }],
    ["params null", { params: null }, { params: {} }],
    [
      "params nested by the dashboard's editor stay for the module's own check",
      { params: { kind: "alarm", params: { threshold: 0.1 } } },
      { params: { kind: "alarm", params: { threshold: 0.1 } } },
    ],
    ["another module's name", { module: "shared_rule" }, { module: "shared_rule" }],
    ["module null", { module: null }, { module: "x" }],
    ["keys of old rows", { kind: "alarm", last_run: 5 }, {}],
    [
      "limits of its own",
      { alarm_timeout: 0.5, alarm_memory: 1024, max_detections: 5 },
      { limits: { timeout: 0.5, memory: 1024, detections: 5 } },
    ],
    ["a limit that is null", { alarm_timeout: null }, { limits: {} }],
    ["an entry_id without the prefix", { entry_id: "x" }, { entryId: "x" }],
    [
      "an entry_id whose name has the prefix again",
      { entry_id: "alarm_alarm_x" },
      { entryId: "alarm_alarm_x", name: "alarm_x", module: "alarm_x" },
    ],
  ];
  test.each(read)("read without a fault: %s", (_sentence, data, expected) => {
    expect(parse({ entry_id: "alarm_x", ...data })).toEqual({ ...PLAIN, ...expected });
  });

  test("an archived row says that it is archived", () => {
    expect(parse({ entry_id: "alarm_x" }, true)).toEqual({ ...PLAIN, archived: true });
  });

  test.each<readonly [string, object, boolean]>([
    ["by default", {}, true],
    ["where its row says nothing", { notify_clear: null }, true],
    ["where its row says so", { notify_clear: true }, true],
    ["unless its row says no", { notify_clear: false }, false],
  ])("the alarm engine notifies of clears too: %s", (_sentence, data, notifyClear) => {
    const row = parse({ entry_id: "alarm_engine", ...data });
    expect(row).toMatchObject({ notifyClear, faults: [] });
  });

  test("a value of the alarm engine that cannot be read is its own default", () => {
    expect(parse({ entry_id: "alarm_engine", notify_clear: "no" })).toMatchObject({
      notifyClear: true,
      faults: ['the row\'s notify_clear is "no", treated as true; it must be true or false'],
    });
  });

  const faulty: readonly (readonly [string, object, string])[] = [
    ["enabled is a text", { enabled: "false" }, 'enabled is "false", treated as true'],
    ["enabled is a number", { enabled: 0 }, "enabled is 0, treated as true"],
    ["channels are numbers", { channels: [5] }, "channels are [5]; they must be a list of names"],
    ["channels are an object", { channels: { chat: true } }, 'channels are {"chat":true}'],
    ["hours is a word", { renotification_window_hours: "daily" }, 'hours is "daily", treated as 0'],
    ["hours is negative", { renotification_window_hours: -1 }, "hours is -1, treated as 0"],
    ["hours is a list", { renotification_window_hours: [24] }, "hours is [24], treated as 0"],
    ["hours is true", { renotification_window_hours: true }, "hours is true, treated as 0"],
    ["hours is beyond counting", { renotification_window_hours: "1e999" }, 'hours is "1e999"'],
    ["a time that is not a number", { alarm_timeout: "5" }, 'alarm_timeout is "5", ignored'],
    ["a time of nothing", { alarm_timeout: 0 }, "alarm_timeout is 0, ignored; it must be 0.1"],
    ["too little memory", { alarm_memory: 63 }, "alarm_memory is 63, ignored"],
    ["too many detections", { max_detections: 1e9 }, "max_detections is 1000000000, ignored"],
    [
      "growth below 1",
      { renotification_growth: 0.5 },
      "renotification_growth is 0.5, treated as 1; it must be a number from 1 to 10",
    ],
    ["growth above 10", { renotification_growth: 10.1 }, "renotification_growth is 10.1"],
    ["growth is a word", { renotification_growth: "double" }, 'renotification_growth is "double"'],
    [
      "the longest wait is nothing",
      { renotification_max_hours: 0 },
      "renotification_max_hours is 0, ignored; it must be a number of hours above 0",
    ],
    ["the longest wait is a list", { renotification_max_hours: [1] }, "max_hours is [1], ignored"],
    [
      "no reminders at all, which is not a count",
      { renotification_count: 0 },
      "renotification_count is 0, ignored; it must be a whole number, at least 1",
    ],
    ["half a reminder", { renotification_count: 1.5 }, "renotification_count is 1.5, ignored"],
    [
      "a severity that does not exist",
      { severity: "high" },
      'severity is "high", treated as none; write info, warning, error, critical or none',
    ],
    [
      "a mistyped severity",
      { severity: "waring" },
      'severity is "waring", treated as none (did you mean warning?); write info',
    ],
    ["a severity is a number", { severity: 3 }, "severity is 3, treated as none; write info"],
    [
      "settle needs more than it looks at",
      { settle: "4/3" },
      'settle is "4/3", treated as off; write a number of outcomes in a row such as 3',
    ],
    ["settle is 0", { settle: 0 }, "settle is 0, treated as off; write"],
    ["settle is half an outcome", { settle: 1.5 }, "settle is 1.5, treated as off; write"],
    ["settle is false", { settle: false }, "settle is false, treated as off; write"],
    ["settle is a list", { settle: ["3"] }, 'settle is ["3"], treated as off; write'],
    ["clear after a word", { clear_after: "soon" }, 'clear_after is "soon", treated as off; write'],
    [
      "notify_clear is a text",
      { notify_clear: "on" },
      'notify_clear is "on", treated as false; it must be true or false',
    ],
    ["hours is NaN as a text", { renotification_window_hours: "NaN" }, 'hours is "NaN"'],
  ];
  test.each(faulty)("read with a fault and a safe value: %s", (_sentence, data, fault) => {
    const row = parse({ entry_id: "alarm_x", ...data });
    expect(row).toEqual({ ...PLAIN, faults: [expect.stringContaining(fault)] });
  });

  test("every fault of a row is reported, and a long value is quoted in part", () => {
    const row = parse({
      entry_id: "alarm_x",
      enabled: "x".repeat(5_000),
      alarm_timeout: "5",
      renotification_window_hours: "daily",
    });
    if (typeof row === "string") throw new Error(row);
    expect(row.faults).toHaveLength(3);
    expect(row.faults.join("").length).toBeLessThan(500);
  });

  const unusable: readonly (readonly [string, object, string])[] = [
    ["a module above the folder", { module: "../x" }, '"../x"'],
    ["a module with a path", { module: "lib/x" }, '"lib/x"'],
    ["an absolute path", { module: "/etc/passwd" }, '"/etc/passwd"'],
    ["a path in Windows' notation", { module: "..\\x" }, '"..\\\\x"'],
    ["a URL", { module: "file:///x" }, '"file:///x"'],
    ["a module with an ending", { module: "x.ts" }, '"x.ts"'],
    ["a module with a NUL", { module: "x\0" }, '"x\\u0000"'],
    ["a module with a line break", { module: "x\n" }, '"x\\n"'],
    ["a module in capitals", { module: "X" }, '"X"'],
    ["a private module", { module: "_x" }, '"_x"'],
    ["a package's name", { module: "node:fs" }, '"node:fs"'],
    ["a property of every object", { module: "__proto__" }, '"__proto__"'],
    ["an empty name", { module: "" }, '""'],
    ["a module that is not a string", { module: 5 }, "5"],
    ["a module that is a list", { module: ["x"] }, '["x"]'],
    ["a very long name", { module: "x".repeat(300) }, '"xxx'],
    ["an entry_id that leads out of the folder", { entry_id: "alarm_../x" }, '"../x"'],
    ["an entry_id that is only the prefix", { entry_id: "alarm_" }, '""'],
  ];
  test.each(unusable)("cannot run: %s", (_sentence, data, quoted) => {
    expect(parse({ entry_id: "alarm_x", ...data })).toMatchObject({
      blocker: expect.stringContaining(`the row names the module ${quoted}`),
    });
  });

  test.each([
    ["a list", [1], "[1]"],
    ["a text", "threshold=1", '"threshold=1"'],
    ["a number", 0, "0"],
    ["false", false, "false"],
  ])("cannot run: params is %s", (_sentence, params, quoted) => {
    expect(parse({ entry_id: "alarm_x", params })).toEqual({
      ...PLAIN,
      blocker: expect.stringContaining(`params are ${quoted}; they must be an object`),
    });
  });

  test.each([
    ["data is null", null],
    ["data is a text", "alarm_x"],
    ["data is a list", ["alarm_x"]],
    ["no entry_id", { enabled: true }],
    ["entry_id null", { entry_id: null }],
    ["entry_id empty", { entry_id: "" }],
    ["entry_id is a number", { entry_id: 5 }],
    ["entry_id is an object", { entry_id: { a: 1 } }],
  ])("does not name an alarm: %s", (_sentence, data) => {
    expect(parse(data)).toBe(
      `alarm row ${ID} ("A title") has no data.entry_id; set it to "alarm_<name>", or archive it: UPDATE entry SET archived = true WHERE id = '${ID}'`,
    );
  });
});

describe.each(DATABASES)("alarm rows on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  afterAll(() => db.close());

  test("alarmRows returns the live and the archived, the names of the deleted, and errors about invalid rows", async () => {
    const alarm = (data: unknown, rest: object = {}) =>
      insertEntry(db, { kind: "alarm", data, ...rest });
    const second = await alarm({ entry_id: "alarm_b" }, { created: 2 });
    const first = await alarm({ entry_id: "alarm_b" }, { created: 1 });
    const archived = await alarm({ entry_id: "alarm_a" }, { archived: true });
    await alarm({ entry_id: "alarm_gone" }, { deletedAt: 5 });
    await alarm({ entry_id: "alarm_elsewhere" }, { context: "teams" });
    await insertEntry(db, { kind: "event", data: { entry_id: "alarm_event" } });
    const invalid = [await alarm(null), await alarm({ entry_id: 5 })];
    await alarm(null, { archived: true });
    await alarm(null, { deletedAt: 5 });

    const found = await alarmRows(db);
    expect(found.rows.map(({ id }) => id)).toEqual([archived, first, second]);
    expect(found.deleted.map(({ name }) => name)).toEqual(["gone"]);
    expect(found.invalid).toHaveLength(2);
    for (const id of invalid) expect(found.invalid.join("\n")).toContain(id);
  });

  test("createAlarm makes the contract's row, with mail off", async () => {
    const params = { threshold: 0.1, owners: ["a", "b"], note: null };
    const wish = { name: "made_here", title: "Made here", description: "Why.", params };
    const made = await db.transaction((tx) => createAlarm(tx, wish, NOW));
    expect(made).toMatchObject({ entryId: "alarm_made_here", enabled: false, params, faults: [] });
    expect(await entryRow(db, made.id)).toEqual({
      id: made.id,
      title: "Made here",
      content: "Why.",
      kind: "alarm",
      name: null,
      data: {
        entry_id: "alarm_made_here",
        enabled: false,
        recipients: [],
        renotification_window_hours: 0,
        params,
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
    expect((await alarmRows(db)).rows.find(({ id }) => id === made.id)).toEqual(made);
  });

  test.each([
    ["no title: its name in words", undefined, undefined, "made so", ""],
    ["a title too long for the column", "t".repeat(300), "d", "t".repeat(255), "d"],
    ["what Postgres refuses", "a\0\nb", "c\0\ud800", "a\uFFFD b", "c\uFFFD\uFFFD"],
  ])("createAlarm: %s", async (_sentence, title, description, made, content) => {
    const row = await db.transaction((tx) =>
      createAlarm(tx, { name: "made_so", title, description, params: {} }, NOW),
    );
    expect(row).toMatchObject({ title: made, description: content });
  });

  describe("changeAlarm", () => {
    const data = {
      entry_id: "alarm_edited",
      enabled: false,
      recipients: "a@h.example",
      severity: "old",
      params: { threshold: 0.1, days: 7 },
    };
    const changes: readonly (readonly [string, Partial<AlarmChange>, object])[] = [
      ["mail on", { data: { enabled: true } }, { data: { ...data, enabled: true } }],
      [
        "params are replaced whole",
        { data: { params: { days: 1 } } },
        { data: { ...data, params: { days: 1 } } },
      ],
      ["params can be emptied", { data: { params: {} } }, { data: { ...data, params: {} } }],
      ["a new key", { data: { module: "y" } }, { data: { ...data, module: "y" } }],
      ["title", { title: `T'"\n${"x".repeat(300)}` }, { title: `T'" ${"x".repeat(251)}` }],
      ["description", { description: "D\0\n" }, { content: "D\uFFFD\n" }],
      ["an empty description", { description: "" }, { content: "" }],
      ["archived", { archived: true }, { archived: true }],
      ["back from the archive", { archived: false }, { archived: false }],
      ["nothing", {}, {}],
    ];
    test.each(changes)("%s; the rest of the row stays", async (_sentence, change, written) => {
      const id = await insertEntry(db, { kind: "alarm", content: "D", data });
      const bystander = await insertEntry(db, { kind: "alarm", data });
      const before = await entryRow(db, id);
      const other = await entryRow(db, bystander);
      await db.transaction((tx) => changeAlarm(tx, id, { data: {}, ...change }, "cli:me", NOW));
      expect(await entryRow(db, id)).toEqual({ ...before, timestamp_modified: NOW, ...written });
      expect(await entryRow(db, bystander)).toEqual(other);
    });

    test("each change keeps the state before it as the next version", async () => {
      const id = await insertEntry(db, { kind: "alarm", title: "one", content: "D", data });
      await db.transaction((tx) =>
        changeAlarm(tx, id, { title: "two", data: { enabled: true } }, "cli:me", NOW),
      );
      await db.transaction((tx) =>
        changeAlarm(tx, id, { title: "three", data: {} }, "cli:you", NOW + 1),
      );
      const versions = await db.query(
        `SELECT version_num, title, content, data, changed_by, "timestamp" FROM entry_version
         WHERE entry_id = $1 ORDER BY version_num`,
        [id],
      );
      expect(versions).toEqual([
        {
          version_num: 1,
          title: "one",
          content: "D",
          data,
          changed_by: "cli:me",
          timestamp: NOW,
        },
        {
          version_num: 2,
          title: "two",
          content: "D",
          data: { ...data, enabled: true },
          changed_by: "cli:you",
          timestamp: NOW + 1,
        },
      ]);
    });

    test.each([
      ["null", null],
      ["a text", "x"],
      ["a list", [1]],
    ])("data that is %s becomes an object with what was set", async (_sentence, broken) => {
      const id = await insertEntry(db, { kind: "alarm", data: broken });
      await db.transaction((tx) =>
        changeAlarm(tx, id, { data: { entry_id: "alarm_mended" } }, "cli:me", NOW),
      );
      expect((await entryRow(db, id)).data).toEqual({ entry_id: "alarm_mended" });
    });

    test("a change that fails keeps no version either", async () => {
      const id = await insertEntry(db, { kind: "alarm", data });
      const lost = db.transaction(async (tx) => {
        await changeAlarm(tx, id, { data: { enabled: true } }, "cli:me", NOW);
        throw new Error("changed my mind");
      });
      await expect(lost).rejects.toThrow("changed my mind");
      expect((await entryRow(db, id)).data).toEqual(data);
      expect(await db.query("SELECT 1 FROM entry_version WHERE entry_id = $1", [id])).toEqual([]);
    });
  });
});
