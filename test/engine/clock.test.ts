import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { confirmClock, judgeClock } from "../../src/engine/clock.ts";
import type { Database } from "../../src/store/database.ts";
import { listEngineRuns, openEngineRun } from "../../src/store/engine_runs.ts";
import { migrate } from "../../src/store/migrate.ts";
import { DATABASES } from "../support/databases.ts";
import { changeAlarm, insertEntry, readEntries } from "../support/rows.ts";
import { engineAt, START } from "./engine_at.ts";

const DAY = 86_400;
const YEAR = 365 * DAY;
const RETENTION = { engineRunsDays: 14, clearedEventsDays: 30, notificationsDays: 365 };

describe.each(DATABASES)("on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  beforeEach(() => db.query("DELETE FROM entry"));
  afterAll(() => db.close());

  /** What a tick does with its clock; returns whether it may remove old rows. */
  async function tick(now: number, service?: number): Promise<boolean> {
    const { check } = await db.transaction((tx) => judgeClock(tx, now));
    await db.transaction((tx) => openEngineRun(tx, now));
    return (
      (await confirmClock(db, check, new Map([["main", { date: service }]]), now)).length === 0
    );
  }

  test("over any course of a clock, rows go only near a certain time, or when another clock agrees", async () => {
    const step = fc.record({
      passed: fc.constantFrom(300, 3600, DAY, 3 * DAY, 20 * DAY),
      error: fc.oneof(
        { weight: 2, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.constantFrom(5 * YEAR, -5 * YEAR, 40 * DAY, 3 * DAY, -3 * DAY) },
      ),
      seen: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await db.query("DELETE FROM entry");
        let real = START;
        let certain = real;
        let wasBehind = false;
        expect(await tick(real)).toBe(true);
        for (const { passed, error, seen } of steps) {
          real += passed;
          const now = real + error;
          const isNear: boolean = !wasBehind && Math.abs(now - certain) <= 2 * DAY;
          const removes = await tick(now, seen ? real : undefined);
          expect(removes).toBe(isNear || (seen && error === 0));
          // Set back a little, it goes on from the newest record.
          if (removes) [certain, wasBehind] = [isNear ? Math.max(certain, now) : now, false];
          else wasBehind ||= now < certain;
        }
      }),
      { numRuns: 40 },
    );
  });

  test("the first tick has nothing to fear; one on events alone is judged by them", async () => {
    expect(await tick(START)).toBe(true);
    await db.query("DELETE FROM entry");
    await insertEntry(db, { kind: "event", created: START, data: { clear_time: START } });
    expect(await tick(START + 5 * YEAR)).toBe(false);
    expect(await tick(START + 5 * YEAR + 300)).toBe(false);
    expect(await tick(START + 600)).toBe(true);
  });

  test("a clock that made no step stores nothing", async () => {
    for (let n = 0; n < 3; n++) expect(await tick(START + n * DAY)).toBe(true);
    expect(await readEntries(db, "engine_state")).toEqual([]);
  });

  test("ticks of a clock that was ahead leave the lists, and stay in the table", async () => {
    await tick(START);
    for (let n = 0; n < 30; n++) await tick(START + YEAR + n * 300);
    const skip = { kind: "skipped_tick", created: START + YEAR };
    await insertEntry(db, skip);
    await tick(START + 300);
    const runs = await listEngineRuns(db, 50, false);
    expect(runs.map(({ startedAt }) => startedAt)).toEqual([START + 300, START]);
    const rows = await readEntries(db, "engine_run");
    expect(rows).toHaveLength(32);
  });

  test("records before the last certain time stay in the lists when the clock is set back a little", async () => {
    await tick(START);
    await tick(START + 10 * DAY);
    await tick(START - DAY);
    const runs = await listEngineRuns(db, 50, false);
    expect(runs.map(({ startedAt }) => startedAt)).toEqual([START, START - DAY]);
  });
});

describe.each(DATABASES)("whole ticks on $kind", ({ open }) => {
  test("a step of the clock is one error of each tick, which removes nothing", async () => {
    const engine = await engineAt(open);
    engine.configure({ retention: RETENTION });
    await engine.tick();
    const created = START - 20 * DAY;
    await insertEntry(engine.db, { kind: "event", created, data: { clear_time: created } });
    await insertEntry(engine.db, { kind: "notification", created, data: { outcome: "delivered" } });
    for (const ahead of [5 * YEAR, 5 * YEAR + 300]) {
      engine.now = START + ahead;
      const errors = (await engine.tick())?.errors ?? [];
      expect(errors).toEqual([expect.stringMatching(/^this host's clock shows 2032-01-14/)]);
      const run = (await readEntries(engine.db, "engine_run")).at(-1);
      expect(run?.data).toMatchObject({ errors: 1, error_details: errors[0] });
    }
    engine.now = START + 600;
    expect((await engine.tick())?.errors).toEqual([]);
    for (const kind of ["event", "notification"]) {
      const rows = await readEntries(engine.db, kind);
      expect(rows.filter(({ data }) => data.entry_id !== "event_engine")).toHaveLength(1);
    }
  });

  test("no pending mail is given up while the clock is in doubt, and one from the future is, a day after its next attempt", async () => {
    const engine = await engineAt(open);
    engine.says("x", {});
    await engine.tick();
    await changeAlarm(engine.db, "x", { enabled: true, recipients: ["a@example.org"] });
    const pending = async (attempted_at: number) => {
      await engine.db.query("DELETE FROM entry WHERE kind = 'notification'");
      await insertEntry(engine.db, {
        kind: "notification",
        title: "s",
        created: attempted_at,
        data: { alarm: "alarm_x", attempted_at, outcome: "partial", pending: ["a@example.org"] },
      });
    };
    const outcome = async () => (await readEntries(engine.db, "notification"))[0]?.data.given_up;
    engine.blockMail(true);
    const tickAt = async (now: number) => {
      engine.now = now;
      await engine.tick();
    };
    await pending(START);
    for (const time of [5 * YEAR, 5 * YEAR + 300, 3600]) {
      await tickAt(START + time);
      expect(await outcome()).toBeUndefined();
    }
    await tickAt(START + DAY);
    expect(await outcome()).toEqual(["a@example.org"]);

    await pending(START + 5 * YEAR);
    await tickAt(START + DAY + 300);
    await tickAt(START + 2 * DAY);
    expect(await outcome()).toBeUndefined();
    await tickAt(START + 2 * DAY + 300);
    expect(await outcome()).toEqual(["a@example.org"]);
  });
});
