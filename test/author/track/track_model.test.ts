import fc from "fast-check";
import { expect, test } from "vitest";
import type { Scalar } from "../../../src/author/track/history.ts";
import { Track } from "../../../src/author/track/track.ts";

/** A sample of the naive model, which keeps all of them. */
interface Sample {
  readonly time: number;
  readonly value: Scalar;
}

const KEYS = ["a", "b", "__proto__"];
const KEEP = 100;

const value = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom("x", null, true));
const sight = fc.oneof({ weight: 4, arbitrary: value }, fc.constantFrom("absent", "unknown"));
const looks = fc.array(
  fc.record({
    after: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 300 })),
    seen: fc.tuple(sight, sight, sight),
  }),
  { minLength: 1, maxLength: 30 },
);
const windows = fc.array(fc.integer({ min: 1, max: KEEP }), { minLength: 1, maxLength: 3 });

/** The samples of a window. One before it that is equal to the first in it counts as one at its start. */
function inWindow(samples: readonly Sample[], start: number): readonly Sample[] {
  const within = samples.filter(({ time }) => time >= start);
  const before = samples.filter(({ time }) => time < start).at(-1);
  const first = within[0];
  if (before === undefined || first === undefined || before.value !== first.value) return within;
  return [{ time: start, value: first.value }, ...within];
}

function pairs<T>(list: readonly T[]): readonly (readonly [T, T])[] {
  return list.slice(1).map((item, before) => [list[before] ?? item, item]);
}

/** The answers of the model. */
function answers(samples: readonly Sample[], start: number) {
  // Equal looks at the same time are one.
  const looks = inWindow(samples, start).filter(
    ({ time, value }, place, all) =>
      time !== all[place - 1]?.time || value !== all[place - 1]?.value,
  );
  const numbers = looks.flatMap(({ value }) => (typeof value === "number" ? value : []));
  const growth = (fall: (to: number) => number) =>
    pairs(numbers).reduce((sum, [from, to]) => sum + (to < from ? fall(to) : to - from), 0);
  const first = looks[0];
  const differs = samples.findLastIndex(({ value }) => value !== samples.at(-1)?.value);
  return {
    changes:
      looks.length < 2 ? undefined : pairs(looks).filter(([a, b]) => a.value !== b.value).length,
    restart: numbers.length < 2 ? undefined : growth((to) => to),
    ignore: numbers.length < 2 ? undefined : growth(() => 0),
    falls: numbers.length < 2 ? undefined : pairs(numbers).filter(([a, b]) => b < a).length,
    span: first && (looks.at(-1)?.time ?? 0) - first.time,
    since: samples[differs + 1]?.time,
  };
}

function answersOf(track: Track, key: string, within: number) {
  return {
    changes: track.changes(key, within),
    restart: track.growth(key, within, "restart"),
    ignore: track.growth(key, within, "ignore"),
    falls: track.falls(key, within),
    span: track.span(key, within),
    since: track.since(key),
  };
}

test.each([
  ["as long as history", KEEP],
  ["shorter", 20],
  ["longer", 500],
])("the answers are those of a model that keeps all samples; keys are kept %s", (_, forget) => {
  fc.assert(
    fc.property(looks, windows, (all, withins) => {
      let now = 1_000;
      let memory: unknown;
      const model = new Map<string, readonly Sample[]>(KEYS.map((key) => [key, []]));
      for (const { after, seen } of all) {
        now += after;
        const sights = new Map(KEYS.map((key, place) => [key, seen[place] ?? null]));
        const samples = new Map<string, Scalar>();
        for (const [key, value] of sights) {
          const known = model.get(key) ?? [];
          const last = known.at(-1)?.time ?? now;
          if (value === "absent") model.set(key, now - last > forget ? [] : known);
          else if (value !== "unknown") {
            model.set(key, [...known, { time: now, value }]);
            samples.set(key, value);
          }
        }
        const unknown = (key: string): boolean => sights.get(key) === "unknown";
        const options = { now, keep: KEEP, forget, unknown, runs: 100 };
        const track = new Track(memory, samples, options);
        memory = JSON.parse(JSON.stringify(track.memory));
        for (const key of KEYS)
          for (const within of [...withins, KEEP])
            expect(answersOf(track, key, within)).toEqual(
              answers(model.get(key) ?? [], now - within),
            );
        expect(track.lost()).toEqual([]);
        expect(new Track(memory, samples, options).memory).toEqual(track.memory);
      }
    }),
  );
});

test("within its bounds, whatever the clock does, and the same again at the same time", () => {
  const steps = fc.array(
    fc.record({
      now: fc.integer({ min: 0, max: 300 }),
      samples: fc.dictionary(fc.string({ maxLength: 1 }), value, { maxKeys: 8 }),
    }),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      let memory: unknown;
      for (const { now, samples } of all) {
        const options = { now, keep: 100, max: 4, runs: 3 };
        const track = new Track(memory, samples, options);
        memory = JSON.parse(JSON.stringify(track.memory));
        const keys = Object.entries(track.memory.keys);
        expect(keys.length).toBeLessThanOrEqual(4);
        for (const [key, runs] of keys) {
          expect(runs.length).toBeLessThanOrEqual(3);
          const { changes = 0, restart = 0, ignore = 0, span = 0 } = answersOf(track, key, 100);
          expect(Math.min(changes, restart - ignore, ignore, span)).toBeGreaterThanOrEqual(0);
          expect(track.since(key)).toBeLessThanOrEqual(now);
        }
        const again = new Track(memory, samples, options);
        expect(JSON.parse(JSON.stringify(again.memory))).toEqual(memory);
      }
    }),
  );
});

test("any memory is read or is as if nothing was known", () => {
  const places = fc.integer({ min: -1, max: 4 });
  const run = fc.oneof(fc.tuple(value, places, places), fc.jsonValue());
  const near = fc.record({
    times: fc.array(fc.oneof(fc.integer(), fc.double(), fc.string())),
    keys: fc.dictionary(fc.constantFrom("a", "b"), fc.array(run)),
  });
  fc.assert(
    fc.property(fc.oneof(near, fc.jsonValue()), (memory) => {
      const track = new Track(memory, { a: 1 }, { now: 0, keep: 60 });
      expect(track.changes("a") ?? 0).toBeGreaterThanOrEqual(0);
      expect(track.since("a")).toBeLessThanOrEqual(0);
    }),
  );
});
