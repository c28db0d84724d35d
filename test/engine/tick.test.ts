import { describe, expect, test } from "vitest";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { perAlarm } from "../support/contract.ts";
import { createPostgres, DATABASES } from "../support/databases.ts";
import { loginTo } from "../support/login.ts";
import {
  changeAlarm,
  type Entry,
  eventsOf,
  insertAlarm,
  insertEntry,
  only,
  readEntries,
} from "../support/rows.ts";
import { type EngineAt, engineAt, type Says, START } from "./engine_at.ts";

const MINUTE = 60;
const HOUR = 3600;

/** What a tick told in its mail: `3 new` and so on; a dash when it sent none. */
async function tickAt(engine: EngineAt, time: number): Promise<string> {
  engine.now = time;
  const report = await engine.tick();
  const result = only((report?.results ?? []).filter(({ row }) => row.name === "x"));
  if (result.kind !== "ran") return result.kind;
  const { fresh, continuing } = result.notice;
  return result.sent ? `${fresh.length} new, ${continuing.length} continuing` : "-";
}

async function events(engine: EngineAt): Promise<readonly Entry[]> {
  return await eventsOf(engine.db, "x");
}

interface Step {
  readonly sentence: string;
  /** Since the first step. */
  readonly minute: number;
  readonly says?: Says;
  readonly set?: { readonly [key: string]: unknown };
  readonly mailBlocked?: boolean;
  readonly mail: string;
  /** Keys that are active afterwards. */
  readonly active: readonly string[];
}

const TIMELINES: readonly {
  readonly name: string;
  readonly hours: number;
  readonly steps: readonly Step[];
}[] = [
  {
    name: "one mail for each firing without a window",
    hours: 0,
    steps: [
      { sentence: "nothing is wrong", minute: 0, says: { keys: [] }, mail: "-", active: [] },
      {
        sentence: "a fires",
        minute: 5,
        says: { keys: ["a"] },
        mail: "1 new, 0 continuing",
        active: ["a"],
      },
      {
        sentence: "b joins",
        minute: 10,
        says: { keys: ["b", "a"] },
        mail: "1 new, 0 continuing",
        active: ["a", "b"],
      },
      { sentence: "both go on", minute: 15, mail: "-", active: ["a", "b"] },
      { sentence: "a month later they still do", minute: 43_200, mail: "-", active: ["a", "b"] },
      { sentence: "a clears", minute: 43_205, says: { keys: ["b"] }, mail: "-", active: ["b"] },
      {
        sentence: "a is back",
        minute: 43_210,
        says: { keys: ["a", "b"] },
        mail: "1 new, 0 continuing",
        active: ["a", "b"],
      },
      { sentence: "all is well", minute: 43_215, says: { keys: [] }, mail: "-", active: [] },
    ],
  },
  {
    name: "a window of two hours, to the second",
    hours: 2,
    steps: [
      {
        sentence: "a fires",
        minute: 0,
        says: { keys: ["a"] },
        mail: "1 new, 0 continuing",
        active: ["a"],
      },
      {
        sentence: "b fires an hour later",
        minute: 60,
        says: { keys: ["a", "b"] },
        mail: "1 new, 0 continuing",
        active: ["a", "b"],
      },
      {
        sentence: "a second before a's window",
        minute: 120 - 1 / 60,
        mail: "-",
        active: ["a", "b"],
      },
      { sentence: "at a's window", minute: 120, mail: "0 new, 1 continuing", active: ["a", "b"] },
      {
        sentence: "b's window, and c is new",
        minute: 180,
        says: { keys: ["a", "b", "c"] },
        mail: "1 new, 1 continuing",
        active: ["a", "b", "c"],
      },
      {
        sentence: "a's next window",
        minute: 240,
        mail: "0 new, 1 continuing",
        active: ["a", "b", "c"],
      },
    ],
  },
  {
    name: "a detect that fails mails no reminder of what it does not see, and clears nothing",
    hours: 1,
    steps: [
      {
        sentence: "a and b fire",
        minute: 0,
        says: { keys: ["a", "b"] },
        mail: "2 new, 0 continuing",
        active: ["a", "b"],
      },
      {
        sentence: "detect fails past the window",
        minute: 90,
        says: { fails: "no" },
        mail: "-",
        active: ["a", "b"],
      },
      {
        sentence: "half of it is seen, past the window",
        minute: 95,
        says: { keys: ["a"], incomplete: "half" },
        mail: "0 new, 1 continuing",
        active: ["a", "b"],
      },
      {
        sentence: "all is seen again: b's reminder is due",
        minute: 100,
        says: { keys: ["a", "b"] },
        mail: "0 new, 1 continuing",
        active: ["a", "b"],
      },
      {
        sentence: "complete, and nothing is wrong",
        minute: 105,
        says: { keys: [] },
        mail: "-",
        active: [],
      },
    ],
  },
  {
    name: "mail that is off, or fails, is made up for",
    hours: 0,
    steps: [
      {
        sentence: "mail is off and a fires",
        minute: 0,
        says: { keys: ["a"] },
        set: { enabled: false },
        mail: "-",
        active: ["a"],
      },
      {
        sentence: "mail is on but cannot go out",
        minute: 5,
        says: { keys: ["a", "b"] },
        set: { enabled: true },
        mailBlocked: true,
        mail: "-",
        active: ["a", "b"],
      },
      { sentence: "it still cannot", minute: 10, mail: "-", active: ["a", "b"] },
      {
        sentence: "detect fails, and what is owed goes out all the same",
        minute: 15,
        says: { fails: "no" },
        mailBlocked: false,
        mail: "0 new, 2 continuing",
        active: ["a", "b"],
      },
      {
        sentence: "nothing is owed any more",
        minute: 20,
        says: { keys: ["a", "b"] },
        mail: "-",
        active: ["a", "b"],
      },
    ],
  },
  {
    name: "a clock that steps back neither clears nor crashes, and repeats one reminder",
    hours: 1,
    steps: [
      {
        sentence: "a fires",
        minute: 600,
        says: { keys: ["a"] },
        mail: "1 new, 0 continuing",
        active: ["a"],
      },
      {
        sentence: "ten hours back, b fires",
        minute: 0,
        says: { keys: ["a", "b"] },
        // The mail about a is from the future, so that a is due.
        mail: "1 new, 1 continuing",
        active: ["a", "b"],
      },
      {
        sentence: "their hour is over",
        minute: 60,
        mail: "0 new, 2 continuing",
        active: ["a", "b"],
      },
      {
        sentence: "a clears before it fired",
        minute: 65,
        says: { keys: ["b"] },
        mail: "-",
        active: ["b"],
      },
      {
        sentence: "the clock is right again",
        minute: 605,
        says: { keys: ["a", "b"] },
        mail: "1 new, 1 continuing",
        active: ["a", "b"],
      },
    ],
  },
];

const openServer = async () => openPostgres(loginTo(await createPostgres()));

describe.each(DATABASES)("on $kind", ({ open }) => {
  test.for(TIMELINES)("$name", async ({ hours, steps }) => {
    const engine = await engineAt(open);
    await insertAlarm(engine.db, "x", { renotification_window_hours: hours });
    for (const { sentence, minute, says, set, mailBlocked, mail, active } of steps) {
      if (says !== undefined) engine.says("x", says);
      if (set !== undefined) {
        await changeAlarm(engine.db, "x", set);
      }
      if (mailBlocked !== undefined) engine.blockMail(mailBlocked);
      expect(await tickAt(engine, START + minute * MINUTE), sentence).toBe(mail);
      const keys = (await events(engine))
        .filter(({ data }) => data.clear_time === null)
        .map(({ data }) => data.dedupe_key);
      expect(keys.sort(), sentence).toEqual(active);
    }
  });
});

test("every time in the rows is the tick's own, but the stamp of the mail", async () => {
  const engine = await engineAt(openServer);
  await insertAlarm(engine.db, "x");
  engine.says("x", { keys: ["a"] });
  await engine.tick();
  engine.now = START + HOUR;
  engine.says("x", { keys: [] });
  await engine.tick();
  const event = only(await events(engine));
  expect(event).toMatchObject({
    timestamp_created: START,
    timestamp_modified: START + HOUR,
    data: { fire_time: START, last_seen: START, last_notified: START, clear_time: START + HOUR },
  });
  const runs = await readEntries(engine.db, "engine_run");
  expect(runs.map(({ title, data }) => [title, data.entry_id, data.started_at])).toEqual([
    ["Engine run 20270115 08:00:00 UTC", "run_1800000000", START],
    ["Engine run 20270115 09:00:00 UTC", "run_1800003600", START + HOUR],
  ]);
});

test("a reminder counts once, also one that a later tick sends again", async () => {
  const engine = await engineAt(openServer);
  await insertAlarm(engine.db, "x", { renotification_window_hours: 1 });
  engine.says("x", { keys: ["a"] });
  const counts: unknown[] = [];
  for (const [minute, blocked] of [
    [0, false],
    [60, true],
    [65, false],
    [120, false],
  ] as const) {
    engine.blockMail(blocked);
    await tickAt(engine, START + minute * MINUTE);
    counts.push(Object(only(await events(engine)).data.swf).reminders);
  }
  expect(counts).toEqual([undefined, undefined, { email: 1 }, { email: 2 }]);
});

test("a plan gives the report of a tick and leaves the database as it is", async () => {
  const engine = await engineAt(openServer);
  await insertAlarm(engine.db, "x");
  engine.says("x", { keys: ["a"] });
  engine.says("newcomer", { keys: ["n"] });
  const report = await engine.tick("plan");
  expect(report).toMatchObject({
    startedAt: START,
    newModules: ["newcomer"],
    notificationsSent: 0,
    errors: [],
  });
  expect(report?.results.filter(({ row }) => row.name !== "engine")).toMatchObject([
    {
      kind: "ran",
      row: { entryId: "alarm_newcomer", id: "", enabled: false },
      notice: { reason: "mail is off" },
    },
    {
      kind: "ran",
      row: { entryId: "alarm_x" },
      notice: { reason: "plan only" },
      sent: 0,
    },
  ]);
  const [counts] = await engine.db.query("SELECT count(*)::int AS n FROM entry");
  expect(counts).toEqual({ n: 1 });
  expect(engine.mails()).toEqual([]);
});

test("what is not configured is told when it is news, and again only when it changes", async () => {
  const engine = await engineAt(openServer);
  engine.module(
    "x.js",
    `export const PARAMS = { a: { type: "number", required: true, description: "" }, b: { type: "number", required: true, description: "" } }; export const SOURCES = ["one"]; export const detect = () => [];`,
  );
  const told = (): readonly string[] =>
    engine.log.filter((line) => line.startsWith("info") && line.includes("not configured"));
  await engine.tick();
  const start = "info x is not configured: [sources.one] is not in the configuration";
  const all = `${start}; parameter a has no value; parameter b has no value`;
  expect(told()).toEqual([all]);
  engine.now += 300;
  await engine.tick();
  expect(told()).toEqual([all]);
  engine.now += 300;
  await engine.db.query(
    `UPDATE entry SET data = jsonb_set(data, '{params}', '{"a": 1}') WHERE kind = 'alarm'`,
  );
  await engine.tick();
  expect(told()).toEqual([all, `${start}; parameter b has no value`]);
});

test("what is not configured is not told anew because somebody ran another alarm alone", async () => {
  const engine = await engineAt(openServer);
  engine.module("x.js", `export const SOURCES = ["one"]; export const detect = () => [];`);
  engine.says("y", { keys: [] });
  await engine.tick();
  engine.now += 300;
  await engine.tick("tick", ["y"]);
  engine.now += 300;
  await engine.tick();
  expect(
    engine.log.filter((line) => line.startsWith("info") && line.includes("not configured")),
  ).toHaveLength(1);
});

test("two ticks one right after the other both run", async () => {
  const engine = await engineAt(openServer);
  engine.says("x", { keys: ["a"] });
  for (let count = 0; count < 20; count++) expect(await engine.tick()).toBeDefined();
});

test("a run record keeps a thousand ids of events, and the notification all of them", async () => {
  const engine = await engineAt(openServer);
  await insertAlarm(engine.db, "x");
  engine.says("x", { keys: Array.from({ length: 1200 }, (_, index) => `k${index}`) });
  await engine.tick();
  const run = only(await readEntries(engine.db, "engine_run"));
  const entry = perAlarm(run, "alarm_x");
  expect(entry.bundle_new).toBe(1200);
  expect(entry.bundle_new_event_ids).toHaveLength(1000);
  const attempt = only(await readEntries(engine.db, "notification"));
  expect(attempt.data.new_event_ids).toHaveLength(1200);
  expect(engine.mails()).toHaveLength(1);
});

test("an event whose key is no text is no trouble, and opens no second events", async () => {
  const engine = await engineAt(openServer);
  await insertAlarm(engine.db, "x");
  await insertAlarm(engine.db, "y");
  engine.says("x", { keys: ["a"] });
  engine.says("y", { keys: ["b"] });
  await engine.tick();
  // Nobody writes such a row, and yet one alarm's row must not be another's trouble.
  await insertEntry(engine.db, {
    kind: "event",
    data: { entry_id: "event_x", dedupe_key: { not: "a text" }, clear_time: null },
  });
  engine.now += 300;
  const report = await engine.tick();
  expect(report?.results.map(({ row }) => row.name)).toEqual(["engine", "x", "y"]);
  const active = (await events(engine)).filter(
    ({ data }) => data.clear_time === null && data.dedupe_key === "a",
  );
  expect(active).toHaveLength(1);
});

test("rows that no editor would make are one alarm's own trouble: too deep, too large, named like an object's own", async () => {
  const engine = await engineAt(openServer);
  for (const name of ["deep", "odd", "steady"]) engine.says(name, { keys: ["a"] });
  for (const name of ["deep", "steady"]) await insertAlarm(engine.db, name);
  await insertEntry(engine.db, {
    kind: "alarm",
    data: Object.fromEntries([
      ["entry_id", "__proto__"],
      ["module", "odd"],
    ]),
  });
  await engine.db.query(
    `UPDATE entry SET data = data || ('{"recipients": ' || repeat('[', 6000) || repeat(']', 6000) || '}')::jsonb
     WHERE data->>'entry_id' = 'alarm_deep'`,
  );
  await engine.tick();
  await engine.db.query(
    `UPDATE entry SET data = data || '{"fire_time": 1e400}' WHERE data->>'entry_id' = 'event_steady'`,
  );
  engine.now += 300;
  const report = await engine.tick();
  expect(report?.errors).toEqual([
    expect.stringMatching(/^steady: 1 active event.s. have a fire_time that is not a time/),
    expect.stringMatching(/^deep: .*too deep.* is not an email address/),
  ]);
  const run = (await readEntries(engine.db, "engine_run")).at(-1);
  for (const entryId of ["__proto__", "alarm_deep", "alarm_odd", "alarm_steady"])
    expect(Object.hasOwn(Object(run?.data.per_alarm), entryId)).toBe(true);
  for (const name of ["deep", "steady"]) expect(await eventsOf(engine.db, name)).toHaveLength(1);
});
