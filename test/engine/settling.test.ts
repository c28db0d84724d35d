import { describe, expect, test } from "vitest";
import type { Mode } from "../../src/core/model.ts";
import { record } from "../../src/engine/record.ts";
import { parseAlarmRow } from "../../src/store/alarms.ts";
import type { Database } from "../../src/store/database.ts";
import { openInMemory } from "../../src/store/embedded/database.ts";
import { readStates, settlingOf } from "../../src/store/engine_state.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { createPostgres } from "../support/databases.ts";
import { loginTo } from "../support/login.ts";
import { makeOutcome } from "../support/outcomes.ts";
import { changeAlarm, dump, eventsOf, insertAlarm } from "../support/rows.ts";
import { type EngineAt, engineAt, type Says, START } from "./engine_at.ts";
import { MortalDatabase } from "./mortal_database.ts";

const SEEN: Says = { keys: ["a"] };
const GONE: Says = { keys: [] };
const FAILED: Says = { fails: "no" };
const PARTIAL: Says = { incomplete: "half" };
const PARTLY_SEEN: Says = { keys: ["a"], incomplete: "half" };

/** What is known of the entity a: `fires since 300, first seen 0`, `pending since 0`, `over 600` or nothing. */
async function known({ db }: Pick<EngineAt, "db">, name = "x"): Promise<string> {
  const { pending } = settlingOf(await readStates(db), name);
  const entry = pending.get("a");
  const said = entry === undefined ? [] : [`pending since ${entry.firstSeen - START}`];
  for (const { data } of await eventsOf(db, name)) {
    const [fired, cleared] = [Number(data.fire_time) - START, data.clear_time];
    const first = Object(data.swf).first_seen;
    const since = first === undefined ? "" : `, first seen ${first - START}`;
    said.push(
      cleared === null ? `fires since ${fired}${since}` : `over ${Number(cleared) - START}`,
    );
  }
  return said.join("; ");
}

/** Nothing but the database outlives a tick: each one is a new engine. */
const open = async () => openPostgres(loginTo(await createPostgres()));

interface Step {
  readonly says: Says;
  readonly mode?: Mode;
  /** Since the step before; five minutes. */
  readonly seconds?: number;
  readonly known: string;
}

const COURSES: readonly (readonly [
  string,
  { readonly [key: string]: unknown },
  readonly Step[],
])[] = [
  [
    "two of three: a failed tick neither counts nor resets",
    { settle: "2/3" },
    [
      { says: SEEN, known: "pending since 0" },
      { says: FAILED, known: "pending since 0" },
      { says: SEEN, known: "fires since 600, first seen 0" },
      { says: SEEN, known: "fires since 600, first seen 0" },
      { says: GONE, known: "over 1200" },
      { says: SEEN, known: "pending since 1500; over 1200" },
    ],
  ],
  [
    "two of three: what has been gone for two outcomes begins anew",
    { settle: "2/3" },
    [
      { says: SEEN, known: "pending since 0" },
      { says: GONE, known: "pending since 0" },
      { says: GONE, known: "pending since 0" },
      { says: SEEN, known: "pending since 0" },
      { says: SEEN, known: "fires since 1200, first seen 0" },
    ],
  ],
  [
    "three in a row: one outcome without it resets, a partial one counts only where it is seen",
    { settle: 3 },
    [
      { says: SEEN, known: "pending since 0" },
      { says: SEEN, known: "pending since 0" },
      { says: GONE, known: "" },
      { says: SEEN, known: "pending since 900" },
      { says: PARTIAL, known: "pending since 900" },
      { says: PARTLY_SEEN, known: "pending since 900" },
      { says: PARTLY_SEEN, known: "fires since 1800, first seen 900" },
    ],
  ],
  [
    "a quarter of an hour, over ticks that did not look",
    { settle: "15m" },
    [
      { says: SEEN, known: "pending since 0" },
      { says: FAILED, known: "pending since 0" },
      { says: PARTIAL, known: "pending since 0" },
      { says: SEEN, seconds: 240, known: "pending since 0" },
      { says: SEEN, seconds: 60, known: "fires since 900, first seen 0" },
    ],
  ],
  [
    "a quarter of an hour begins anew where it was gone",
    { settle: "15m" },
    [
      { says: SEEN, known: "pending since 0" },
      { says: GONE, seconds: 600, known: "" },
      { says: SEEN, known: "pending since 900" },
      { says: SEEN, seconds: 900, known: "fires since 1800, first seen 900" },
    ],
  ],
  [
    "a dry run counts, and a plan does not",
    { settle: 2 },
    [
      { says: SEEN, mode: "plan", known: "" },
      { says: SEEN, mode: "dry-run", known: "pending since 300" },
      { says: SEEN, mode: "plan", known: "pending since 300" },
      { says: SEEN, known: "fires since 900, first seen 300" },
    ],
  ],
  [
    "two outcomes without it clear, whatever failed in between",
    { clear_after: 2 },
    [
      { says: SEEN, known: "fires since 0" },
      { says: GONE, known: "fires since 0" },
      { says: FAILED, known: "fires since 0" },
      { says: PARTIAL, known: "fires since 0" },
      { says: GONE, known: "over 1200" },
    ],
  ],
  [
    "an outcome that saw it in between holds its clear, a partial one too",
    { clear_after: 2 },
    [
      { says: SEEN, known: "fires since 0" },
      { says: GONE, known: "fires since 0" },
      { says: PARTLY_SEEN, known: "fires since 0" },
      { says: GONE, known: "fires since 0" },
      { says: GONE, mode: "plan", known: "fires since 0" },
      { says: GONE, mode: "dry-run", known: "over 1500" },
    ],
  ],
  [
    "ten minutes without it clear",
    { clear_after: "10m" },
    [
      { says: SEEN, known: "fires since 0" },
      { says: GONE, known: "fires since 0" },
      { says: FAILED, known: "fires since 0" },
      { says: GONE, known: "over 900" },
    ],
  ],
  [
    "two of three without it clear, one with it in between or not",
    { clear_after: "2/3" },
    [
      { says: SEEN, known: "fires since 0" },
      { says: GONE, known: "fires since 0" },
      { says: SEEN, known: "fires since 0" },
      { says: GONE, known: "over 900" },
    ],
  ],
];

describe("over ticks", () => {
  test.for(COURSES)("%s", async ([, row, steps]) => {
    const engine = await engineAt(open);
    engine.configure({ quarantineAfter: 0 });
    await insertAlarm(engine.db, "x", row);
    for (const [
      index,
      { says, mode, seconds = index === 0 ? 0 : 300, known: expected },
    ] of steps.entries()) {
      engine.now += seconds;
      engine.says("x", says);
      const report = await engine.tick(mode);
      expect(report, `step ${index}`).toBeDefined();
      expect(await known(engine), `step ${index}`).toBe(expected);
    }
  });
});

test("a plan shows what waits, and changes no row", async () => {
  const engine = await engineAt(open);
  await insertAlarm(engine.db, "x", { settle: "2/3", clear_after: 2 });
  engine.says("x", SEEN);
  await engine.tick();
  const before = await dump(engine.db);
  engine.now += 300;
  engine.says("x", { keys: ["a", "b"] });
  const report = await engine.tick("plan");
  expect(await dump(engine.db)).toBe(before);
  expect(report?.results.find(({ row }) => row.name === "x")).toMatchObject({
    plan: {
      open: [{ dedupeKey: "a", reason: "settled", firstSeen: START }],
      wait: [{ dedupeKey: "b", reason: "not settled: detected in 1 of 2 outcomes" }],
    },
  });
});

test("what is pending waits while its alarm is quarantined or not configured, and counts on afterwards", async () => {
  const engine = await engineAt(open);
  engine.configure({ quarantineAfter: 1 });
  await insertAlarm(engine.db, "x", { settle: 2 });
  await insertAlarm(engine.db, "y", { settle: 2 });
  const yields = `export const detect = () => [{ dedupeKey: "a", subject: "a is wrong" }];`;
  engine.module("y.js", `export const SOURCES = []; ${yields}`);
  engine.says("x", SEEN);
  await engine.tick();
  engine.says("x", FAILED);
  engine.module("y.js", `export const SOURCES = ["missing"]; ${yields}`);
  const states: unknown[] = [];
  for (let ticks = 0; ticks < 3; ticks++) {
    engine.now += 300;
    const report = await engine.tick();
    states.push(
      report?.results.flatMap((result) => {
        if (result.row.name === "engine") return [];
        return [result.kind === "ran" ? result.isSkipped : result.kind];
      }),
    );
    expect([await known(engine), await known(engine, "y")]).toEqual([
      "pending since 0",
      "pending since 0",
    ]);
  }
  expect(states).toContainEqual([true, "not configured"]);
  engine.module("y.js", `export const SOURCES = []; ${yields}`);
  engine.says("x", SEEN);
  await changeAlarm(engine.db, "x", { params: {} });
  engine.now += 86_400;
  await engine.tick();
  const fires = "fires since 87300, first seen 0";
  expect([await known(engine), await known(engine, "y")]).toEqual([fires, fires]);
});

test("an alarm whose settling is switched off fires at once, and forgets nothing that it has not seen", async () => {
  const engine = await engineAt(open);
  await insertAlarm(engine.db, "x", { settle: 3 });
  engine.says("x", SEEN);
  await engine.tick();
  await changeAlarm(engine.db, "x", { settle: null });
  engine.now += 300;
  engine.says("x", PARTIAL);
  await engine.tick();
  expect(await known(engine)).toBe("pending since 0");
  engine.now += 300;
  engine.says("x", SEEN);
  await engine.tick();
  expect(await known(engine)).toBe("fires since 600, first seen 0");
});

describe("a crash at each statement of a record", () => {
  const NOW = START + 600;

  /** An alarm in whose next outcome one entity settles, one begins, one clears and one is gone for the first time. */
  async function prepared(db: Database) {
    await db.query("DELETE FROM entry");
    await insertAlarm(db, "x", { settle: 2, clear_after: 2 });
    const [found] = await db.query(
      "SELECT id, title, content, data FROM entry WHERE kind = 'alarm'",
    );
    const row = found && parseAlarmRow(found);
    if (row === undefined || typeof row === "string") throw new Error("no row");
    const run = async (keys: readonly string[], now: number, over = db) =>
      await record(
        { row: { ...row, channels: ["email"] }, module: undefined },
        {
          db: over,
          run: { mode: "tick", now },
          detect: async () => outcomeOf(keys),
          teams: new Map(),
          settling: settlingOf(await readStates(db), "x"),
          clearGuardShare: 1,
        },
      );
    await run(["first", "second"], START);
    await run(["first", "second"], START + 60);
    await run(["second", "settles"], START + 300);
    return run;
  }

  const outcomeOf = (keys: readonly string[]) =>
    makeOutcome({
      keys: new Set(keys),
      memory: JSON.stringify(keys),
      detections: new Map(
        keys.map((dedupeKey) => [
          dedupeKey,
          { dedupeKey, subject: "s", body: "", data: {}, recipients: [] },
        ]),
      ),
    });

  const NEXT = ["settles", "begins"];

  async function rows(db: Database): Promise<string> {
    const found = await db.query(
      `SELECT data->>'dedupe_key' AS key, regexp_replace(name, '^memory:.*', 'memory') AS name, status, data - 'entry_id' - 'alarm_config_id' AS data
       FROM entry WHERE kind <> 'alarm' ORDER BY 2, 1`,
    );
    return JSON.stringify(found);
  }

  test("leaves events and what is remembered both as they were, or writes both", async () => {
    const db = await openInMemory();
    try {
      await migrate(db);
      let run = await prepared(db);
      const before = await rows(db);
      await run(NEXT, NOW);
      const after = await rows(db);
      expect(after).not.toBe(before);
      const results = new Set<string>();
      let isDead = true;
      for (let statements = 1; isDead; statements++) {
        for (const kept of [false, true]) {
          run = await prepared(db);
          expect(await rows(db)).toBe(before);
          const mortal = new MortalDatabase(db, { statements, kept });
          const { error } = await run(NEXT, NOW, mortal);
          isDead = mortal.isDead;
          expect(error === undefined).toBe(!isDead);
          const found = await rows(db);
          // It may die once all is written.
          const possible = isDead ? (kept ? [before, after] : [before]) : [after];
          expect(possible, `statement ${statements}`).toContain(found);
          results.add(found);
        }
      }
      expect(results.size).toBe(2);
    } finally {
      await db.close();
    }
  });
});
