import { afterEach, describe, expect, test, vi } from "vitest";
import type { Outcome } from "../../src/core/model.ts";
import { Details } from "../../src/worker/details.ts";
import type { OutcomeSoFar } from "../../src/worker/outcome.ts";
import { newOutcome } from "../support/new_outcome.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

function outcomeAfter(happened: (soFar: OutcomeSoFar) => void): Outcome {
  const soFar = newOutcome();
  happened(soFar);
  return soFar.outcome(1.5);
}

const threw = { text: "detect threw Error: x", isFetch: false };

describe("what happened gives the status, and whose fault a failure is", () => {
  test.each<[string, (soFar: OutcomeSoFar) => void, Partial<Outcome>]>([
    ["nothing", () => {}, { status: "complete", cause: undefined, reasons: [] }],
    [
      "a detection",
      (soFar) => soFar.add({ dedupeKey: "a" }),
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
  const soFar = newOutcome();
  soFar.add({ dedupeKey: "a", subject: "first" });
  soFar.add(null);
  soFar.add({ dedupeKey: "a", subject: "second" });
  expect(soFar.yielded).toBe(3);
  const { status, detections } = soFar.outcome(0);
  expect(status).toBe("partial");
  expect([...detections.keys()]).toEqual(["a"]);
  expect(detections.get("a")?.subject).toBe("first");
});

test("of a detection whose details nobody needs the key is kept, and takes no room", () => {
  const soFar = newOutcome({ needsDetails: (key) => key === "new" });
  for (const dedupeKey of ["known", "new", "known"]) soFar.add({ dedupeKey, body: "b" });
  const { detections } = soFar.outcome(0);
  expect([...detections.keys()]).toEqual(["known", "new"]);
  expect(detections.get("known")).toBeUndefined();
  expect(detections.get("new")?.body).toBe("b");
  expect(soFar.length).toBe(JSON.stringify(detections.get("new")).length);
});

test("what is kept has no secrets in it, and two keys that differ in a secret are one", () => {
  const soFar = newOutcome({ redact: (text) => text.replaceAll(/secret\d/g, "[redacted]") });
  for (const key of ["secret1", "secret2"]) soFar.add({ dedupeKey: key, body: key });
  const { detections } = soFar.outcome(0);
  expect([...detections.keys()]).toEqual(["[redacted]"]);
  expect(detections.get("[redacted]")?.body).toBe("[redacted]");
});

describe("detections that do not fit into memory", () => {
  const yielded = Array.from({ length: 500 }, (_, at) => {
    return { dedupeKey: `task:${at}`, subject: `s ${at} 漢😀`, body: "b".repeat(at), data: { at } };
  });

  test("come back from the disk as they were, in any order, and are gone with the tick", () => {
    const details = new Details(10_000);
    const soFar = newOutcome({ details });
    for (const detection of yielded) soFar.add(detection);
    const { status, detections } = soFar.outcome(0);
    expect(status).toBe("complete");
    for (const detection of yielded.toReversed())
      expect(detections.get(detection.dedupeKey)).toEqual(detection);
    details.close();
    expect(detections.get("task:0")).toEqual(yielded[0]);
    expect(detections.get("task:499")).toBeUndefined();
  });

  test("make the outcome partial where the disk cannot be written", () => {
    vi.stubEnv("TMPDIR", "/there/is/no/such/folder");
    const soFar = newOutcome({ details: new Details(1_000) });
    const huge = Array.from({ length: 10 }, (_, at) => {
      return { dedupeKey: `huge:${at}`, body: "b".repeat(50_000) };
    });
    soFar.add({ dedupeKey: "small" });
    for (const detection of huge) soFar.add(detection);
    const { status, reasons, detections } = soFar.outcome(0);
    expect(status).toBe("partial");
    expect(reasons.join()).toContain("cannot be kept until they are recorded: ENOENT");
    expect(reasons.join()).toContain("an earlier write to the disk failed");
    expect(detections.get("small")?.dedupeKey).toBe("small");
    for (const { dedupeKey } of huge.filter(({ dedupeKey }) => detections.has(dedupeKey)))
      expect(() => detections.get(dedupeKey)).toThrow("an earlier write to the disk failed");
  });

  test("are told as lost, not taken for known ones, when another alarm's write has failed", () => {
    const details = new Details(0);
    const [first, second] = [newOutcome({ details }), newOutcome({ details })];
    first.add({ dedupeKey: "a" });
    vi.stubEnv("TMPDIR", "/there/is/no/such/folder");
    for (let at = 0; at < 10; at++) second.add({ dedupeKey: `b${at}`, body: "b".repeat(50_000) });
    expect(second.outcome(0).status).toBe("partial");
    const { status, detections } = first.outcome(0);
    expect(status).toBe("complete");
    expect(() => detections.get("a")).toThrow(/an earlier write to the disk failed: ENOENT/);
  });

  test("make the outcome partial where the disk has no room either", () => {
    const soFar = newOutcome({ details: new Details(10_000, 10_000) });
    for (const detection of yielded) soFar.add(detection);
    const { status, reasons, detections } = soFar.outcome(0);
    expect(status).toBe("partial");
    expect(reasons).toEqual([
      "its detections cannot be kept until they are recorded: more than 0 MiB",
    ]);
    expect(detections.size).toBeGreaterThan(10);
    expect(detections.size).toBeLessThan(500);
  });
});
