import { expect, test } from "vitest";
import { perAlarm } from "../support/contract.ts";
import { DATABASES } from "../support/databases.ts";
import { insertAlarm, only, readEntries } from "../support/rows.ts";
import { type EngineAt, engineAt, type Says } from "./engine_at.ts";

function keys(from: number, to: number): string[] {
  return Array.from(
    { length: to - from },
    (_, index) => `k${String(from + index).padStart(2, "0")}`,
  );
}

/** One tick, five minutes later, in which the alarm says this: how many are active, held and cleared since. */
async function tickSaying(engine: EngineAt, says: Says): Promise<string> {
  engine.now += 300;
  engine.says("x", says);
  await engine.tick();
  const events = await readEntries(engine.db, "event");
  const active = events.filter(({ data }) => data.clear_time === null);
  const held = active.filter(({ data }) => typeof data.clear_held_at === "number");
  return `${active.length} active, ${held.length} held`;
}

async function siteWithFifty(open: (typeof DATABASES)[number]["open"]): Promise<EngineAt> {
  const engine = await engineAt(open);
  await insertAlarm(engine.db, "x");
  expect(await tickSaying(engine, { keys: keys(0, 50) })).toBe("50 active, 0 held");
  return engine;
}

const TIMELINES: readonly {
  readonly name: string;
  readonly steps: readonly (readonly [string, Says, string])[];
}[] = [
  {
    name: "a mass clear is held for one more complete outcome",
    steps: [
      ["45 of 50 are gone", { keys: keys(45, 50) }, "50 active, 45 held"],
      ["it says the same again", { keys: keys(45, 50) }, "5 active, 0 held"],
    ],
  },
  {
    name: "nonsense for one tick clears nothing",
    steps: [
      ["nothing is wrong, it says", { keys: [] }, "50 active, 50 held"],
      ["all is as before", { keys: keys(0, 50) }, "50 active, 0 held"],
      ["nothing is wrong, it says again", { keys: [] }, "50 active, 50 held"],
    ],
  },
  {
    name: "outcomes in between that are not complete neither confirm nor forget",
    steps: [
      ["45 of 50 are gone", { keys: keys(45, 50) }, "50 active, 45 held"],
      ["it could not see all", { keys: keys(45, 50), incomplete: "half" }, "50 active, 45 held"],
      ["it failed", { fails: "no" }, "50 active, 45 held"],
      ["it is complete and says the same", { keys: keys(45, 50) }, "5 active, 0 held"],
    ],
  },
  {
    name: "each event by itself: what comes back stays, what is gone for the first time waits",
    steps: [
      ["0 to 44 are gone", { keys: keys(45, 50) }, "50 active, 45 held"],
      ["0 to 4 are back, all others are gone", { keys: keys(0, 5) }, "10 active, 5 held"],
      ["those are gone as well, but 0 to 4 for the first time", { keys: [] }, "5 active, 5 held"],
      ["and stay so", { keys: [] }, "0 active, 0 held"],
    ],
  },
  {
    name: "what is usual clears at once",
    steps: [
      ["40 of 50 are gone", { keys: keys(40, 50) }, "10 active, 0 held"],
      ["9 of 10", { keys: keys(49, 50) }, "1 active, 0 held"],
    ],
  },
];

const CASES = DATABASES.flatMap((database, index) =>
  TIMELINES.slice(0, index === 0 ? undefined : 1).map((line) => ({ ...database, ...line })),
);

test.each(CASES)("on $kind: $name", async ({ open, steps }) => {
  const engine = await siteWithFifty(open);
  for (const [sentence, says, expected] of steps)
    expect(await tickSaying(engine, says), sentence).toBe(expected);
});

test("the record and the plan show what is held and why, and it is no error", async () => {
  const engine = await siteWithFifty(only(DATABASES.slice(0, 1)).open);
  await tickSaying(engine, { keys: keys(45, 50) });
  const reason =
    "held: 45 of 50 events would clear at once; they will clear if the next complete outcome does not detect them either";
  const runs = await readEntries(engine.db, "engine_run");
  expect(perAlarm(runs.at(-1) ?? only([]), "alarm_x")).toMatchObject({
    errors: 0,
    outcome: "complete",
    cleared: 0,
    kept: 45,
    touched: 5,
    notes: [reason],
  });
  const report = await engine.tick("plan");
  const [result] = report?.results.filter(({ row }) => row.name === "x") ?? [];
  expect(result?.kind === "ran" && result.plan.clear).toHaveLength(45);
});

test("with clear_guard_share 1 everything clears at once", async () => {
  const engine = await siteWithFifty(only(DATABASES.slice(0, 1)).open);
  engine.configure({ clearGuardShare: 1 });
  expect(await tickSaying(engine, { keys: [] })).toBe("0 active, 0 held");
});
