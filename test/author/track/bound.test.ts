import { describe, expect, test } from "vitest";
import type { Scalar } from "../../../src/author/track/history.ts";
import { Track } from "../../../src/author/track/track.ts";
import { lookAt, seen } from "./look_at.ts";

const KIB = 1024;

function bytesOf({ memory }: Track): number {
  return Buffer.byteLength(JSON.stringify(memory));
}

function samplesOf(count: number, value: (place: number) => Scalar): ReadonlyMap<string, Scalar> {
  return new Map(
    Array.from({ length: count }, (_, place) => [`host_${place % 70}:prog_${place}`, value(place)]),
  );
}

/** Looks each minute from 0 at what `samples` returns for that minute. */
function minutes(count: number, samples: (minute: number) => ReadonlyMap<string, Scalar>): Track {
  const looks = Array.from(
    { length: count },
    (_, minute) => [60 * minute, samples(minute)] as const,
  );
  return lookAt(looks, { keep: 86_400 });
}

describe("runs of a key", () => {
  test("the oldest go first, and what is lost is told", () => {
    const looks = Array.from({ length: 33 }, (_, minute) => [60 * minute, minute] as const);
    const all = lookAt(seen(...looks.slice(0, 32)), { keep: 3600 });
    expect([all.changes("a"), all.growth("a"), all.span("a")]).toEqual([31, 31, 31 * 60]);
    expect(all.lost()).toEqual([]);
    const fewer = lookAt(seen(...looks), { keep: 3600 });
    expect([fewer.changes("a"), fewer.growth("a"), fewer.span("a")]).toEqual([31, 31, 31 * 60]);
    expect(fewer.lost()).toEqual(["more than 32 runs of a key (dropped runs: 1)"]);
    const more = lookAt(seen(...looks), { keep: 3600, runs: 40 });
    expect([more.changes("a"), more.lost()]).toEqual([32, []]);
  });

  test("what is older than kept is dropped without a word", () => {
    const looks = Array.from({ length: 100 }, (_, minute) => [60 * minute, minute] as const);
    const track = lookAt(seen(...looks), { keep: 600 });
    expect([track.changes("a"), track.lost()]).toEqual([10, []]);
    expect(track.memory.keys.a).toHaveLength(11);
  });
});

describe("keys", () => {
  test.each([
    ["the one that was seen longest ago goes", { a: 1, b: 1 }, { b: 1, c: 1 }, ["b", "c"]],
    ["of those seen now, the new one goes", { a: 1, b: 1 }, { c: 1, b: 1, a: 1 }, ["a", "b"]],
    ["a known one that changed stays", { a: 1, b: 1 }, { c: 1, b: 1, a: 2 }, ["a", "b"]],
  ])("%s", (_, first, second, kept) => {
    const track = lookAt(
      [
        [0, first],
        [60, second],
      ],
      { keep: 600, max: 2 },
    );
    expect(Object.keys(track.memory.keys).sort()).toEqual(kept);
    expect(track.lost()).toEqual([
      expect.stringMatching(
        /^more than 2 keys \(dropped runs: [12]; keys of which none is left: 1\)$/,
      ),
    ]);
  });

  test("of too many keys the same ones stay at each look", () => {
    const first = minutes(1, () => samplesOf(6000, () => 1));
    const later = minutes(3, () => samplesOf(6000, () => 1));
    expect(Object.keys(first.memory.keys)).toHaveLength(5000);
    expect(new Set(Object.keys(later.memory.keys))).toEqual(
      new Set(Object.keys(first.memory.keys)),
    );
    expect(later.lost()).toEqual([
      "more than 5000 keys (dropped runs: 1000; keys of which none is left: 1000)",
    ]);
  });
});

describe("200 KiB of JSON", () => {
  test("hold the states of 5,000 programs, at times with milliseconds", () => {
    const looks = [0, 60, 120].map(
      (second) => [1_795_802_400.123 + second, samplesOf(5000, () => "RUNNING")] as const,
    );
    const track = lookAt(looks, { keep: 86_400 });
    expect(track.lost()).toEqual([]);
    expect(bytesOf(track)).toBeLessThanOrEqual(200 * KIB);
    expect(track.changes("host_29:prog_4999")).toBe(0);
  });

  test("hold 32 runs of each of 100 counters", () => {
    const track = minutes(32, (minute) => samplesOf(100, () => 1e6 + 1000 * minute));
    expect(track.lost()).toEqual([]);
    expect(track.changes("host_0:prog_0")).toBe(31);
  });

  test("lose the oldest runs first, and the current value of no key", () => {
    const samples = (minute: number) => samplesOf(4000, (place) => 10_000 + place + minute);
    const track = minutes(12, samples);
    expect(bytesOf(track)).toBeLessThanOrEqual(200 * KIB);
    expect(bytesOf(track)).toBeGreaterThan(190 * KIB);
    expect(track.lost()).toEqual([
      expect.stringMatching(/^more than 200 KiB of JSON \(dropped runs: \d+\)$/),
    ]);
    expect(Object.keys(track.memory.keys)).toHaveLength(4000);
    const again = new Track(track.memory, samples(11), { now: 660, keep: 86_400 });
    expect(again.memory).toEqual(track.memory);
    const spans = [...samples(0).keys()].map((key) => track.span(key) ?? 0);
    expect(Math.max(...spans) - Math.min(...spans)).toBeLessThanOrEqual(60);
  });

  test("lose whole keys if their current values are too much, at each look the same ones", () => {
    const samples = () => samplesOf(400, (place) => `${place}é`.repeat(200));
    const first = minutes(1, samples);
    const later = minutes(4, samples);
    for (const track of [first, later]) {
      expect(bytesOf(track)).toBeLessThanOrEqual(200 * KIB);
      expect(bytesOf(track)).toBeGreaterThan(190 * KIB);
      expect(track.lost()).toEqual([expect.stringContaining("keys of which none is left: ")]);
    }
    expect(new Set(Object.keys(later.memory.keys))).toEqual(
      new Set(Object.keys(first.memory.keys)),
    );
  });

  test("lose no more keys than they must", () => {
    const names = Array.from(
      { length: 5000 },
      (_, place) => [`${place}:${"n".repeat(60)}`, place] as const,
    );
    const track = lookAt([[0, new Map(names)]], { keep: 600 });
    expect(bytesOf(track)).toBeLessThanOrEqual(200 * KIB);
    expect(bytesOf(track)).toBeGreaterThan(199 * KIB);
  });

  test("one value that is larger is not kept", () => {
    const track = lookAt([[0, { a: "x".repeat(300 * KIB) }]], { keep: 600 });
    expect(track.memory).toEqual({ times: [], keys: {} });
    expect(track.since("a")).toBeUndefined();
  });
});
