import { assert, double, integer, property, tuple } from "fast-check";
import { describe, expect, test } from "vitest";
import { normalQuantile } from "../../src/author/normal_quantile.ts";
import { wilsonLower } from "../../src/author/wilson_lower.ts";

describe("the quantile of the normal distribution", () => {
  // From tables; one in each of the three ranges of the approximation, and their borders.
  test.each([
    [0.5, 0],
    [0.75, 0.67448975],
    [0.9, 1.28155157],
    [0.925, 1.43953147],
    [0.95, 1.64485363],
    [0.975, 1.95996398],
    [0.99, 2.32634787],
    [0.9999, 3.71901649],
    [1 - 1e-9, 5.99780702],
    [1 - 2 ** -45, 7.51515498],
  ])("of %f is %f", (probability, z) => {
    expect(normalQuantile(probability)).toBeCloseTo(z, 5);
  });
});

describe("the lower bound of a rate", () => {
  // Computed with another implementation (jstat), z = 1.6449.
  test.each([
    ["one of one", 1, 1, 0.2699],
    ["one of five", 1, 5, 0.046],
    ["two of five", 2, 5, 0.1427],
    ["five of five", 5, 5, 0.6489],
    ["two of ten", 2, 10, 0.0686],
    ["ten of fifty", 10, 50, 0.1235],
    ["twenty of a hundred", 20, 100, 0.1425],
    ["200 of a thousand", 200, 1000, 0.18],
    ["38 of 40", 38, 40, 0.8597],
    ["50 of a thousand", 50, 1000, 0.0398],
    ["none of five", 0, 5, 0],
    ["none of none", 0, 0, 0],
  ])("%s", (_, failures, total, bound) => {
    expect(wilsonLower(failures, total)).toBeCloseTo(bound, 4);
    expect(wilsonLower(failures, total, 0.95)).toBe(wilsonLower(failures, total));
  });

  // The least failures of 5, 10, … at 95%.
  test.each([
    [0.1, { 5: 2, 10: 3, 20: 5, 50: 9, 100: 15, 1000: 116 }],
    [0.03, { 5: 1, 20: 2, 50: 4, 100: 6, 1000: 39 }],
  ])("it reaches %f only with so many failures", (threshold, least) => {
    for (const [total, failures] of Object.entries(least)) {
      expect(wilsonLower(failures, Number(total))).toBeGreaterThanOrEqual(threshold);
      expect(wilsonLower(failures - 1, Number(total))).toBeLessThan(threshold);
    }
  });

  test("without confidence it is the rate itself", () => {
    expect(wilsonLower(2, 5, 0.5)).toBe(0.4);
  });

  test.each([
    [
      "more failures than there are",
      [3, 2],
      "failures is 3; it must be a whole number from 0 to the total, 2",
    ],
    [
      "a negative count",
      [-1, 2],
      "failures is -1; it must be a whole number from 0 to the total, 2",
    ],
    [
      "half a failure",
      [0.5, 2],
      "failures is 0.5; it must be a whole number from 0 to the total, 2",
    ],
    [
      "a total that is not a number",
      [0, Number.NaN],
      "total is NaN; it must be a whole number, 0 or more",
    ],
    [
      "a confidence in percent",
      [1, 2, 95],
      "confidence is 95; it must be at least 0.5 and below 1; 0.95 is 95%",
    ],
    [
      "a level of significance",
      [1, 2, 0.05],
      "confidence is 0.05; it must be at least 0.5 and below 1; 0.95 is 95%",
    ],
    ["certainty", [1, 2, 1], "confidence is 1; it must be at least 0.5 and below 1; 0.95 is 95%"],
  ] as const)("%s is refused", (_, [failures, total, confidence], message) => {
    expect(() => wilsonLower(failures, total, confidence)).toThrow(
      new RangeError(`wilsonLower: ${message}`),
    );
  });

  test("what a service sends as text is refused", () => {
    const sent = JSON.parse('{"failed": "1", "all": null}');
    expect(() => wilsonLower(sent.failed, 2)).toThrow('failures is "1"');
    expect(() => wilsonLower(1, sent.all)).toThrow("total is null");
  });

  const confidences = double({ min: 0.5, max: 0.999_999, noNaN: true });
  const counts = tuple(integer({ min: 0, max: 1e9 }), integer({ min: 1, max: 1e9 })).map(
    ([failures, more]) => [failures, failures + more - 1] as const,
  );

  test("it is at least 0 and at most the rate, whatever the counts", () => {
    assert(
      property(counts, confidences, ([failures, total], confidence) => {
        const bound = wilsonLower(failures, total, confidence);
        expect(bound).toBeGreaterThanOrEqual(0);
        expect(bound).toBeLessThanOrEqual(total === 0 ? 0 : failures / total);
      }),
    );
  });

  test("it rises with each failure, and with each confidence that is given up", () => {
    assert(
      property(counts, confidences, ([failures, total], confidence) => {
        const bound = wilsonLower(failures, total + 1, confidence);
        expect(wilsonLower(failures + 1, total + 1, confidence)).toBeGreaterThan(bound);
        expect(wilsonLower(failures, total + 1, confidence / 2 + 0.25)).toBeGreaterThanOrEqual(
          bound,
        );
      }),
    );
  });

  test("it rises with the total while the rate stays", () => {
    const small = tuple(integer({ min: 1, max: 1000 }), integer({ min: 0, max: 1000 }));
    assert(
      property(
        small,
        integer({ min: 2, max: 100 }),
        confidences,
        ([failed, fine], times, confidence) => {
          const bound = wilsonLower(failed, failed + fine, confidence);
          const later = wilsonLower(failed * times, (failed + fine) * times, confidence);
          expect(later).toBeGreaterThanOrEqual(bound - 1e-12);
        },
      ),
    );
  });
});
