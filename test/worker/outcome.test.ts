import { describe, expect, test } from "vitest";
import { type Level, NO_LEVEL } from "../../src/core/level.ts";
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

describe("the severity and the stage of a detection", () => {
  const STAGES = ["preliminary", "initial", "update"];
  const choices = "write one of info, warning, error, critical";

  function outcomeOf(given: Partial<SafeDetection>, stages = STAGES): Outcome {
    const soFar = newOutcome({ stages });
    soFar.add({ ...detection("task:5"), ...given }, 0);
    return soFar.outcome(0);
  }

  test.each<[string, Partial<SafeDetection>, Partial<Level> | undefined, readonly string[]]>([
    ["none", {}, undefined, []],
    ["a severity", { severity: "error" }, { severity: "error" }, []],
    ["a stage", { stage: "initial" }, { stage: "initial" }, []],
    ["both", { severity: "info", stage: "update" }, { severity: "info", stage: "update" }, []],
    [
      "a severity that does not exist",
      { severity: "high" },
      undefined,
      [
        `"task:5" has the severity "high", which does not exist; the alarm's own counts; ${choices}`,
      ],
    ],
    [
      "a stage that is not declared; the severity counts",
      { severity: "error", stage: "x" },
      { severity: "error" },
      [
        `"task:5" has the stage "x", which is not one of the module's STAGES (preliminary, initial, update); its stage stays as it was`,
      ],
    ],
    [
      "neither exists",
      { severity: "Error", stage: "Initial" },
      undefined,
      [
        expect.stringContaining('the severity "Error", which does not exist'),
        expect.stringContaining('the stage "Initial", which is not one of'),
      ],
    ],
    [
      "texts that would be many lines in a log",
      { severity: "a\nb" },
      undefined,
      [expect.stringContaining('the severity "a\\nb", which')],
    ],
  ])("%s", (_, given, level, notes) => {
    const outcome = outcomeOf(given);
    expect(outcome).toMatchObject({ status: "complete", reasons: [], notes });
    const whole = level && { severity: undefined, stage: undefined, ...level };
    expect([...outcome.levels]).toEqual(whole === undefined ? [] : [["task:5", whole]]);
    expect([...outcome.detections.values()]).toEqual([detection("task:5")]);
  });

  test("a stage of a module without STAGES is noted", () => {
    const { levels, notes } = outcomeOf({ stage: "initial" }, []);
    expect(levels.size).toBe(0);
    expect(notes).toEqual([
      '"task:5" has the stage "initial", but the module exports no STAGES, the list of its stages in their order; its stage stays as it was',
    ]);
  });

  test("those that are the same are kept once", () => {
    const soFar = newOutcome({ stages: STAGES });
    for (const key of ["a", "b"])
      soFar.add({ ...detection(key), severity: "error", stage: "initial" }, 0);
    const { levels } = soFar.outcome(0);
    expect(levels.get("a")).toBeDefined();
    expect(levels.get("a")).toBe(levels.get("b"));
  });

  test("decide whether its details are needed, as far as they exist", () => {
    const asked: unknown[] = [];
    const needsDetails = (...given: unknown[]) => asked.push(given) === 0;
    const soFar = newOutcome({ stages: STAGES, needsDetails });
    soFar.add(detection("a"), 0);
    soFar.add({ ...detection("b"), severity: "error", stage: "x" }, 0);
    soFar.add({ ...detection("c"), severity: "high" }, 0);
    expect(asked).toEqual([
      ["a", NO_LEVEL],
      ["b", { severity: "error", stage: undefined }],
      ["c", NO_LEVEL],
    ]);
    // Where only the key is kept, the level is, too.
    const { levels, detections } = soFar.outcome(0);
    expect([...levels.keys()]).toEqual(["b"]);
    expect(detections.size).toBe(0);
  });

  test("of the first detection of an entity count", () => {
    const soFar = newOutcome();
    for (const severity of ["info", "critical", "high"])
      soFar.add({ ...detection("a"), severity }, 0);
    const { levels, notes } = soFar.outcome(0);
    expect(levels.get("a")?.severity).toBe("info");
    expect(notes).toEqual([]);
  });

  test("five notes are listed, and the others counted; none of them has a secret", () => {
    const soFar = newOutcome({ redact: makeRedactor(["secret-1"]) });
    for (let at = 0; at < 50; at++)
      soFar.add({ ...detection(`task:${at}`), severity: "secret-1" }, 0);
    const { notes } = soFar.outcome(0);
    expect(notes).toHaveLength(6);
    expect(notes[0]).toContain('"task:0" has the severity "[redacted]"');
    expect(notes[5]).toBe("and 45 more notes");
  });
});

describe("a clear", () => {
  const BOTH = '"a" is detected and cleared in the same outcome; the detection counts';

  test.each<[string, (soFar: OutcomeSoFar) => void, Partial<Outcome>]>([
    [
      "has its reason",
      (soFar) => soFar.addClear("a", "late by 120 s"),
      { status: "complete", clears: new Map([["a", "late by 120 s"]]), notes: [] },
    ],
    [
      "counts once for each entity, with the first reason",
      (soFar) => {
        soFar.addClear("a", "first");
        soFar.addClear("a", "second");
      },
      { clears: new Map([["a", "first"]]), notes: [] },
    ],
    [
      "of another entity than a detection counts beside it",
      (soFar) => {
        soFar.add(detection("b"), 0);
        soFar.addClear("a", "x");
      },
      { keys: new Set(["b"]), clears: new Map([["a", "x"]]), notes: [] },
    ],
    [
      "that counts only if the entity is gone is kept apart, and is no news of its scope",
      (soFar) => {
        soFar.addClear("host:a:x", "left the look-back", true);
        soFar.incomplete("504", "host:a:");
      },
      {
        clears: new Map(),
        goneReasons: new Map([["host:a:x", "left the look-back"]]),
        scopes: new Map([["host:a:", { reason: "504", isReported: false }]]),
      },
    ],
    [
      "before a detection of its entity does not count",
      (soFar) => {
        soFar.addClear("a", "x");
        soFar.add(detection("a"), 0);
      },
      { keys: new Set(["a"]), clears: new Map(), notes: [BOTH] },
    ],
    [
      "after a detection of its entity does not count",
      (soFar) => {
        soFar.add(detection("a"), 0);
        soFar.addClear("a", "x");
        soFar.addClear("a", "y");
      },
      { keys: new Set(["a"]), clears: new Map(), notes: [BOTH] },
    ],
    [
      "before an error stays",
      (soFar) => {
        soFar.addClear("a", "x");
        soFar.fail(threw);
      },
      { status: "failed", clears: new Map([["a", "x"]]) },
    ],
    [
      "in a partial outcome stays",
      (soFar) => {
        soFar.incomplete("page 3");
        soFar.addClear("a", "x");
      },
      { status: "partial", clears: new Map([["a", "x"]]) },
    ],
  ])("%s", (_, happened, expected) => {
    expect(outcomeAfter(happened)).toMatchObject(expected);
  });

  test("is redacted, as keys and reasons are; and all are counted", () => {
    const soFar = newOutcome({ redact: makeRedactor(["secret-1", "secret-2"]) });
    for (const secret of ["secret-1", "secret-2"]) soFar.addClear(`k ${secret}`, `for ${secret}`);
    expect([...soFar.outcome(0).clears]).toEqual([["k [redacted]", "for [redacted]"]]);
    expect(soFar.cleared).toBe(2);
  });

  test("is the same entity as a detection if their keys are redacted to the same", () => {
    const soFar = newOutcome({ redact: makeRedactor(["secret-1", "secret-2"]) });
    soFar.add(detection("k secret-1"), 0);
    soFar.addClear("k secret-2", "x");
    expect(soFar.outcome(0).clears.size).toBe(0);
  });
});

describe("what is not known of some keys only", () => {
  const gap = (reason: string, isReported = false) => ({ reason, isReported });

  test.each<[string, (soFar: OutcomeSoFar) => void, Partial<Outcome>]>([
    [
      "leaves the outcome complete",
      (soFar) => soFar.incomplete("a is down", "host:a:"),
      {
        status: "complete",
        reasons: [],
        notes: [],
        scopes: new Map([["host:a:", gap("a is down")]]),
      },
    ],
    [
      "also if it is a failed request, which the module's process reports too",
      (soFar) => {
        soFar.requestFailed("GET x", "host:a:");
        soFar.incomplete("GET x", "host:a:");
      },
      { status: "complete", scopes: new Map([["host:a:", gap("GET x")]]) },
    ],
    [
      "has the first reason of each prefix",
      (soFar) => {
        soFar.incomplete("first", "a");
        soFar.incomplete("second", "a");
        soFar.incomplete("third", "b");
      },
      {
        scopes: new Map([
          ["a", gap("first")],
          ["b", gap("third")],
        ]),
      },
    ],
    [
      "is reported by a detection or a clear, whenever it comes",
      (soFar) => {
        soFar.add(detection("host:a:down"), 0);
        soFar.incomplete("a is down", "host:a:");
        soFar.incomplete("b is down", "host:b:");
        soFar.addClear("host:b:disk", "b is gone");
      },
      {
        status: "complete",
        scopes: new Map([
          ["host:a:", gap("a is down", true)],
          ["host:b:", gap("b is down", true)],
        ]),
      },
    ],
    [
      "stays beside a reason for all keys",
      (soFar) => {
        soFar.incomplete("page 3");
        soFar.incomplete("a is down", "a");
      },
      { status: "partial", reasons: ["page 3"], scopes: new Map([["a", gap("a is down")]]) },
    ],
    [
      "stays beside an error",
      (soFar) => {
        soFar.incomplete("a is down", "a");
        soFar.fail(threw);
      },
      { status: "failed", reasons: [threw.text], scopes: new Map([["a", gap("a is down")]]) },
    ],
    [
      "concerns all keys if the prefix names none",
      (soFar) => soFar.incomplete("a is down", ""),
      {
        status: "partial",
        reasons: [
          'a is down; the prefix "" is not the beginning of dedupe keys, such as "host:a:", so that nothing clears',
        ],
        scopes: new Map(),
      },
    ],
  ])("%s", (_, happened, expected) => {
    expect(outcomeAfter(happened)).toMatchObject(expected);
  });

  test("a thousand prefixes are counted; one more, and nothing clears", () => {
    const soFar = newOutcome();
    for (let at = 0; at < 1_000; at++) soFar.incomplete("down", `host:${at}:`);
    soFar.incomplete("down again", "host:0:");
    expect(soFar.outcome(0)).toMatchObject({ status: "complete", reasons: [] });
    soFar.incomplete("down", "host:1000:");
    const { status, reasons, scopes } = soFar.outcome(0);
    expect({ status, reasons, size: scopes.size }).toEqual({
      status: "partial",
      reasons: ["down; more than 1000 different prefixes, so that nothing clears"],
      size: 1_000,
    });
  });

  test("the prefix is escaped and redacted like a key, and the reason like any other", () => {
    const soFar = newOutcome({ redact: makeRedactor(["secret-1"]) });
    soFar.add(detection("k [redacted]:\\u0000:x"), 0);
    soFar.incomplete("no secret-1\nhere", "k secret-1:\0");
    expect([...soFar.outcome(0).scopes]).toEqual([
      ["k [redacted]:\\u0000", gap("no [redacted] here", true)],
    ]);
  });

  test.each<[string, (soFar: OutcomeSoFar) => void, boolean]>([
    ["a failed request", (soFar) => soFar.requestFailed("GET x", "a"), false],
    ["what the module says", (soFar) => soFar.incomplete("x", "a"), true],
  ])("%s: whether the module's process alone knows of it", (_, happened, expected) => {
    const soFar = newOutcome();
    happened(soFar);
    expect(soFar.hasOwnReasons).toBe(expected);
  });
});

describe("what a module remembers", () => {
  const tooLong = JSON.stringify("x".repeat(300_000));
  test.each<[string, (soFar: OutcomeSoFar) => void, Partial<Outcome>]>([
    ["nothing", () => {}, { status: "complete", memory: undefined }],
    [
      "the last call counts",
      (soFar) => {
        soFar.remember("1");
        soFar.remember("2");
      },
      { status: "complete", memory: "2" },
    ],
    ["null is a value", (soFar) => soFar.remember("null"), { status: "complete", memory: "null" }],
    [
      "a partial outcome keeps it",
      (soFar) => {
        soFar.remember("1");
        soFar.incomplete("x");
      },
      { status: "partial", memory: "1" },
    ],
    [
      "a failed one does not",
      (soFar) => {
        soFar.remember("1");
        soFar.fail(threw);
      },
      { status: "failed", memory: undefined },
    ],
    [
      "one that is too large is a reason, and not kept",
      (soFar) => soFar.remember(tooLong),
      {
        status: "partial",
        reasons: [
          expect.stringMatching(/at most 256 KiB of JSON, .* 293 KiB; the one before stays/),
        ],
        memory: undefined,
      },
    ],
    [
      "what is not JSON is a reason, and not kept",
      (soFar) => soFar.remember("{"),
      { status: "partial", reasons: [expect.stringContaining("is not JSON")], memory: undefined },
    ],
  ])("%s", (_, happened, expected) => {
    expect(outcomeAfter(happened)).toMatchObject(expected);
  });
});
