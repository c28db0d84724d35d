import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { repeatPause } from "../../src/core/repeats.ts";

const MINUTE = 60;
const HOUR = 3600;

describe("the pause after attempts with an unknown result", () => {
  test.each([
    [0, 0],
    [1, 0],
    [2, 5 * MINUTE],
    [3, 10 * MINUTE],
    [4, 20 * MINUTE],
    [5, 40 * MINUTE],
    [8, 320 * MINUTE],
    [9, 6 * HOUR],
    [100, 6 * HOUR],
    [1e9, 6 * HOUR],
  ])("after %d of them it is %d s", (count, seconds) => {
    expect(repeatPause(count)).toBe(seconds);
  });

  test("never shrinks, and is at most six hours", () => {
    fc.assert(
      fc.property(fc.nat(5_000), (count) => {
        expect(repeatPause(count + 1)).toBeGreaterThanOrEqual(repeatPause(count));
        expect(repeatPause(count)).toBeLessThanOrEqual(6 * HOUR);
      }),
    );
  });
});
