import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openInMemory } from "../../src/store/embedded/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { type AlarmStep, type Step, World } from "./world.ts";

/**
 * The whole engine, but for the processes of modules and the mail service, over random courses of ticks:
 * outcomes, switches, clock steps (backwards too), failing mail and crashes at any statement. What it
 * does is held against rules that are written down here without its code.
 *
 * The long form: SWF_ALARMS_COURSES=2000 npx vitest run test/engine/any_course.test.ts
 */
const COURSES = Number(process.env.SWF_ALARMS_COURSES ?? 25);
const SEED = Number(process.env.SWF_ALARMS_SEED ?? 20_261_121);

const ALARMS = { few: ["a", "b", "c"], many: Array.from({ length: 14 }, (_, n) => `m${n}`) };

function mostly<T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );
}

function alarmStep(keys: readonly string[]): fc.Arbitrary<AlarmStep> {
  return fc.record({
    status: mostly<AlarmStep["status"]>("complete", "partial", "failed"),
    detected: fc.oneof(
      fc.subarray([...keys]),
      fc.constant([...keys]),
      fc.constant<string[]>([]),
      fc.constant(keys.slice(0, 2)),
    ),
    enabled: mostly(true, false),
    hours: fc.constantFrom(0, 1),
    addresses: mostly(2, 0),
    mail: mostly<AlarmStep["mail"]>("accepted", "refused", "killed before", "killed after"),
  });
}

const step: fc.Arbitrary<Step> = fc.record({
  few: alarmStep(ALARMS.few),
  many: alarmStep(ALARMS.many),
  mode: mostly<Step["mode"]>("tick", "dry-run", "plan"),
  clock: fc.constantFrom(300, 300, 300, 3600, 86_400, 0, -7200),
  /** After so many statements the process is dead; the last one still counts, or does not. */
  crash: fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    {
      weight: 1,
      arbitrary: fc.record({ statements: fc.integer({ min: 1, max: 30 }), kept: fc.boolean() }),
    },
  ),
});

const CALM: AlarmStep = {
  status: "complete",
  detected: [],
  enabled: true,
  hours: 0,
  addresses: 2,
  mail: "accepted",
};

describe("over any course of ticks", () => {
  let world: World;
  beforeAll(async () => {
    const db = await openInMemory();
    await migrate(db);
    world = new World(db);
  });
  afterAll(() => world.close());

  test("nothing owed is forgotten, nothing clears without proof, nobody is told twice but after a crash", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        await world.reset();
        for (const each of steps) await world.tick(each);
        // What is owed goes out as soon as ticks go well; the guard takes two of them, a repeat waits up to six hours.
        for (let calm = 0; calm < 3; calm++) {
          await world.tick({
            few: CALM,
            many: CALM,
            mode: "tick",
            clock: 25_000,
            crash: undefined,
          });
        }
        expect(world.forgotten()).toEqual([]);
        expect(world.repeats).toBeLessThanOrEqual(world.kills);
      }),
      { numRuns: COURSES, seed: SEED, endOnFailure: COURSES > 100 },
    );
  }, 1_800_000);
});
