import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type BundleFacts,
  bundleSubject,
  composeBundle,
  type EventTexts,
  LISTED,
  listedItems,
  metricText,
  shortBundle,
  sortItems,
} from "../../src/core/bundle.ts";
import type { Severity } from "../../src/core/level.ts";
import type { SafeDetection } from "../../src/core/model.ts";
import { NO_NOTICES } from "../../src/core/news.ts";
import type { DueItem, ItemReason } from "../../src/core/notice.ts";
import type { JsonValue } from "../../src/text/json.ts";

function mention(key: string, reason: ItemReason): DueItem {
  return {
    eventId: `id of ${key}`,
    dedupeKey: key,
    fireTime: 0,
    notices: NO_NOTICES,
    reason,
  };
}

function detected(key: string): SafeDetection {
  return { dedupeKey: key, subject: `${key} now`, body: `${key} body`, data: {}, recipients: [] };
}

const UNSEEN = { detections: { get: () => undefined } };

function mentions(count: number, reason: ItemReason): DueItem[] {
  return Array.from({ length: count }, (_, index) => mention(`${reason} ${index}`, reason));
}

function cleared(count: number, reason: ItemReason = "cleared before it could be mailed") {
  return mentions(count, reason).map((each) => ({ ...each, fireTime: 100, clearTime: 400 }));
}

function facts(items: readonly DueItem[], changes: Partial<BundleFacts> = {}): BundleFacts {
  return {
    entryId: "alarm_x",
    title: "X",
    description: "About X",
    time: 1000,
    to: ["@ops"],
    items,
    detections: { get: detected },
    stored: new Map(),
    maybeMailed: new Set(),
    caveats: [],
    ...changes,
  };
}

describe("how many events a mail lists", () => {
  test.each([
    ["few are all listed", [2, 3, 4], [2, 3, 4]],
    ["a hundred are all listed", [40, 50, 10], [40, 50, 10]],
    ["of one more, the last that is over is only counted", [40, 50, 11], [40, 50, 10]],
    ["where none is over, the last continuing one", [40, 61, 0], [40, 60, 0]],
    ["a hundred new ones leave no place", [100, 1, 1], [100, 0, 0]],
    ["of ten thousand new ones the first hundred are listed", [10_000, 5, 5], [100, 0, 0]],
    ["of ten thousand continuing ones too", [0, 10_000, 5], [0, 100, 0]],
    ["of ten thousand that are over too", [0, 0, 10_000], [0, 0, 100]],
    ["none at all", [0, 0, 0], [0, 0, 0]],
  ])("%s", (_, [fresh = 0, continuing = 0, over = 0], listed) => {
    const given = [
      ...cleared(over),
      ...mentions(continuing, "renotification due"),
      ...mentions(fresh, "new"),
    ];
    const bundle = composeBundle(facts(given));
    expect([bundle.freshCount, bundle.continuingCount, bundle.clearedCount]).toEqual([
      fresh,
      continuing,
      over,
    ]);
    expect([bundle.fresh, bundle.continuing, bundle.cleared].map(({ length }) => length)).toEqual(
      listed,
    );
  });

  test("whatever the counts, the first come first, and what is read from the store is what is listed", () => {
    const count = fc.integer({ min: 0, max: 250 });
    fc.assert(
      fc.property(count, count, count, (fresh, continuing, over) => {
        const lists = {
          fresh: mentions(fresh, "new"),
          continuing: mentions(continuing, "unsent"),
          cleared: cleared(over),
        };
        const given = [...lists.cleared, ...lists.fresh, ...lists.continuing];
        expect(sortItems(given)).toEqual(lists);
        const listed = listedItems(given);
        const bundle = composeBundle(facts(given));
        expect(listed.fresh).toEqual(lists.fresh.slice(0, listed.fresh.length));
        expect(listed.continuing).toEqual(lists.continuing.slice(0, listed.continuing.length));
        expect(listed.cleared).toEqual(lists.cleared.slice(0, listed.cleared.length));
        expect(listed.fresh.length + listed.continuing.length + listed.cleared.length).toBe(
          Math.min(LISTED, fresh + continuing + over),
        );
        const keys = [...bundle.fresh, ...bundle.continuing, ...bundle.cleared].map(
          ({ dedupeKey }) => dedupeKey,
        );
        expect(keys).toEqual(
          [...listed.fresh, ...listed.continuing, ...listed.cleared].map(
            ({ dedupeKey }) => dedupeKey,
          ),
        );
      }),
    );
  });
});

describe("the order", () => {
  const item = (key: string, severity?: Severity, reason: ItemReason = "unsent"): DueItem => ({
    ...mention(key, reason),
    ...(severity !== undefined && { severity }),
  });

  test.each<readonly [string, readonly DueItem[], string]>([
    ["is that of the items where none has a severity", [item("a"), item("b")], "a b"],
    [
      "begins with the most severe; those without one are last",
      [
        item("a"),
        item("i", "info"),
        item("c", "critical"),
        item("w", "warning"),
        item("e", "error"),
      ],
      "c e w i a",
    ],
    ["keeps equal ones as they were", [item("b", "error"), item("a", "error")], "b a"],
  ])("%s", (_, items, expected) => {
    const keys = (list: readonly DueItem[]) => list.map(({ dedupeKey }) => dedupeKey).join(" ");
    expect(keys(sortItems(items).continuing)).toBe(expected);
    expect(keys(sortItems(items.map((each) => ({ ...each, reason: "new" }))).fresh)).toBe(expected);
    expect(keys(sortItems(items.map((each) => ({ ...each, clearTime: 1 }))).cleared)).toBe(
      expected,
    );
  });

  test("a hundred new ones do not hide a more severe one that continues; what is over does not count", () => {
    const fresh = Array.from({ length: 150 }, (_, index) => item(`n${index}`, "info", "new"));
    const over = { ...item("o", "critical", "cleared"), clearTime: 1 };
    const listed = listedItems([over, ...fresh, item("w", "warning")]);
    expect(listed.continuing.map(({ dedupeKey }) => dedupeKey)).toEqual(["w"]);
    expect(listed.fresh).toEqual(fresh.slice(0, 99));
    expect(listed.cleared).toEqual([]);
  });
});

describe("what has changed since an event fired", () => {
  const KNOWN = { subject: "k", body: "" };
  test.each<
    readonly [string, EventTexts | undefined, Partial<DueItem>, JsonValue, readonly string[]]
  >([
    ["nothing", { ...KNOWN, metric: "15.6%" }, {}, "15.6%", []],
    ["the metric", { ...KNOWN, metric: "15.6%" }, {}, "20.3%", ["15.6% when it fired, 20.3% now"]],
    ["one that is a number", { ...KNOWN, metric: "1" }, {}, 2.5, ["1 when it fired, 2.5 now"]],
    ["a metric that is new is no change", KNOWN, {}, "20.3%", []],
    ["nor is one that is missing now", { ...KNOWN, metric: "15.6%" }, {}, null, []],
    [
      "severity and stage",
      { ...KNOWN, fired: { severity: "warning", stage: "initial" } },
      { severity: "error", stage: "update" },
      null,
      ["severity warning when it fired, error now", "stage initial when it fired, update now"],
    ],
    [
      "a stage alone",
      { ...KNOWN, fired: { severity: "error", stage: "initial" } },
      { severity: "error", stage: "update" },
      null,
      ["stage initial when it fired, update now"],
    ],
    [
      "what it did not have when it fired is no change",
      { ...KNOWN, fired: { severity: undefined, stage: undefined } },
      { severity: "error", stage: "update" },
      null,
      [],
    ],
    ["an event of which nothing is stored", undefined, { severity: "error" }, "1", []],
  ])("%s", (_, known, changes, metric, expected) => {
    const given = { ...mention("k", "renotification due"), ...changes };
    const bundle = composeBundle(
      facts([given], {
        stored: new Map(known === undefined ? [] : [["id of k", known]]),
        detections: { get: (key) => ({ ...detected(key), data: { metric } }) },
      }),
    );
    expect(bundle.continuing[0]?.changes ?? []).toEqual(expected);
    expect(bundle.continuing[0]?.subject).toBe("k now");
    if (expected.length === 0) expect(bundle.continuing[0]).not.toHaveProperty("changes");
  });

  test("an event that was not seen has no metric now, but its severity may have risen", () => {
    const known = { ...KNOWN, metric: "1", fired: { severity: "info", stage: undefined } } as const;
    const stored = new Map([["id of k", known]]);
    const given = { ...mention("k", "severity rose"), severity: "error" } as const;
    const { continuing } = composeBundle(facts([given], { stored, ...UNSEEN }));
    expect(continuing[0]).toMatchObject({
      subject: "k",
      changes: ["severity info when it fired, error now"],
    });
    expect(continuing[0]).not.toHaveProperty("metric");
    expect(continuing[0]).not.toHaveProperty("fired");
  });

  test.each([
    ["a text", " 40.0% ", "40.0%"],
    ["a number", 0.5, "0.5"],
    ["an empty text says nothing", " ", undefined],
    ["neither does an object", { a: 1 }, undefined],
    ["nor nothing", undefined, undefined],
    ["a long text is cut", "x".repeat(200), `${"x".repeat(79)}…`],
  ])("a metric: %s", (_, metric, expected) => {
    expect(metricText(metric)).toBe(expected);
  });
});

describe("what the mail says of an event", () => {
  const stored = new Map([["id of k", { subject: "k stored", body: "stored body" }]]);

  test("what was detected now wins over what is stored", () => {
    const bundle = composeBundle(facts([mention("k", "unsent")], { stored }));
    expect(bundle.continuing).toEqual([
      {
        eventId: "id of k",
        dedupeKey: "k",
        reason: "unsent",
        fireTime: 0,
        subject: "k now",
        body: "k body",
        mayBeDuplicate: false,
      },
    ]);
  });

  test("an unsent event that was not seen is shown as it is stored", () => {
    const bundle = composeBundle(facts([mention("k", "unsent")], { stored, ...UNSEEN }));
    expect(bundle.continuing).toEqual([
      {
        eventId: "id of k",
        dedupeKey: "k",
        reason: "unsent",
        fireTime: 0,
        subject: "k stored",
        body: "stored body",
        mayBeDuplicate: false,
      },
    ]);
  });

  test("one that is not stored either is shown by its key", () => {
    const bundle = composeBundle(facts([mention("q", "unsent")], { stored, ...UNSEEN }));
    expect(bundle.continuing).toEqual([
      {
        eventId: "id of q",
        dedupeKey: "q",
        reason: "unsent",
        fireTime: 0,
        subject: "q",
        body: "",
        mayBeDuplicate: false,
      },
    ]);
  });

  test("one that has cleared is shown as it is stored, with its times", () => {
    const [over] = cleared(1).map((each) => ({ ...each, eventId: "id of k", dedupeKey: "k" }));
    const bundle = composeBundle(facts(over === undefined ? [] : [over], { stored }));
    expect(bundle.cleared).toEqual([
      {
        eventId: "id of k",
        dedupeKey: "k",
        reason: "cleared before it could be mailed",
        subject: "k stored",
        body: "stored body",
        mayBeDuplicate: false,
        fireTime: 100,
        clearTime: 400,
      },
    ]);
  });

  test("one that a mail with an unknown result names may be a repeat; the others are not", () => {
    const given = [mention("k", "unsent"), mention("l", "unsent"), ...cleared(1)];
    const maybeMailed = new Map([
      ["id of k", 1],
      ["id of cleared before it could be mailed 0", 1],
    ]);
    const bundle = composeBundle(facts(given, { maybeMailed }));
    expect(bundle.continuing.map(({ mayBeDuplicate }) => mayBeDuplicate)).toEqual([true, false]);
    expect(bundle.cleared.map(({ mayBeDuplicate }) => mayBeDuplicate)).toEqual([true]);
  });

  test("the short form keeps subjects, counts and times, and says what it is", () => {
    const bundle = composeBundle(
      facts([...mentions(2, "new"), ...mentions(1, "unsent"), ...cleared(1, "cleared")], {
        caveats: ["old"],
      }),
    );
    const short = shortBundle(bundle);
    expect(short).toMatchObject({ freshCount: 2, continuingCount: 1, clearedCount: 1 });
    for (const list of ["fresh", "continuing", "cleared"] as const) {
      expect(short[list].map(({ subject }) => subject)).toEqual(
        bundle[list].map(({ subject }) => subject),
      );
      expect(short[list].every(({ body }) => body === "")).toBe(true);
    }
    expect(short.cleared[0]).toMatchObject({ fireTime: 100, clearTime: 400 });
    expect(short.description).toBe("");
    expect(short.caveats).toEqual([expect.stringContaining("subjects only")]);
  });

  test.each([
    ["a body of 2,000 letters is kept", "x".repeat(2_000), "x".repeat(2_000)],
    [
      "a longer one is cut and says so",
      "x".repeat(2_001),
      `${"x".repeat(2_000)}… (truncated; see the event)`,
    ],
    [
      "no half of a pair is left at the cut",
      `${"x".repeat(1_999)}😀`,
      `${"x".repeat(1_999)}\uFFFD… (truncated; see the event)`,
    ],
  ])("%s", (_, body, expected) => {
    const texts = new Map([["id of k", { subject: "k", body }]]);
    const given = [mention("k", "unsent")];
    expect(composeBundle(facts(given, { stored: texts, ...UNSEEN })).continuing[0]?.body).toBe(
      expected,
    );
  });

  test("what is known of the alarm and of the tick is handed on", () => {
    const bundle = composeBundle(facts(mentions(1, "new"), { caveats: ["page 2: 503"] }));
    expect(bundle).toMatchObject({
      entryId: "alarm_x",
      title: "X",
      description: "About X",
      time: 1000,
      caveats: ["page 2: 503"],
      to: ["@ops"],
    });
  });
});

test.each([
  [
    "what has cleared is not a detection, and is counted apart",
    2,
    3,
    4,
    "[alarm_x] 5 detection(s), 2 new, 3 continuing, 4 already cleared",
  ],
  [
    "what has cleared alone is a mail too",
    0,
    0,
    2,
    "[alarm_x] 0 detection(s), 0 new, 0 continuing, 2 already cleared",
  ],
  [
    "new and continuing ones are added up",
    2,
    3,
    0,
    "[alarm_x] 5 detection(s), 2 new, 3 continuing",
  ],
  ["one event", 1, 0, 0, "[alarm_x] 1 detection(s), 1 new, 0 continuing"],
  [
    "all are counted, not the listed ones",
    10_000,
    1,
    0,
    "[alarm_x] 10001 detection(s), 10000 new, 1 continuing",
  ],
])("the subject: %s", (_, fresh, continuing, over, subject) => {
  const counts = { fresh, continuing, already: over, ended: 0 };
  expect(bundleSubject("alarm_x", counts)).toBe(subject);
  // What was notified before it cleared comes last.
  expect(bundleSubject("alarm_x", { ...counts, ended: 2 })).toBe(`${subject}, 2 cleared`);
});
