import { describe, expect, test } from "vitest";
import type { Outcome } from "../../src/core/model.ts";
import { OutcomeSoFar } from "../../src/modules/outcome.ts";

function outcomeAfter(happened: (soFar: OutcomeSoFar) => void): Outcome {
  const soFar = new OutcomeSoFar();
  happened(soFar);
  return soFar.outcome(1.5);
}

const threw = { text: "detect threw Error: x", isFetch: false };

describe("what happened gives the status, and whose fault a failure is", () => {
  test.each<[string, (soFar: OutcomeSoFar) => void, Partial<Outcome>]>([
    ["nothing", () => {}, { status: "complete", fault: undefined, reasons: [] }],
    [
      "a detection",
      (soFar) => soFar.add({ dedupeKey: "a" }),
      { status: "complete", fault: undefined, reasons: [] },
    ],
    [
      "the module could not see everything",
      (soFar) => soFar.incomplete("x"),
      { status: "partial", fault: undefined, reasons: ["x"] },
    ],
    [
      "a request failed and the module caught it",
      (soFar) => soFar.sourceFailed("GET x"),
      { status: "partial", fault: undefined, reasons: ["GET x"] },
    ],
    [
      "detect threw",
      (soFar) => soFar.fail(threw),
      { status: "failed", fault: "module", reasons: [threw.text] },
    ],
    [
      "a request failed and the module let it through: one reason",
      (soFar) => {
        soFar.sourceFailed("GET x");
        soFar.incomplete("GET x");
        soFar.fail({ text: "GET x", isFetch: true });
      },
      { status: "failed", fault: "source", reasons: ["GET x"] },
    ],
    [
      "a request failed and the module made an error of its own of it",
      (soFar) => {
        soFar.sourceFailed("GET x");
        soFar.fail(threw);
      },
      { status: "failed", fault: "source", reasons: ["GET x", threw.text] },
    ],
    [
      "the module made up a failed request",
      (soFar) => soFar.fail({ text: "GET x", isFetch: true }),
      { status: "failed", fault: "module", reasons: ["detect threw FetchError: GET x"] },
    ],
  ])("%s", (_, happened, expected) => {
    expect(outcomeAfter(happened)).toMatchObject({ ...expected, seconds: 1.5 });
  });
});

describe("reasons are bounded, whatever a module says", () => {
  test("five are spelt out, the others counted, and how it ended is among the five", () => {
    const { reasons } = outcomeAfter((soFar) => {
      for (let at = 0; at < 50; at++) soFar.incomplete(`reason ${at}`);
      soFar.fail(threw);
    });
    expect(reasons).toEqual([
      "reason 0",
      "reason 1",
      "reason 2",
      "reason 3",
      threw.text,
      "and 46 more reasons",
    ]);
  });

  test("also where there are more than are told apart", () => {
    const { reasons } = outcomeAfter((soFar) => {
      for (let at = 0; at < 2_000; at++) soFar.incomplete(`reason ${at}`);
      soFar.fail(threw);
    });
    expect(reasons[4]).toBe(threw.text);
    expect(reasons[5]).toBe("and 996 more reasons");
  });

  test("each is cut", () => {
    const long = "x".repeat(1_000_000);
    const { reasons } = outcomeAfter((soFar) => {
      soFar.incomplete(long);
      soFar.fail({ text: `end ${long}`, isFetch: false });
    });
    for (const reason of reasons) expect(reason).toHaveLength(1_000);
  });
});

test("what is no detection counts as yielded, makes it partial, and costs no other", () => {
  const soFar = new OutcomeSoFar();
  soFar.add({ dedupeKey: "a", subject: "first" }, 10);
  soFar.add(null, 20);
  soFar.add({ dedupeKey: "a", subject: "second" }, 30);
  expect([soFar.yielded, soFar.length]).toEqual([3, 60]);
  const { status, detections } = soFar.outcome(0);
  expect(status).toBe("partial");
  expect(detections.map(({ subject }) => subject)).toEqual(["first"]);
});
