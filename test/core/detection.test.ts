import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  detectionData,
  ENGINE_KEYS,
  parseDetection,
  unescapeKey,
} from "../../src/core/detection.ts";
import type { Detection, SafeDetection } from "../../src/core/model.ts";
import { type JsonObject, safeJson, safeText } from "../../src/text/json.ts";

/** The detection that a yielded value is read as; fails the test where it is a fault. */
function parsed(value: unknown): SafeDetection {
  const result = parseDetection(value);
  if (!result.ok) throw new Error(result.error);
  if ("clear" in result) throw new Error(`a clear: ${result.clear.reason}`);
  return result.detection;
}

function faultOf(value: unknown): string {
  const result = parseDetection(value);
  return result.ok ? "no fault" : result.error;
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const LEVEL = { severity: "error", stage: "initial" };
const FULL = { dedupeKey: "task:7", subject: "Task 7 fails", body: "why", data: { rate: 0.5 } };

describe("what a module yields is read as a detection", () => {
  const rows: readonly [string, unknown, Partial<SafeDetection>][] = [
    ["all four parts are kept", FULL, FULL],
    ["without a subject the key stands for it", { dedupeKey: "k" }, { subject: "k" }],
    ["without a body it is empty", { dedupeKey: "k" }, { body: "" }],
    [
      "a null subject and body count as absent",
      { dedupeKey: "k", subject: null, body: null },
      { subject: "k", body: "" },
    ],
    ["without data there is none", { dedupeKey: "k" }, { data: {} }],
    ["null data is none", { dedupeKey: "k", data: null }, { data: {} }],
    ["a number serves as the key", { dedupeKey: 38949 }, { dedupeKey: "38949", subject: "38949" }],
    ["so does zero", { dedupeKey: 0 }, { dedupeKey: "0" }],
    ["the key's own blanks belong to it", { dedupeKey: " k " }, { dedupeKey: " k " }],
    ["a NUL in the key is escaped", { dedupeKey: "a\0b" }, { dedupeKey: "a\\u0000b" }],
    ["so is half a surrogate pair", { dedupeKey: "a\ud83d" }, { dedupeKey: "a\\ud83d" }],
    ["a whole pair is not", { dedupeKey: "\u{1f600}" }, { dedupeKey: "\u{1f600}" }],
    [
      "a text like such an escape is another key",
      { dedupeKey: "a\\u0000b" },
      { dedupeKey: "a\\u005cu0000b" },
    ],
    [
      "any other backslash stays",
      { dedupeKey: "C:\\users\\u0041" },
      { dedupeKey: "C:\\users\\u0041" },
    ],
    [
      "half a surrogate pair in the subject is replaced",
      { dedupeKey: "k", subject: "a\ud800" },
      { subject: "a\uFFFD" },
    ],
    ["a NUL in the body is replaced", { dedupeKey: "k", body: "\0" }, { body: "\uFFFD" }],
    [
      "data that JSON cannot say does not cost the detection",
      { dedupeKey: "k", data: { n: Number.NaN, big: 1n, f: () => 1, "a\0": "\0" } },
      { data: { n: "NaN", big: "1", f: "[function]", "a\uFFFD": "\uFFFD" } },
    ],
    [
      "data that is not an object is kept under a key of its own",
      { dedupeKey: "k", data: [1, 2] },
      { data: { detection_data: [1, 2] } },
    ],
    ["so is a lone text", { dedupeKey: "k", data: "a\0" }, { data: { detection_data: "a\uFFFD" } }],
    ["a Map serves as data", { dedupeKey: "k", data: new Map([["a", 1]]) }, { data: { a: 1 } }],
    ["unknown parts are passed over", { dedupeKey: "k", owner: "ann" }, { dedupeKey: "k" }],
    ["a severity and a stage are kept", { ...FULL, ...LEVEL }, LEVEL],
    ["so are those that do not exist", { ...FULL, severity: "high" }, { severity: "high" }],
    ["a number as the stage is kept as a text", { ...FULL, stage: 3 }, { stage: "3" }],
    [
      "so is any other value, cut",
      { ...FULL, severity: { is: "x".repeat(200) } },
      { severity: `{"is":"${"x".repeat(72)}…` },
    ],
    ["a long stage is cut", { ...FULL, stage: "x".repeat(101) }, { stage: `${"x".repeat(99)}…` }],
    ["a NUL in a stage is replaced", { ...FULL, stage: "a\0" }, { stage: "a\uFFFD" }],
    ["an undefined clear is none", { ...FULL, clear: undefined }, FULL],
    ["a state is not a mistyped stage", { ...FULL, state: "failed" }, FULL],
    [
      "so is one that is like a known one, if that is there too",
      { ...FULL, date: "today", dedupe_key: "k" },
      FULL,
    ],
  ];
  test.each(rows)("%s", (_, value, part) => {
    expect({ ...parsed(value), ...part }).toEqual(parsed(value));
  });

  test("parts that an object inherits count, as those of a class do", () => {
    class Late {
      get dedupeKey(): string {
        return "task:9";
      }
    }
    expect(parsed(new Late()).dedupeKey).toBe("task:9");
  });
});

test.each<[string, Detection]>([
  ["with a key alone", { dedupeKey: "k" }],
  ["without a subject", { dedupeKey: "k", body: "why", data: { rate: 0.5 } }],
  ["with a list of recipients", { dedupeKey: "k", recipients: ["ana@example.org", "@shift"] }],
  ["with recipients in a text", { dedupeKey: "k", recipients: "ana@example.org @shift" }],
])("the type for authors allows what is read: a detection %s", (_, detection) => {
  expect(parsed(detection).dedupeKey).toBe("k");
});

test.each([
  ["absent", FULL],
  ["undefined", { ...FULL, severity: undefined, stage: undefined }],
  ["null", { ...FULL, severity: null, stage: null }],
])("a severity and a stage that are %s are none", (_, value) => {
  expect(parsed(value)).not.toHaveProperty("severity");
  expect(parsed(value)).not.toHaveProperty("stage");
});

describe("what a module yields is read as a clear", () => {
  test.each<[string, unknown, string, string]>([
    ["with its reason", { dedupeKey: "k", clear: "late by 120 s" }, "k", "late by 120 s"],
    ["of an entity whose key is a number", { dedupeKey: 7, clear: "x" }, "7", "x"],
    ["whose key is stored as that of a detection", { dedupeKey: "\0", clear: "x" }, "\\u0000", "x"],
    [
      "that must be certain if ifGone is no true",
      { dedupeKey: "k", clear: "x", ifGone: 1 },
      "k",
      "x",
    ],
    ["in one line", { dedupeKey: "k", clear: " late\n by\t120 s\u001b " }, "k", "late  by 120 s"],
    ["that Postgres can store", { dedupeKey: "k", clear: "a\0\ud800" }, "k", "a\uFFFD\uFFFD"],
    [
      "cut at 500 characters",
      { dedupeKey: "k", clear: "x".repeat(501) },
      "k",
      `${"x".repeat(499)}…`,
    ],
    [
      "where what a detection has beside it is null or undefined",
      { dedupeKey: "k", clear: "x", subject: null, data: undefined },
      "k",
      "x",
    ],
    ["whatever else it has", { dedupeKey: "k", clear: "x", owner: "ann" }, "k", "x"],
  ])("%s", (_, value, dedupeKey, reason) => {
    expect(parseDetection(value)).toEqual({ ok: true, clear: { dedupeKey, reason } });
  });

  test("that counts only if the entity is gone", () => {
    const value = { dedupeKey: "k", clear: "left the look-back", ifGone: true };
    const clear = { dedupeKey: "k", reason: "left the look-back", ifGone: true };
    expect(parseDetection(value)).toEqual({ ok: true, clear });
  });
});

describe("any other value is a fault for the author", () => {
  const rows: readonly [string, unknown, string][] = [
    ["undefined", undefined, "yielded undefined; a detection is { dedupeKey,"],
    ["null", null, "yielded null; a detection is { dedupeKey,"],
    ["a text", "task:7", 'yielded "task:7"; a detection is'],
    ["a number", 7, "yielded 7; a detection is"],
    ["a BigInt", 7n, "yielded 7n; a detection is"],
    ["a symbol", Symbol("s"), 'yielded "Symbol(s)"; a detection is'],
    ["a function", () => 1, "yielded a function; a detection is"],
    ["an empty object", {}, "dedupeKey is undefined; it must be a string that names the entity"],
    ["a list", [FULL], "dedupeKey is undefined"],
    ["a promise that was not awaited", Promise.resolve(FULL), "dedupeKey is undefined"],
    ["an empty key", { ...FULL, dedupeKey: "" }, 'dedupeKey is ""'],
    ["a key of blanks", { ...FULL, dedupeKey: " \n" }, 'dedupeKey is " \\n"'],
    ["a null key", { ...FULL, dedupeKey: null }, "dedupeKey is null"],
    ["a NaN key", { ...FULL, dedupeKey: Number.NaN }, "dedupeKey is NaN"],
    ["an infinite key", { ...FULL, dedupeKey: 1 / 0 }, "dedupeKey is Infinity"],
    ["a true key", { ...FULL, dedupeKey: true }, "dedupeKey is true"],
    ["a key that is an object", { ...FULL, dedupeKey: {} }, "dedupeKey is {}"],
    ["a key that is a list", { ...FULL, dedupeKey: ["a"] }, 'dedupeKey is ["a"]'],
    [
      "a subject that is not a string",
      { ...FULL, subject: 5 },
      '"task:7" with the subject 5; it must be a string',
    ],
    [
      "a body that is not a string",
      { ...FULL, body: {} },
      '"task:7" with the body {}; it must be a string',
    ],
  ];
  const clears: readonly [string, unknown, string][] = [
    ...[null, true, false, 5, "", " \n", "\u001b", {}, ["late"]].map(
      (clear): [string, unknown, string] => [
        `a clear without a reason: ${JSON.stringify(clear)}`,
        { dedupeKey: "k", clear },
        `yielded "k" with the clear ${JSON.stringify(clear)}; it must be a string that says why`,
      ],
    ),
    ...Object.entries({ ...FULL, recipients: ["@ops"], ...LEVEL })
      .filter(([part]) => part !== "dedupeKey")
      .map(([part, value]): [string, unknown, string] => [
        `a clear with a part of a detection: ${part}`,
        { dedupeKey: "k", clear: "x", [part]: value },
        `yielded "k" with clear and ${part}; yield { dedupeKey, clear } alone to end the event`,
      ]),
    [
      "a clear with several",
      { ...FULL, clear: "x" },
      `yielded "task:7" with clear and subject, body, data;`,
    ],
    ["a clear without a key", { clear: "x" }, "dedupeKey is undefined"],
    [
      "a clear whose reason throws at whoever looks at it",
      { dedupeKey: "k", clear: revoked() },
      'yielded "k" with the clear',
    ],
  ];
  test.each([...rows, ...clears])("%s", (_, value, words) => {
    expect(faultOf(value)).toContain(words);
  });

  test.each([
    ["subjet", "subject"],
    ["Subject", "subject"],
    ["BODY", "body"],
    ["dat", "data"],
    ["dedupekey", "dedupeKey"],
    ["dedupe_key", "dedupeKey"],
    ["DedupKey", "dedupeKey"],
    ["severty", "severity"],
    ["stag", "stage"],
    ["Stage", "stage"],
    ["cleared", "clear"],
  ])("a mistyped key: %s", (typo, meant) => {
    const whole = { ...FULL, ...LEVEL, clear: "x" };
    const { [meant]: value, ...rest } = Object.fromEntries(Object.entries(whole));
    const fault = faultOf({ ...rest, [typo]: value });
    expect(fault).toMatch(`yielded a detection with the key ${typo} (did you mean`);
    expect(fault).toContain(meant);
  });

  test("the fault quotes only the beginning of a long value", () => {
    const long = "x".repeat(1_000_000);
    for (const value of [long, { dedupeKey: long, subject: 1 }, { dedupeKey: Symbol(long) }]) {
      const fault = faultOf(value);
      expect(fault).toContain("xxx");
      expect(fault.length).toBeLessThan(300);
    }
  });

  test.each([
    [
      "a key whose getter throws",
      {
        get dedupeKey(): string {
          throw new Error("no");
        },
      },
    ],
    [
      "a function whose text throws",
      Object.assign(() => 1, {
        toString: () => {
          throw new Error("no");
        },
      }),
    ],
    ["a revoked proxy", revoked()],
    ["a key that is a revoked proxy", { dedupeKey: revoked() }],
    ["a subject that is a revoked proxy", { dedupeKey: "k", subject: revoked() }],
  ])("a value that defends itself is a fault too: %s", (_, value) => {
    expect(faultOf(value)).toMatch(/^yielded .*dedupeKey|^yielded .*subject|^yielded .*function/);
  });

  test("data whose getter throws does not cost the detection", () => {
    const data = {
      get rate(): number {
        throw new Error("no");
      },
    };
    expect(parsed({ dedupeKey: "k", data }).dedupeKey).toBe("k");
  });
});

const ODD = [
  "\0",
  "\ud83d",
  "\ude00",
  "\\",
  "\\u",
  "u0000",
  "ud83d",
  "u005c",
  "\\u0000",
  "\uFFFD",
  "0",
];
const oddKey = fc
  .array(fc.oneof(fc.constantFrom(...ODD), fc.string({ unit: "binary" })), { maxLength: 8 })
  .map((parts) => `k${parts.join("")}`);

test("different keys are stored as different keys, and the module gets each back as it was", () => {
  const stored = (dedupeKey: string): string => parsed({ dedupeKey }).dedupeKey;
  fc.assert(
    fc.property(oddKey, oddKey, (key, other) => {
      expect(stored(key)).toBe(safeText(stored(key)));
      expect(unescapeKey(stored(key))).toBe(key);
      expect(stored(key) === stored(other)).toBe(key === other);
    }),
    { numRuns: 2_000 },
  );
  // Too long to come back, but the same once more.
  for (const key of [
    "k".repeat(600),
    "\0".repeat(600),
    `${"\\".repeat(429)}u0000${"x".repeat(600)}`,
  ])
    expect(stored(unescapeKey(stored(key)))).toBe(stored(key));
});

describe("lengths are bounded", () => {
  test("a key of 500 letters is kept as it is", () => {
    expect(parsed({ dedupeKey: "k".repeat(500) }).dedupeKey).toBe("k".repeat(500));
  });

  test("long keys that differ only at their end stay distinct, within 500 letters", () => {
    const start = "k".repeat(500);
    const keys = ["", "a", "b", "a".repeat(1_000_000)].map(
      (end) => parsed({ dedupeKey: start + end }).dedupeKey,
    );
    expect(new Set(keys).size).toBe(4);
    for (const key of keys) expect(key.length).toBeLessThanOrEqual(500);
  });

  test("a long key is cut to the same text every tick", () => {
    const value = { dedupeKey: "😀".repeat(1_000) };
    expect(parsed(value).dedupeKey).toBe(parsed({ ...value }).dedupeKey);
  });

  test.each([
    ["a subject of 2,000 letters is kept", "subject", 2_000, 2_000],
    ["a longer one is cut", "subject", 2_001, 2_000],
    ["a body of 50,000 letters is kept", "body", 50_000, 50_000],
    ["a longer one is cut", "body", 50_001, 50_000],
  ] as const)("%s", (_, part, given, kept) => {
    const text = parsed({ dedupeKey: "k", [part]: "x".repeat(given) })[part];
    expect(text).toHaveLength(kept);
    expect(text.endsWith("…")).toBe(given > kept);
  });

  test("a cut between the halves of a pair leaves no half behind", () => {
    for (const shift of ["", "x"]) {
      const text = shift + "😀".repeat(30_000);
      const { dedupeKey, subject, body } = parsed({ dedupeKey: text, subject: text, body: text });
      for (const part of [dedupeKey, subject, body]) expect(part.isWellFormed()).toBe(true);
    }
  });
});

describe("the engine's keys are protected", () => {
  test.each([...ENGINE_KEYS])("a detection's own %s is kept under another name", (key) => {
    expect(parsed({ dedupeKey: "k", data: { [key]: "mine", rate: 1 } }).data).toEqual({
      [`detection_${key}`]: "mine",
      rate: 1,
    });
  });

  test("those keys are the ones that the tick reads back from its rows", () => {
    for (const key of ["dedupe_key", "clear_time", "last_notified", "fire_time", "entry_id"])
      expect(ENGINE_KEYS).toContain(key);
    for (const key of ["severity", "stage", "clear_reason"]) expect(ENGINE_KEYS).toContain(key);
  });

  test("a key named __proto__ stays data", () => {
    const { data } = parsed({ dedupeKey: "k", data: JSON.parse('{"__proto__": {"x": 1}}') });
    expect(JSON.stringify(data)).toBe('{"__proto__":{"x":1}}');
  });
});

describe("whatever is yielded", () => {
  const value = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSet: true,
    withBoxedValues: true,
    withSparseArray: true,
  });
  const key = fc.oneof(fc.string({ unit: "binary" }), fc.string({ maxLength: 2_000 }), fc.double());

  test("it is a detection or a fault, and never an exception", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          value,
          fc.record({ dedupeKey: value, subject: value, body: value, data: value }),
          fc.record({ dedupeKey: value, severity: value, stage: value }),
          fc.record({ dedupeKey: value, clear: value }),
        ),
        (yielded) => {
          const result = parseDetection(yielded);
          if (!result.ok) expect(result.error).toMatch(/^yielded /);
        },
      ),
    );
  });

  test("a detection can be stored: bounded, safe, and without the engine's keys", () => {
    const data = fc.dictionary(fc.oneof(fc.string(), fc.constantFrom(...ENGINE_KEYS)), value);
    fc.assert(
      fc.property(key, fc.string({ unit: "binary" }), data, (dedupeKey, text, given) => {
        const result = parseDetection({ dedupeKey, subject: text, body: text, data: given });
        const usable =
          typeof dedupeKey === "number" ? Number.isFinite(dedupeKey) : dedupeKey.trim() !== "";
        expect(result.ok).toBe(usable);
        if (!result.ok || "clear" in result) return;
        const { detection } = result;
        expect(JSON.stringify(safeJson(detection))).toBe(JSON.stringify(detection));
        expect(detection.dedupeKey.length).toBeGreaterThan(0);
        expect(detection.dedupeKey.length).toBeLessThanOrEqual(500);
        for (const name of ENGINE_KEYS) expect(detection.data).not.toHaveProperty([name]);
      }),
    );
  });
});

test("data that holds one part over and over is bounded, though a cycle it is not", () => {
  let shared: unknown = ["x"];
  for (let level = 0; level < 30; level++) shared = [shared, shared];
  const { data } = parsed({ dedupeKey: "k", data: { shared } });
  expect(JSON.stringify(data).length).toBeLessThan(1_000_000);
  expect(JSON.stringify(data)).toContain("[too large]");
});

test.each<[string, JsonObject, JsonObject]>([
  ["as it is", { metric: "40.0%", rates: [1] }, { metric: "40.0%", rates: [1] }],
  ["a value that is no object", { detection_data: [1] }, { detection_data: [1] }],
  ["a key of the engine", { subject: "s", swf: { a: 1 } }, { subject: "s", swf: { a: 1 } }],
  ["a key that begins like one that was renamed", { detection_x: 1 }, { detection_x: 1 }],
])("the data of a row are what the detection gave: %s", (_, given, expected) => {
  const { data } = parsed({ dedupeKey: "a", data: given });
  const row = { ...data, entry_id: "event_x", fire_time: 5, dedupe_key: "a" };
  expect(detectionData(row)).toEqual(expected);
});
