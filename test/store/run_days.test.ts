import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { allSweeps, DAY, dayOf } from "../../src/core/retention.ts";
import type { Database } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { countRuns, foldRuns } from "../../src/store/run_days.ts";
import { MortalDatabase } from "../engine/mortal_database.ts";
import { createPostgres, DATABASES } from "../support/databases.ts";
import { insertEntry, insertVersion } from "../support/raw_entries.ts";
import { type Entry, only, readEntries } from "../support/rows.ts";

/** 2026-11-01 00:00 UTC */
const FIRST = 1_793_491_200;
const KEEP = { clearedEventsDays: undefined, notificationsDays: undefined };

/** Folds all that is due, with the sweeps of ticks; gives how many steps it took. */
async function fold(db: Database, engineRunsDays: number, now: number): Promise<number> {
  const sweep = only(allSweeps({ ...KEEP, engineRunsDays }, now));
  let steps = 0;
  for (let { from } = sweep; from < sweep.before; steps++)
    from = (await foldRuns(db, { ...sweep, from }, now)).reached;
  return steps;
}

interface Run {
  readonly at: number;
  readonly data: { readonly [key: string]: unknown };
}

function run(at: number, data: Run["data"] = {}): Run {
  return { at, data: { started_at: at, finished_at: at + 1, errors: 0, ...data } };
}

/** Many at once: what a test looks at is not how they came there. */
async function insertRuns(db: Database, runs: readonly Run[], kind = "engine_run"): Promise<void> {
  await db.query(
    `INSERT INTO entry (id, title, content, kind, name, data, priority, status, archived,
                        timestamp_created, timestamp_modified, deleted_at, parent_id, context_id)
     SELECT gen_random_uuid()::text, 'a run', '', $2, NULL, run.data, NULL, 'done', false,
            run.at, run.at, NULL, NULL, 'swf-alarms'
     FROM jsonb_to_recordset($1::text::jsonb) AS run (at float8, data jsonb)`,
    [JSON.stringify(runs), kind],
  );
}

/** So many runs of today that dashboards never need an older one. */
async function insertShown(db: Database, now: number): Promise<void> {
  await insertRuns(
    db,
    Array.from({ length: 20 }, (_, tick) => run(now - tick)),
  );
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

/** Sums over all that is left of the ticks: runs in full, skipped ticks, and the rows of days. */
async function totals(db: Database) {
  const runs = await readEntries(db, "engine_run");
  const days = await readEntries(db, "engine_day");
  const alarms = new Map<string, { [key: string]: number }>();
  const add = (entryId: string, counts: { readonly [key: string]: unknown }): void => {
    const sums = alarms.get(entryId) ?? { most: 0 };
    for (const key of ["ticks", "errors", "opened", "cleared"])
      sums[key] = (sums[key] ?? 0) + number(counts[key]);
    sums.most = Math.max(sums.most ?? 0, number(counts.most));
    const [at, last] = [number(counts.at), number(counts.last)];
    if (at > (sums.at ?? 0) || (at === sums.at && last > (sums.last ?? 0)))
      Object.assign(sums, { at, last });
    alarms.set(entryId, sums);
  };
  for (const { data, timestamp_created: at } of runs)
    for (const [entryId, part] of partsOf(data))
      add(entryId, {
        ...part,
        ticks: 1,
        errors: number(part.errors) === 0 ? 0 : 1,
        most: part.alarms_seen,
        last: part.alarms_seen,
        at,
      });
  for (const { data } of days)
    for (const [entryId, part] of partsOf(data))
      add(entryId, {
        ...part,
        most: part.alarms_seen_most,
        last: part.alarms_seen_last,
        at: part.last_at,
      });
  const sum = (rows: readonly Entry[], key: string): number =>
    rows.reduce((total, { data }) => total + number(data[key]), 0);
  return {
    ticks: runs.length + sum(days, "ticks"),
    crashed:
      runs.filter(({ data }) => data.finished_at === undefined).length + sum(days, "crashed"),
    skipped: (await readEntries(db, "skipped_tick")).length + sum(days, "skipped"),
    errors: sum(runs, "errors") + sum(days, "errors"),
    mails: sum(runs, "notifications_sent") + sum(days, "notifications_sent"),
    alarms: Object.fromEntries([...alarms].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function partsOf(data: Entry["data"]): readonly [string, { readonly [key: string]: unknown }][] {
  return Object.entries(Object(data.per_alarm));
}

const part = fc.record({
  alarms_seen: fc.nat(50),
  errors: fc.constantFrom(0, 0, 0, 1),
  opened: fc.nat(5),
  cleared: fc.nat(5),
});
/** Seconds since the first day; whole, so that two runs may share a moment. */
const moment = fc.integer({ min: 0, max: 6 * DAY });
const anyRun = fc.record({
  at: moment,
  crashed: fc.boolean(),
  errors: fc.nat(3),
  mails: fc.nat(2),
  alarms: fc.dictionary(fc.constantFrom("alarm_a", "alarm_b", "__proto__"), part, { maxKeys: 3 }),
});
const history = fc.record({
  runs: fc.array(anyRun, { maxLength: 40 }),
  late: fc.array(anyRun, { maxLength: 5 }),
  skipped: fc.array(moment, { maxLength: 10 }),
  prunings: fc.array(fc.record({ at: moment, days: fc.integer({ min: 1, max: 3 }) }), {
    minLength: 1,
    maxLength: 4,
  }),
});

type AnyRun = typeof anyRun extends fc.Arbitrary<infer Made> ? Made : never;

function made(runs: readonly AnyRun[]): readonly Run[] {
  return runs.map(({ at, crashed, errors, mails, alarms }) =>
    run(FIRST + at, {
      ...(crashed ? { finished_at: undefined } : {}),
      errors,
      notifications_sent: mails,
      per_alarm: alarms,
    }),
  );
}

describe.each(DATABASES)("days of runs on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  beforeEach(() => db.script("DELETE FROM entry_version; DELETE FROM entry"));
  afterAll(() => db.close());

  test("over any history and any prunings the counters stay what they were", async () => {
    await fc.assert(
      fc.asyncProperty(history, async ({ runs, late, skipped, prunings }) => {
        await db.query("DELETE FROM entry");
        await insertRuns(db, made(runs));
        await insertRuns(
          db,
          skipped.map((at) => run(FIRST + at)),
          "skipped_tick",
        );
        await insertShown(db, FIRST + 20 * DAY);
        let before = await totals(db);
        for (const [place, { at: since, days }] of [...prunings]
          .sort((a, b) => a.at - b.at)
          .entries()) {
          const now = FIRST + since + 2 * DAY;
          await fold(db, days, now);
          expect(await totals(db)).toEqual(before);
          const whole = (await readEntries(db, "engine_run")).filter(
            ({ timestamp_created: at }) => at < dayOf(now) - days * DAY,
          );
          expect(whole).toEqual([]);
          if (place > 0) continue;
          // What comes late, as from a host that was away, finds the row of its day.
          await insertRuns(db, made(late));
          before = await totals(db);
        }
      }),
      { numRuns: 15, seed: 20_261_121 },
    );
  });

  test("a day of runs and skipped ticks is one row, which says what was in them", async () => {
    const now = FIRST + 5 * DAY;
    await insertShown(db, now);
    const part = { enabled: true, alarms_seen: 3, errors: 0, opened: 2, cleared: 1 };
    await insertRuns(db, [
      run(FIRST, { notifications_sent: 1, per_alarm: { alarm_a: part } }),
      // As older runs of the Python engine have it.
      run(FIRST + 300, { errors: 2, per_check: { alarm_a: { alarms_seen: 1, errors: 1 } } }),
      // What other programs and killed ticks leave behind counts as far as it can be read.
      { at: FIRST + 600, data: { started_at: FIRST + 600, crashed_at: FIRST + 900, errors: 1 } },
      { at: FIRST + DAY - 1, data: { errors: "many", finished_at: 1, per_alarm: [1] } },
    ]);
    await db.query("UPDATE entry SET data = NULL WHERE timestamp_created = $1", [FIRST + DAY - 1]);
    await insertRuns(db, [run(FIRST + 100), run(FIRST + DAY - 0.5)], "skipped_tick");
    await fold(db, 4, now);
    const { id, ...row } = only(await readEntries(db, "engine_day"));
    expect(row).toEqual({
      title: "Engine day 2026-11-01",
      content: "",
      kind: "engine_day",
      name: "engine_day:2026-11-01",
      priority: null,
      status: "done",
      archived: false,
      timestamp_created: FIRST,
      timestamp_modified: now,
      deleted_at: null,
      parent_id: null,
      context_id: "swf-alarms",
      data: {
        entry_id: "day_2026-11-01",
        ticks: 4,
        crashed: 2,
        skipped: 2,
        errors: 3,
        notifications_sent: 1,
        per_alarm: {
          alarm_a: {
            ticks: 2,
            errors: 1,
            opened: 2,
            cleared: 1,
            alarms_seen_most: 3,
            alarms_seen_last: 1,
            last_at: FIRST + 300,
          },
        },
      },
    });
    expect(await readEntries(db, "engine_run")).toHaveLength(20);
    expect(await readEntries(db, "skipped_tick")).toEqual([]);
  });

  test("a killed step loses nothing and counts nothing twice, whichever statement it dies at", async () => {
    const now = FIRST + 9 * DAY;
    await insertShown(db, now);
    const parts = { per_alarm: { alarm_a: { alarms_seen: 1, errors: 0, opened: 1, cleared: 0 } } };
    // More than one step for one of the days.
    await insertRuns(
      db,
      Array.from({ length: 310 }, (_, tick) => run(FIRST + tick, { errors: 1, ...parts })),
    );
    await insertRuns(db, [run(FIRST + DAY), run(FIRST + 3 * DAY)]);
    const before = await totals(db);
    for (let statements = 1; statements <= 8; statements++) {
      for (const kept of [false, true]) {
        const mortal = new MortalDatabase(db, { statements, kept });
        await expect(fold(mortal, 1, now)).rejects.toThrow("killed");
        expect(await totals(db)).toEqual(before);
        // What the next one does counts in the first try of another kill.
        await insertRuns(db, [run(FIRST + 2 * DAY, parts)]);
        const { ticks, alarms } = before;
        before.ticks = ticks + 1;
        const a = alarms.alarm_a ?? {};
        before.alarms.alarm_a = {
          ...a,
          ticks: (a.ticks ?? 0) + 1,
          opened: (a.opened ?? 0) + 1,
          at: FIRST + 2 * DAY,
        };
      }
    }
    await fold(db, 1, now);
    expect(await totals(db)).toEqual(before);
    expect(await readEntries(db, "engine_run")).toHaveLength(20);
  });

  test("a site that has not ticked for a month keeps the day of the newest twenty runs", async () => {
    await insertRuns(
      db,
      Array.from({ length: 40 }, (_, tick) => run(FIRST + DAY - 1800 + tick * 300)),
    );
    // Runs of a few alarms do not push the others out of sight; nor do archived ones.
    for (let tick = 0; tick < 30; tick++)
      await insertEntry(db, {
        kind: "engine_run",
        created: FIRST + 9 * DAY,
        archived: tick % 2 === 0,
        data: tick % 2 === 0 ? {} : { only: ["a"] },
      });
    await insertRuns(db, [run(FIRST + 2)], "skipped_tick");
    const sweep = only(allSweeps({ ...KEEP, engineRunsDays: 1 }, FIRST + 60 * DAY));
    expect(await countRuns(db, sweep)).toEqual({
      runs: { rows: 6, oldest: FIRST + DAY - 1800, newest: FIRST + DAY - 300 },
      skipped: { rows: 1, oldest: FIRST + 2, newest: FIRST + 2 },
      days: 1,
    });
    await fold(db, 1, FIRST + 60 * DAY);
    expect(await readEntries(db, "engine_run")).toHaveLength(64);
    await db.query("DELETE FROM entry WHERE kind = 'engine_run' AND timestamp_created > $1", [
      FIRST + DAY + 5000,
    ]);
    const left = (await readEntries(db, "engine_run")).length;
    await fold(db, 1, FIRST + 60 * DAY);
    expect(left).toBeLessThan(20);
    expect(await readEntries(db, "engine_run")).toHaveLength(left);
  });

  test("a run that something refers to stays, and holds up nothing", async () => {
    await insertShown(db, FIRST + 9 * DAY);
    const kept = await insertEntry(db, { kind: "engine_run", created: FIRST + 1 });
    const parent = await insertEntry(db, { kind: "engine_run", created: FIRST + 2 });
    const child = await insertEntry(db, { kind: "note", created: FIRST + 2 });
    await db.query("UPDATE entry SET parent_id = $1 WHERE id = $2", [parent, child]);
    await insertVersion(db, kept);
    await insertRuns(db, [run(FIRST + 3), run(FIRST + DAY)]);
    await fold(db, 1, FIRST + 9 * DAY);
    const left = (await readEntries(db, "engine_run")).map(({ id }) => id);
    expect(left.slice(0, 2).sort()).toEqual([kept, parent].sort());
    expect(left).toHaveLength(22);
    const days = await readEntries(db, "engine_day");
    expect(days.map(({ data }) => data.ticks)).toEqual([1, 1]);
  });

  test("a row of another kind that has a day's name is left alone, and the runs stay", async () => {
    await insertShown(db, FIRST + 9 * DAY);
    const note = await insertEntry(db, { kind: "note", name: "engine_day:2026-11-01" });
    await insertRuns(db, [run(FIRST)]);
    await expect(fold(db, 1, FIRST + 9 * DAY)).rejects.toThrow(
      "a row of another kind has the name engine_day:2026-11-01; rename it",
    );
    expect(only(await readEntries(db, "note"))).toMatchObject({ id: note, data: {} });
    expect(await readEntries(db, "engine_run")).toHaveLength(21);
  });
});

test("two that fold the same days at once count each run once", async () => {
  const dsn = await createPostgres();
  const [one, other] = await Promise.all([openPostgres({ dsn }), openPostgres({ dsn })]);
  try {
    await migrate(one);
    const now = FIRST + 9 * DAY;
    await insertShown(one, now);
    await insertRuns(
      one,
      Array.from({ length: 2000 }, (_, tick) => run(FIRST + tick * 120, { errors: 1 })),
    );
    const before = await totals(one);
    await Promise.all([fold(one, 1, now), fold(other, 1, now), fold(one, 1, now)]);
    expect(await totals(one)).toEqual(before);
    expect(await readEntries(one, "engine_run")).toHaveLength(20);
  } finally {
    await Promise.all([one.close(), other.close()]);
  }
});
