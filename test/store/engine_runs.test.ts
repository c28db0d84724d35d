import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Database } from "../../src/store/database.ts";
import {
  closeCrashedRuns,
  closeEngineRun,
  latestPerAlarm,
  listEngineRuns,
  openEngineRun,
  type RunSummary,
} from "../../src/store/engine_runs.ts";
import { migrate } from "../../src/store/migrate.ts";
import { DATABASES } from "../support/databases.ts";
import { entryRow, entryRows, insertEntry } from "../support/raw_entries.ts";

/** 2026-11-21 03:45:07.25 UTC */
const STARTED = 1_795_232_707.25;

const SUMMARY: RunSummary = {
  finished_at: STARTED + 2.5,
  alarms_run: 3,
  alarms_seen: 7,
  notifications_sent: 1,
  errors: 1,
  error_details: `alarm_b: said '"\\ and \0 漢`,
  per_alarm: {
    alarm_a: {
      enabled: true,
      alarms_seen: 7,
      errors: 0,
      bundle_new: 7,
      recipients: ["a@h.example"],
    },
    alarm_b: { enabled: true, alarms_seen: 0, errors: 1, error_message: "gone" },
  },
};

describe.each(DATABASES)("engine runs on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  beforeEach(() => db.query("DELETE FROM entry"));
  afterAll(() => db.close());

  test("opened, it is the contract's row; finished_at is not there yet", async () => {
    const id = await db.transaction((tx) => openEngineRun(tx, STARTED));
    expect(await entryRow(db, id)).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      title: "Engine run 20261121 03:45:07 UTC",
      content: "",
      kind: "engine_run",
      name: null,
      data: { entry_id: "run_1795232707", started_at: STARTED },
      priority: null,
      status: "active",
      archived: false,
      timestamp_created: STARTED,
      timestamp_modified: STARTED,
      deleted_at: null,
      parent_id: null,
      context_id: "swf-alarms",
    });
  });

  test("closed, the counters are merged into what was there, and the status is done", async () => {
    const id = await db.transaction((tx) => openEngineRun(tx, STARTED));
    const other = await db.transaction((tx) => openEngineRun(tx, STARTED + 300));
    const before = await entryRow(db, id);
    const bystander = await entryRow(db, other);
    // What another program noted in the meantime stays.
    await db.query(`UPDATE entry SET data = data || '{"note": "kept"}' WHERE id = $1`, [id]);
    await db.transaction((tx) => closeEngineRun(tx, id, SUMMARY));
    expect(await entryRow(db, id)).toEqual({
      ...before,
      status: "done",
      timestamp_modified: SUMMARY.finished_at,
      data: {
        ...SUMMARY,
        error_details: `alarm_b: said '"\\ and \uFFFD 漢`,
        entry_id: "run_1795232707",
        started_at: STARTED,
        note: "kept",
      },
    });
    expect(await entryRow(db, other)).toEqual(bystander);
  });

  test.each([
    ["the first second of a year", 1_798_761_600, "Engine run 20270101 00:00:00 UTC"],
    ["the last moment of a second", 1_798_761_599.999, "Engine run 20261231 23:59:59 UTC"],
    ["the epoch", 0, "Engine run 19700101 00:00:00 UTC"],
  ])("title: %s", async (_sentence, startedAt, title) => {
    const id = await db.transaction((tx) => openEngineRun(tx, startedAt));
    expect((await entryRow(db, id)).title).toBe(title);
  });

  test("listed newest first, at most so many, without the archived and the deleted", async () => {
    const first = await db.transaction((tx) => openEngineRun(tx, STARTED));
    const second = await db.transaction((tx) => openEngineRun(tx, STARTED + 300));
    await db.transaction((tx) => closeEngineRun(tx, first, SUMMARY));
    await insertEntry(db, { kind: "engine_run", created: STARTED + 600, archived: true });
    await insertEntry(db, { kind: "engine_run", created: STARTED + 600, deletedAt: 5 });
    await insertEntry(db, { kind: "event", created: STARTED + 600 });
    expect((await listEngineRuns(db, 1, true)).map(({ id }) => id)).toEqual([second]);
    expect(await listEngineRuns(db, 10, true)).toEqual([
      {
        id: second,
        startedAt: STARTED + 300,
        finishedAt: undefined,
        alarmsRun: 0,
        alarmsSeen: 0,
        notificationsSent: 0,
        errors: 0,
        errorDetails: "",
        partial: false,
        perAlarm: {},
      },
      {
        id: first,
        startedAt: STARTED,
        finishedAt: SUMMARY.finished_at,
        alarmsRun: 3,
        alarmsSeen: 7,
        notificationsSent: 1,
        errors: 1,
        errorDetails: `alarm_b: said '"\\ and \uFFFD 漢`,
        partial: false,
        perAlarm: SUMMARY.per_alarm,
      },
    ]);
  });

  test("runs that dead ticks left open are closed as crashed; the own one and all others stay", async () => {
    const finished = await db.transaction((tx) => openEngineRun(tx, STARTED));
    await db.transaction((tx) => closeEngineRun(tx, finished, SUMMARY));
    const dead = await db.transaction((tx) => openEngineRun(tx, STARTED + 300));
    const archived = await insertEntry(db, {
      kind: "engine_run",
      created: STARTED + 400,
      archived: true,
      data: { started_at: STARTED + 400, finished_at: null },
    });
    const own = await db.transaction((tx) => openEngineRun(tx, STARTED + 600));
    const others = [
      finished,
      own,
      await insertEntry(db, { kind: "engine_run", created: STARTED, data: null }),
      await insertEntry(db, { kind: "engine_run", created: STARTED, data: ["x"] }),
      await insertEntry(db, { kind: "engine_run", created: STARTED, deletedAt: 5 }),
      await insertEntry(db, { kind: "event", created: STARTED }),
      await insertEntry(db, { kind: "engine_run", created: STARTED, context: "teams" }),
    ];
    const before = await entryRows(db, others);
    const opened = await entryRow(db, dead);
    await db.transaction((tx) => closeCrashedRuns(tx, STARTED + 600, own));
    expect(await entryRow(db, dead)).toEqual({
      ...opened,
      status: "done",
      timestamp_modified: STARTED + 600,
      data: {
        entry_id: "run_1795233007",
        started_at: STARTED + 300,
        crashed_at: STARTED + 600,
        errors: 1,
        error_details:
          "the tick was interrupted before its end; its record was closed by the tick of 2026-11-21 03:55:07 UTC",
      },
    });
    expect((await entryRow(db, archived)).data).toMatchObject({ crashed_at: STARTED + 600 });
    expect(await entryRows(db, others)).toEqual(before);

    const closed = await entryRow(db, dead);
    await db.transaction((tx) => closeCrashedRuns(tx, STARTED + 900, own));
    expect(await entryRow(db, dead)).toEqual(closed);
    const listed = (await listEngineRuns(db, 20, true)).find(({ id }) => id === dead);
    expect(listed).toMatchObject({ crashedAt: STARTED + 600, finishedAt: undefined, errors: 1 });
  });

  test("only the newest runs are looked at, however many lie open", async () => {
    const open: string[] = [];
    for (let tick = 0; tick < 25; tick++)
      open.push(await db.transaction((tx) => openEngineRun(tx, STARTED + tick)));
    await db.transaction((tx) => closeCrashedRuns(tx, STARTED + 100, open.at(-1) ?? ""));
    const crashed = (await listEngineRuns(db, 30, true)).map(
      ({ crashedAt }) => crashedAt !== undefined,
    );
    expect(crashed).toEqual(Array.from({ length: 25 }, (_, place) => place > 0 && place < 20));
  });

  test("runs from the future hide neither those that crashed nor what the last one recorded", async () => {
    const first = await db.transaction((tx) => openEngineRun(tx, STARTED));
    await db.transaction((tx) => closeEngineRun(tx, first, SUMMARY));
    const dead = await db.transaction((tx) => openEngineRun(tx, STARTED + 300));
    for (let n = 0; n < 25; n++) {
      const ahead = await db.transaction((tx) => openEngineRun(tx, STARTED + 86_400 * (n + 1)));
      await db.transaction((tx) =>
        closeEngineRun(tx, ahead, { ...SUMMARY, per_alarm: { alarm_a: { errors: n } } }),
      );
    }
    await db.transaction((tx) => closeCrashedRuns(tx, STARTED + 600, "another"));
    expect((await entryRow(db, dead)).data).toMatchObject({ crashed_at: STARTED + 600 });
    expect(await latestPerAlarm(db, STARTED + 600)).toEqual(SUMMARY.per_alarm);
    expect(await latestPerAlarm(db, STARTED + 86_400)).toEqual({ alarm_a: { errors: 0 } });
  });

  test("a run that was closed as crashed and finishes after all is not a crashed one", async () => {
    const id = await db.transaction((tx) => openEngineRun(tx, STARTED));
    await db.transaction((tx) => closeCrashedRuns(tx, STARTED + 1, "another"));
    await db.transaction((tx) => closeEngineRun(tx, id, SUMMARY));
    const { data } = await entryRow(db, id);
    expect(data).toMatchObject({ finished_at: SUMMARY.finished_at, errors: SUMMARY.errors });
    expect(data).not.toHaveProperty("crashed_at");
  });

  test.each([
    ["data null", null],
    ["data a text", "x"],
    [
      "everything of another type",
      { started_at: "x", errors: "1", error_details: 5, per_alarm: [] },
    ],
  ])("a run of another program is listed with what it has: %s", async (_sentence, data) => {
    const id = await insertEntry(db, { kind: "engine_run", created: 5, data });
    expect(await listEngineRuns(db, 1, true)).toEqual([
      expect.objectContaining({
        id,
        startedAt: 5,
        errors: 0,
        errorDetails: "",
        perAlarm: {},
      }),
    ]);
  });
});
