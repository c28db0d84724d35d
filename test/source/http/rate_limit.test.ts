import fc from "fast-check";
import { expect, test } from "vitest";
import { RateLimit } from "../../../src/source/http/rate_limit.ts";

/** How long each request has to wait that comes at these seconds. */
const ROWS: readonly (readonly [string, number, readonly number[], readonly number[]])[] = [
  ["the first ones are sent at once", 3, [0, 0, 1], [0, 0, 0]],
  ["one more waits until the first is a minute ago", 2, [0, 10, 20], [0, 0, 40]],
  ["those that come together are sent in order", 1, [5, 5, 5], [0, 60, 120]],
  ["after a minute all are free again", 2, [0, 0, 60, 60, 60], [0, 0, 0, 0, 60]],
  ["a quiet time saves nothing up", 1, [0, 600, 601], [0, 0, 59]],
];

test.each(ROWS)("%s", (_, perMinute, times, waits) => {
  const limit = new RateLimit(perMinute);
  expect(times.map((now) => limit.take(now))).toEqual(waits);
});

test("asking how long takes no place", () => {
  const limit = new RateLimit(1);
  expect([limit.wait(0), limit.wait(0), limit.take(0), limit.wait(20), limit.wait(60)]).toEqual([
    0, 0, 0, 40, 0,
  ]);
});

test("in no 60 seconds are there more, and none waits longer than it must", () => {
  const comings = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), comings, (perMinute, gaps) => {
      const limit = new RateLimit(perMinute);
      const sent: number[] = [];
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        const at = now + limit.take(now);
        const before = sent.at(-perMinute);
        expect(at).toBe(before === undefined ? now : Math.max(now, before + 60));
        sent.push(at);
      }
    }),
  );
});
