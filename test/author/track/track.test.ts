import { describe, expect, test } from "vitest";
import type { Scalar } from "../../../src/author/track/history.ts";
import { Track } from "../../../src/author/track/track.ts";
import { memoryText } from "../../../src/core/memory.ts";
import { lookAt, seen } from "./look_at.ts";

const KEEP = { keep: 600 };

describe("changes of a value", () => {
  test.each([
    ["a first look cannot tell", seen([0, "x"]), undefined],
    ["an unknown key cannot tell", seen([0]), undefined],
    ["two equal looks", seen([0, "x"], [60, "x"]), 0],
    ["two looks that differ", seen([0, "x"], [60, "y"]), 1],
    ["there and back are two", seen([0, "x"], [60, "y"], [120, "x"]), 2],
    ["N + 1 looks show N changes", seen([0, 1], [60, 2], [120, 3], [180, 4], [240, 5]), 4],
    ["a number is not its text", seen([0, 1], [60, "1"]), 1],
    ["null, false and 0 differ", seen([0, null], [60, false], [120, 0]), 2],
    ["0 and -0 are the same", seen([0, 0], [60, -0]), 0],
    ["-0 and 0 are the same", seen([0, -0], [60, 0]), 0],
    ["a look without the key between equal ones", seen([0, 1], [60], [120, 1]), 0],
    ["a look without the key between different ones", seen([0, 1], [60], [120, 2]), 1],
    ["the key is not there any more", seen([0, 1], [60, 2], [120]), 1],
    ["a look on the edge of the window", seen([0, 1], [600, 2]), 1],
    ["a change before the window", seen([0, 1], [60, 2], [700, 2]), 0],
    ["a change that began before the window", seen([0, 1], [601, 2]), undefined],
    ["of a gap nothing is known", seen([0, 1], [60, 2], [9000, 3]), undefined],
    ["what a gap did not change did not change", seen([0, 1], [60, 2], [9000, 2]), 0],
    ["the same time twice is one look", seen([0, 1], [0, 1]), undefined],
    ["the same time twice after another", seen([0, 1], [60, 2], [60, 2]), 1],
  ] as const)("%s", (_, looks, expected) => {
    expect(lookAt(looks, KEEP).changes("a")).toBe(expected);
  });

  const looks = seen([0, 1], [100, 2], [200, 3], [300, 4]);
  test.each([
    [600, 3],
    [300, 3],
    [299, 2],
    [100, 1],
    [99, undefined],
  ])("within the last %d seconds", (within, expected) => {
    expect(lookAt(looks, KEEP).changes("a", within)).toBe(expected);
  });
});

describe("growth of a number", () => {
  test.each([
    ["a first look cannot tell", seen([0, 5]), undefined, undefined],
    ["it stays", seen([0, 5], [60, 5]), 0, 0],
    ["it grows", seen([0, 5], [60, 7], [120, 12]), 7, 7],
    ["a counter restarts", seen([0, 100], [60, 110], [120, 4], [180, 9]), 19, 15],
    ["a fall below 0 is no growth", seen([0, 5], [60, -3], [120, 2]), 5, 5],
    ["it restarts at the same value", seen([0, 5], [60, 0], [120, 5]), 5, 5],
    ["not a number in between", seen([0, 5], [60, null], [120, "6"], [180, 7]), 2, 2],
    ["one number and a text", seen([0, 5], [60, "7"]), undefined, undefined],
    ["a gap", seen([0, 5], [9000, 500]), undefined, undefined],
    ["huge numbers", seen([0, -1e308], [60, 1.5e308]), Infinity, Infinity],
  ] as const)("%s", (_, looks, restart, ignore) => {
    const track = lookAt(looks, KEEP);
    expect(track.growth("a")).toBe(restart);
    expect(track.growth("a", 600, "restart")).toBe(restart);
    expect(track.growth("a", undefined, "ignore")).toBe(ignore);
  });
});

describe("falls of a number", () => {
  test.each([
    ["a first look cannot tell", seen([0, 5]), undefined],
    ["it stays", seen([0, 5], [60, 5]), 0],
    ["it grows", seen([0, 5], [60, 7], [120, 12]), 0],
    ["a counter restarts twice", seen([0, 100], [60, 4], [120, 50], [180, 9]), 2],
    ["not a number in between", seen([0, 5], [60, null], [120, 4]), 1],
    ["a gap", seen([0, 5], [9000, 4]), undefined],
  ] as const)("%s", (_, looks, expected) => {
    expect(lookAt(looks, KEEP).falls("a")).toBe(expected);
  });
});

describe("since when it has its value, and how long it was looked at in the last 600 s", () => {
  test.each([
    ["an unknown key", seen([0]), undefined, undefined],
    ["a first look", seen([50, 1]), 50, 0],
    ["equal looks", seen([50, 1], [110, 1], [170, 1]), 50, 120],
    ["a change", seen([50, 1], [110, 2], [170, 2]), 110, 120],
    ["there and back", seen([50, 1], [110, 2], [170, 1]), 170, 120],
    ["longer than the history is kept", seen([50, 1], [110, 2], [900, 2], [1700, 2]), 110, 600],
    ["a value that is not sampled now", seen([50, 1], [110, 1], [170]), 50, 60],
    [
      "a value that was not sampled in the window",
      seen([50, 1], [110, 1], [711]),
      undefined,
      undefined,
    ],
    ["a look before the window", seen([50, 1], [110, 1], [651]), 50, 59],
    ["a change in a gap", seen([50, 1], [9000, 2]), 9000, 0],
  ] as const)("%s", (_, looks, since, span) => {
    const track = lookAt(looks, KEEP);
    expect(track.since("a")).toBe(since);
    expect(track.span("a")).toBe(span);
  });
});

describe("a key that is not sampled any more", () => {
  const a = { a: 1 };
  test.each([
    ["stays for as long as history is kept", KEEP, [[0, a] as const, [600, {}] as const], 0],
    ["and is forgotten then", KEEP, [[0, a] as const, [601, {}] as const], undefined],
    [
      "is forgotten sooner",
      { keep: 600, forget: 60 },
      [
        [0, a],
        [61, {}],
      ],
      undefined,
    ],
    [
      "is forgotten later",
      { keep: 600, forget: 6000 },
      [
        [0, a],
        [6000, {}],
      ],
      0,
    ],
    [
      "is forgotten at once",
      { keep: 600, forget: 0 },
      [
        [0, a],
        [1, {}],
      ],
      undefined,
    ],
    [
      "is never forgotten",
      { keep: 600, forget: Infinity },
      [
        [0, a],
        [1e9, {}],
      ],
      0,
    ],
    [
      "stays while it is unknown",
      KEEP,
      [
        [0, a],
        [9000, {}, ["a"]],
      ],
      0,
    ],
    [
      "is forgotten when it is known to be gone",
      KEEP,
      [
        [0, a],
        [9000, {}, ["a"]],
        [9001, {}],
      ],
      undefined,
    ],
    [
      "has the value of its next look",
      KEEP,
      [
        [0, a],
        [9000, {}, ["a"]],
        [9060, { a: 2 }],
      ],
      9060,
    ],
    [
      "is known if it is sampled, whatever else",
      KEEP,
      [
        [0, a],
        [60, { a: 2 }, ["a"]],
      ],
      60,
    ],
  ] as const)("%s", (_, options, looks, since) => {
    expect(lookAt(looks, options).since("a")).toBe(since);
  });

  test("it is asked only for keys without a sample", () => {
    const asked: string[] = [];
    const memory = lookAt([[0, { a: 1, b: 1 }]], KEEP).memory;
    const unknown = (key: string): boolean => asked.push(key) > 0;
    new Track(memory, { b: 2, c: 3 }, { now: 60, keep: 600, unknown });
    expect(asked).toEqual(["a"]);
  });
});

describe("a clock that went back", () => {
  const CLOCK = "seen later than now: the clock went back";
  test.each([
    ["by less than the value is old", seen([0, 1], [100, 1], [98, 1]), 0, 0, []],
    ["and the value changed", seen([0, 1], [100, 1], [98, 2]), 1, 98, []],
    [
      "changes that it saw later do not count",
      seen([0, 1], [60, 2], [100, 3], [110, 4], [70, 4]),
      2,
      70,
      [`${CLOCK} (dropped runs: 2)`],
    ],
    [
      "to before all that was seen",
      seen([1000, 1], [1060, 2], [10, 2]),
      undefined,
      10,
      [`${CLOCK} (dropped runs: 2; keys of which none is left: 1)`],
    ],
    ["and forward again", seen([1000, 1], [10, 1], [70, 2]), 1, 70, []],
  ] as const)("%s", (_, looks, changes, since, lost) => {
    const track = lookAt(looks, KEEP);
    expect([track.changes("a"), track.since("a"), track.lost()]).toEqual([changes, since, lost]);
  });
});

describe("memory that no Track made is as if nothing was known", () => {
  const run = ["x", 0, 1];
  const times = [0, 60];
  test.each([
    ["nothing", undefined, []],
    ["null", null, []],
    ["a text", "x", ['"x"']],
    ["a list", [], ["[]"]],
    ["another object", { a: 1 }, ['{"a":1}']],
    ["no times", { keys: { a: [run] } }, ['{"keys":{"a":[["x",0,1]]}}']],
    ["keys that are a list", { times, keys: [] }, ['{"times":[0,60],"keys":[]}']],
    ["a key without runs", { times, keys: { a: [] } }, ['{"times":[0,60],"keys":{"a":[]}}']],
    ["a key that is a text", { times, keys: { a: "x" } }],
    ["a run that is a text", { times, keys: { a: ["x"] } }],
    ["a value that is a list", { times, keys: { a: [[[], 0, 1]] } }],
    ["a run without a value", { times, keys: { a: [[]] } }],
    ["a time that is not there", { times, keys: { a: [["x", 0, 2]] } }],
    ["a place that is a word", { times, keys: { a: [["x", 0, "length"]] } }],
    ["a time that is a text", { times: [0, "60"], keys: { a: [run] } }],
    ["a run that ends before it begins", { times, keys: { a: [["x", 1, 0]] } }],
    [
      "runs in the wrong order",
      {
        times,
        keys: {
          a: [
            ["x", 1, 1],
            ["y", 0, 0],
          ],
        },
      },
    ],
    ["one of two keys", { times, keys: { a: [run], b: 1 } }],
  ])("%s", (_, memory, quoted?: readonly string[]) => {
    const track = new Track(memory, { a: "x" }, { now: 120, keep: 600 });
    expect(track.memory).toEqual({ times: [120], keys: { a: [["x", 0, 0]] } });
    const lost = quoted?.map(
      (text) => `the memory of earlier looks is ${text}, which no Track made`,
    );
    if (lost === undefined) expect(track.lost()).toHaveLength(1);
    else expect(track.lost()).toEqual(lost);
  });
});

test("keys and values of any text come back from memory", () => {
  const names = ["__proto__", "constructor", "", "0", "a b", "é\u0000\ud800", "toString"];
  const samples = new Map(names.map((name) => [name, name]));
  let memory: unknown;
  for (const now of [0, 60]) {
    const track = new Track(memory, samples, { now, keep: 600 });
    const json = memoryText(track.memory);
    memory = json.ok && JSON.parse(json.text);
    for (const name of names) expect(track.since(name)).toBe(0);
    expect(track.since("valueOf")).toBeUndefined();
  }
});

describe("what a module got wrong is an error", () => {
  test.each([
    ["a field that the service left out", '[["a", null], ["b"]]', 'the sample of "b" is undefined'],
    ["a list", '[["a", []]]', 'the sample of "a" is []'],
    ["an object", '[["a", {"b": 1}]]', 'the sample of "a" is {"b":1}'],
    ["a key that is a number", "[[12, 1]]", "a key of the samples is 12; it must be text"],
  ])("%s", (_, json, message) => {
    const samples: Map<string, Scalar> = new Map(JSON.parse(json));
    expect(() => new Track(undefined, samples, { now: 0, keep: 60 })).toThrow(TypeError);
    expect(() => new Track(undefined, samples, { now: 0, keep: 60 })).toThrow(`Track: ${message}`);
  });

  test.each([Number.NaN, Infinity, -Infinity])("a sample that is %d", (value) => {
    expect(() => new Track(undefined, { a: value }, { now: 0, keep: 60 })).toThrow(
      new TypeError(
        `Track: the sample of "a" is ${value}; it must be text, a finite number, true, false or null`,
      ),
    );
  });

  test.each([
    [{ now: Number.NaN }, "now is NaN; it must be epoch seconds"],
    [{ keep: 0 }, "keep is 0; it must be seconds above 0"],
    [{ keep: Infinity }, "keep is Infinity"],
    [{ keep: Number.NaN }, "keep is NaN"],
    [{ forget: -1 }, "forget is -1; it must be seconds, 0 or more"],
    [{ max: 0 }, "max is 0; it must be a whole number above 0"],
    [{ runs: 1 }, "runs is 1; it must be a whole number, 2 or more"],
    [{ runs: 2.5 }, "runs is 2.5"],
  ])("an option: %j", (options, message) => {
    const make = () => new Track(undefined, {}, { now: 0, keep: 60, ...options });
    expect(make).toThrow(RangeError);
    expect(make).toThrow(`Track: ${message}`);
  });

  test("a question beyond what is kept", () => {
    const track = new Track(undefined, { a: 1 }, { now: 0, keep: 60 });
    const message = "Track: within is 61; it must be seconds above 0, at most keep, which is 60";
    expect(() => track.changes("a", 61)).toThrow(new RangeError(message));
    expect(() => track.growth("a", 61)).toThrow(message);
    expect(() => track.span("a", 61)).toThrow(message);
    expect(() => track.changes("a", Number.NaN)).toThrow("within is NaN");
    expect(() => track.changes("a", 0)).toThrow("within is 0");
  });

  test("a word for falls that is none", () => {
    const track = new Track(undefined, { a: 1 }, { now: 0, keep: 60 });
    expect(() => track.growth("a", 60, JSON.parse('"restarts"'))).toThrow(
      'Track: falls is "restarts"; it must be "restart" or "ignore"',
    );
  });
});
