import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openInMemory } from "../../src/store/embedded/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { type AlarmStep, type RuleName, SEVERITIES, type Settings, STAGES } from "./event_rules.ts";
import { CHANNELS, type Fate } from "./receivers.ts";
import { type Course, type Step, World } from "./world.ts";

/**
 * The whole engine, but for the processes of modules and the services behind three channels, over random courses of
 * ticks: outcomes with severities, stages and stated ends, rules to settle and to clear, acknowledgements, reminders,
 * switches, clock steps (backwards too), services that refuse, throttle or lose a response, and
 * crashes at any statement. What it does is held against rules that are written down here without its code.
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
    levels: fc.oneof(
      { weight: 1, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: fc.dictionary(fc.constantFrom(...keys.slice(0, 4)), level) },
    ),
    ended: fc.oneof(
      { weight: 4, arbitrary: fc.constant<string[]>([]) },
      { weight: 1, arbitrary: fc.subarray([...keys]) },
    ),
    unseen: fc.oneof(
      { weight: 4, arbitrary: fc.constant<string[]>([]) },
      { weight: 1, arbitrary: fc.array(fc.constantFrom(...keys), { minLength: 1, maxLength: 3 }) },
    ),
    enabled: mostly(true, false),
    notifyClear: fc.boolean(),
    settles: mostly(true, false),
    hours: fc.constantFrom(0, 1),
    addresses: mostly(2, 0),
  });
}

const level = fc.record(
  { severity: fc.constantFrom(...SEVERITIES), stage: fc.constantFrom(...STAGES) },
  { requiredKeys: [] },
);

const ruleName: fc.Arbitrary<RuleName> = fc.constantFrom("off", "off", "2", "2/3", "15m", "1h");

const settings: fc.Arbitrary<Settings> = fc.record({
  settle: ruleName,
  clearAfter: ruleName,
  severity: fc.constantFrom(undefined, "warning"),
  growth: fc.constantFrom(1, 2),
  maxHours: fc.constantFrom(undefined, 3),
  count: fc.constantFrom(undefined, 1, 3),
});

const course: fc.Arbitrary<Course> = fc.record({ few: settings, many: settings });

const person: fc.Arbitrary<Step["person"]> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record({
      alarm: fc.constantFrom("few", "many"),
      index: fc.nat({ max: 13 }),
      what: mostly("acknowledges" as const, "takes it back" as const),
      sticky: fc.boolean(),
      lasts: fc.constantFrom(undefined, 60, 3600, 10_000),
    }),
  },
);

function fate(...faults: readonly Fate[]): fc.Arbitrary<Fate> {
  return mostly<Fate>("accepted", "refused", "killed before", "killed after", ...faults);
}

const step: fc.Arbitrary<Step> = fc.record({
  few: alarmStep(ALARMS.few),
  many: alarmStep(ALARMS.many),
  person,
  fates: fc.record({
    email: fate("partly"),
    chat: fate("throttled", "throttled"),
    hook: fate("lost before", "lost after"),
  }),
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

/** Entities that fire for long, so that reminders come, and little that goes wrong. */
const steadyAlarm = (keys: readonly string[]) =>
  fc.tuple(alarmStep(keys), fc.integer({ min: 0, max: 5 })).map(([usual, dice]): AlarmStep => {
    if (dice === 0) return usual;
    return {
      ...usual,
      status: "complete",
      unseen: [],
      detected: keys,
      enabled: true,
      hours: 1,
      addresses: 2,
    };
  });

const steadyStep: fc.Arbitrary<Step> = fc
  .record({
    wild: step,
    few: steadyAlarm(ALARMS.few),
    many: steadyAlarm(["m0", "m1"]),
    clock: fc.constantFrom(300, 3600, 3600, 7200),
  })
  .map(({ wild, ...steady }) => ({ ...wild, ...steady, mode: "tick", crash: undefined }));

const anySteps = fc.oneof(
  { weight: 2, arbitrary: fc.array(step, { minLength: 1, maxLength: 12 }) },
  { weight: 1, arbitrary: fc.array(steadyStep, { minLength: 1, maxLength: 12 }) },
);

const CALM: AlarmStep = {
  status: "complete",
  detected: [],
  levels: {},
  ended: [],
  unseen: [],
  enabled: true,
  notifyClear: false,
  settles: true,
  hours: 0,
  addresses: 2,
};
const WORKING = { email: "accepted", chat: "accepted", hook: "accepted" } as const;

const PLAIN: Settings = {
  settle: "off",
  clearAfter: "off",
  severity: undefined,
  growth: 1,
  maxHours: undefined,
  count: undefined,
};
const QUIET: Step = {
  few: CALM,
  many: CALM,
  person: undefined,
  fates: WORKING,
  mode: "tick",
  clock: 300,
  crash: undefined,
};
const ONCE: AlarmStep = { ...CALM, detected: ["a"] };
const A_FIRES: AlarmStep = { ...ONCE, hours: 1 };
const FIRST = { stage: "first" };
const FIRST_STAGE: AlarmStep = { ...A_FIRES, levels: { a: FIRST } };

const HOUR = { ...QUIET, few: A_FIRES, clock: 3600 };
const BOTH = { ...HOUR, few: { ...A_FIRES, detected: ["a", "b"] } };
const TWO = { ...QUIET, few: { ...CALM, detected: ["a", "b"] } };
const RISEN: Step = { ...TWO, few: { ...TWO.few, levels: { a: FIRST, b: FIRST } } };
const ACK = { alarm: "few", index: 0, what: "acknowledges", sticky: false, lasts: 3600 } as const;

/** Courses that once went wrong, or that chance seldom finds. */
const KNOWN: readonly (readonly [string, Course, readonly Step[]])[] = [
  [
    "a rise begins the reminders anew",
    { few: { ...PLAIN, count: 1 }, many: PLAIN },
    [HOUR, HOUR, HOUR, { ...HOUR, few: FIRST_STAGE }, HOUR],
  ],
  [
    "so does the end of an acknowledgement, by its time and by a person",
    { few: { ...PLAIN, growth: 2, count: 2 }, many: PLAIN },
    [
      ...[HOUR, HOUR, { ...HOUR, person: ACK }, HOUR, HOUR, HOUR, HOUR, HOUR],
      ...[{ ...HOUR, person: { ...ACK, lasts: undefined } }, HOUR],
      ...[{ ...HOUR, person: { ...ACK, what: "takes it back" as const } }, HOUR, HOUR, HOUR],
    ],
  ],
  [
    "a reminder from before an acknowledgement that is delivered after its end counts once",
    { few: { ...PLAIN, growth: 2, count: 3 }, many: PLAIN },
    // The acknowledgement of one of them holds no notification that names both.
    [
      BOTH,
      { ...BOTH, fates: { ...WORKING, chat: "refused" } },
      { ...BOTH, person: { ...ACK, lasts: 60 }, fates: { ...WORKING, chat: "refused" } },
      ...[BOTH, { ...BOTH, clock: 3540 }, BOTH, BOTH, BOTH],
    ],
  ],
  [
    "what an acknowledgement holds of a lost notification is repeated later than the rest of it",
    { few: PLAIN, many: PLAIN },
    [
      TWO,
      { ...RISEN, fates: { ...WORKING, chat: "lost after" } },
      { ...RISEN, person: { ...ACK, lasts: 1000 }, fates: { ...WORKING, chat: "refused" } },
      { ...RISEN, person: { ...ACK, index: 1, lasts: 60 } },
      ...[RISEN, RISEN, RISEN],
    ],
  ],
  [
    "a response is lost, the clock is set back, and the event rises: the rise is told",
    { few: { ...PLAIN, clearAfter: "1h" }, many: PLAIN },
    [
      { ...QUIET, few: A_FIRES, fates: { ...WORKING, hook: "lost before" } },
      { ...QUIET, few: FIRST_STAGE, clock: -7200 },
    ],
  ],
  [
    "so it is if a dry run finds it, and the clock is right again before the next tick",
    { few: { ...PLAIN, clearAfter: "1h" }, many: PLAIN },
    [
      { ...QUIET, few: A_FIRES, fates: { ...WORKING, hook: "refused" } },
      { ...QUIET, few: FIRST_STAGE, clock: -7200, mode: "dry-run" },
      ...[{ ...QUIET, few: FIRST_STAGE, clock: 25_000 }, QUIET],
    ],
  ],
  [
    "one of two rises in the second of a tick that failed: both are told once",
    { few: PLAIN, many: PLAIN },
    [
      { ...QUIET, few: BOTH.few, fates: { ...WORKING, chat: "refused" } },
      { ...QUIET, few: { ...BOTH.few, levels: { a: FIRST } }, clock: 0 },
      QUIET,
    ],
  ],
  [
    "the clock is set back, and the engine killed while it reminds: the next tick repeats that once",
    { few: { ...PLAIN, clearAfter: "1h" }, many: PLAIN },
    [
      { ...QUIET, few: A_FIRES },
      { ...QUIET, few: A_FIRES, clock: -7200, fates: { ...WORKING, email: "killed before" } },
    ],
  ],
  [
    "the clock is set back before a channel takes the first notification: it gets one",
    { few: { ...PLAIN, clearAfter: "1h" }, many: PLAIN },
    [
      { ...QUIET, few: ONCE, fates: { ...WORKING, email: "refused" } },
      { ...QUIET, few: ONCE, clock: -7200, fates: { ...WORKING, email: "killed before" } },
      { ...QUIET, few: ONCE, clock: 25_000 },
      { ...QUIET, few: ONCE },
    ],
  ],
];

describe("over any course of ticks", () => {
  let world: World;
  beforeAll(async () => {
    const db = await openInMemory();
    await migrate(db);
    world = new World(db);
  });
  afterAll(() => world.close());

  const live = async (given: Course, steps: readonly Step[]): Promise<void> => {
    await world.reset(given);
    for (const each of steps) await world.tick(each);
    // What is unsent goes out as soon as ticks go well; the guard takes two of them after those that the rule to clear
    // takes, a repeat waits up to six hours.
    for (let calm = 0; calm < 6; calm++) await world.tick({ ...QUIET, clock: 25_000 });
    expect(world.forgotten()).toEqual([]);
    expect(await world.open()).toEqual([]);
    const { lost, repeats } = world.receivers;
    for (const name of CHANNELS)
      for (const count of repeats.get(name)?.values() ?? [])
        expect(count, `repeats on ${name}`).toBeLessThanOrEqual(
          world.kills + (lost.get(name) ?? 0),
        );
  };

  test.for(KNOWN)("%s", async ([, given, steps]) => {
    await live(given, steps);
  });

  test("on each channel nothing is lost, nothing clears without proof, and only what the engine cannot know is repeated", async () => {
    await fc.assert(fc.asyncProperty(course, anySteps, live), {
      numRuns: COURSES,
      seed: SEED,
      endOnFailure: COURSES > 100,
    });
  }, 1_800_000);
});
