import { describe, expect, test } from "vitest";
import type { Outcome, SafeDetection } from "../../src/core/model.ts";
import { makeRedactor } from "../../src/text/redact.ts";
import type { OutcomeSoFar } from "../../src/worker/outcome.ts";
import { newOutcome } from "../support/new_outcome.ts";

function detection(dedupeKey: string, body = ""): SafeDetection {
  return { dedupeKey, subject: dedupeKey, body, data: {}, recipients: [] };
}

function outcomeAfter(happened: (soFar: OutcomeSoFar) => void): Outcome {
  const soFar = newOutcome();
  happened(soFar);
  return soFar.outcome(1.5);
}

const threw = { text: "detect threw Error: x", isFetch: false };

describe("the status and the cause of an error", () => {
  test.each<[string, (soFar: OutcomeSoFar) => void, Partial<Outcome>]>([
    ["nothing", () => {}, { status: "complete", cause: undefined, reasons: [] }],
    [
      "a detection",
      (soFar) => void soFar.add(detection("a"), 0),
      { status: "complete", cause: undefined, reasons: [] },
    ],
    [
      "the module could not see everything",
      (soFar) => soFar.incomplete("x"),
      { status: "partial", cause: undefined, reasons: ["x"] },
    ],
    [
      "a request failed and the module caught it",
      (soFar) => soFar.requestFailed("GET x"),
      { status: "partial", cause: undefined, reasons: ["GET x"] },
    ],
    [
      "detect threw",
      (soFar) => soFar.fail(threw),
      { status: "failed", cause: "module", reasons: [threw.text] },
    ],
    [
      "a request failed and the module let it through: one reason",
      (soFar) => {
        soFar.requestFailed("GET x");
        soFar.incomplete("GET x");
        soFar.fail({ text: "GET x", isFetch: true });
      },
      { status: "failed", cause: "source", reasons: ["GET x"] },
    ],
    [
      "a request failed and the module made an error of its own of it",
      (soFar) => {
        soFar.requestFailed("GET x");
        soFar.fail(threw);
      },
      { status: "failed", cause: "source", reasons: ["GET x", threw.text] },
    ],
    [
      "its time was up while it waited for a response",
      (soFar) => soFar.fail({ text: "out of time", isWaiting: true }),
      { status: "failed", cause: "source", reasons: ["out of time"] },
    ],
    [
      "its time was up while it did something else",
      (soFar) => soFar.fail({ text: "out of time", isWaiting: false }),
      { status: "failed", cause: "module", reasons: ["out of time"] },
    ],
    [
      "the module made up a failed request",
      (soFar) => soFar.fail({ text: "GET x", isFetch: true }),
      { status: "failed", cause: "module", reasons: ["detect threw FetchError: GET x"] },
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

  test("also if there are more than are counted", () => {
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

test("a reason is redacted before it is cut, so that no part of a secret is left", () => {
  const soFar = newOutcome({ redact: makeRedactor(["secret-1"]) });
  soFar.incomplete(`${"x".repeat(994)} secret-1 and more`);
  expect(soFar.outcome(0).reasons).toEqual([expect.not.stringContaining("secr")]);
});

test("the first detection of an entity is kept, and all are counted", () => {
  const soFar = newOutcome();
  for (const body of ["first", "second"]) soFar.add(detection("a", body), 0);
  expect(soFar.yielded).toBe(2);
  const { status, detections } = soFar.outcome(0);
  expect(status).toBe("complete");
  expect([...detections.values()]).toEqual([detection("a", "first")]);
});

test("of a detection whose details are not needed only the key is kept, and takes no room", () => {
  const soFar = newOutcome({ needsDetails: (key) => key === "new" });
  const kept = ["known", "new", "known", "new"].map((key) => soFar.add(detection(key, "b"), 40));
  expect(kept).toEqual([0, 40, 0, 0]);
  const { keys, detections } = soFar.outcome(0);
  expect([...keys]).toEqual(["known", "new"]);
  expect([...detections]).toEqual([["new", detection("new", "b")]]);
});

test("a key is redacted, as in the database; equal keys are one entity", () => {
  const soFar = newOutcome({ redact: makeRedactor(["secret-1", "secret-2"]) });
  for (const secret of ["secret-1", "secret-2"]) soFar.add(detection(`k ${secret}`), 0);
  expect([...soFar.outcome(0).detections.values()]).toMatchObject([{ dedupeKey: "k [redacted]" }]);
});
