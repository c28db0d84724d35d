import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type BundleFacts,
  bundleSubject,
  composeBundle,
  LISTED,
  listedMentions,
} from "../../src/core/bundle.ts";
import type { Mention, MentionReason, Notice } from "../../src/core/notice.ts";

function mention(key: string, reason: MentionReason, seen = true): Mention {
  return {
    eventId: `id of ${key}`,
    dedupeKey: key,
    detection: seen
      ? { dedupeKey: key, subject: `${key} now`, body: `${key} body`, data: {} }
      : undefined,
    reason,
  };
}

function mentions(count: number, reason: MentionReason): Mention[] {
  return Array.from({ length: count }, (_, index) => mention(`${reason} ${index}`, reason));
}

function notice(fresh: readonly Mention[], continuing: readonly Mention[]): Notice {
  const omitted = { "already mailed": 0, "renotification not due": 0, "not seen this tick": 0 };
  return { send: true, reason: "due", fresh, continuing, omitted };
}

function facts(given: Notice, changes: Partial<BundleFacts> = {}): BundleFacts {
  return {
    entryId: "alarm_x",
    title: "X",
    description: "About X",
    time: 1000,
    notice: given,
    stored: new Map(),
    caveats: [],
    ...changes,
  };
}

describe("how many events a mail lists", () => {
  test.each([
    ["few are all listed", 2, 3, 2, 3],
    ["a hundred are all listed", 40, 60, 40, 60],
    ["of one more, the last continuing one is only counted", 40, 61, 40, 60],
    ["a hundred new ones leave no place", 100, 1, 100, 0],
    ["of ten thousand new ones the first hundred are listed", 10_000, 5, 100, 0],
    ["of ten thousand continuing ones too", 0, 10_000, 0, 100],
    ["none at all", 0, 0, 0, 0],
  ])("%s", (_, fresh, continuing, listedFresh, listedContinuing) => {
    const given = notice(mentions(fresh, "new"), mentions(continuing, "renotification due"));
    const bundle = composeBundle(facts(given));
    expect(bundle).toMatchObject({ freshCount: fresh, continuingCount: continuing });
    expect(bundle.fresh).toHaveLength(listedFresh);
    expect(bundle.continuing).toHaveLength(listedContinuing);
  });

  test("whatever the counts, the first come first, and what is read from the store is what is listed", () => {
    const count = fc.integer({ min: 0, max: 250 });
    fc.assert(
      fc.property(count, count, (fresh, continuing) => {
        const given = notice(mentions(fresh, "new"), mentions(continuing, "owed"));
        const listed = listedMentions(given);
        const bundle = composeBundle(facts(given));
        expect(listed.fresh).toEqual(given.fresh.slice(0, listed.fresh.length));
        expect(listed.continuing).toEqual(given.continuing.slice(0, listed.continuing.length));
        expect(listed.fresh.length + listed.continuing.length).toBe(
          Math.min(LISTED, fresh + continuing),
        );
        const keys = [...bundle.fresh, ...bundle.continuing].map(({ dedupeKey }) => dedupeKey);
        expect(keys).toEqual(
          [...listed.fresh, ...listed.continuing].map(({ dedupeKey }) => dedupeKey),
        );
      }),
    );
  });
});

describe("what the mail says of an event", () => {
  const stored = new Map([["id of k", { subject: "k stored", body: "stored body" }]]);

  test("what was detected now wins over what is stored", () => {
    const bundle = composeBundle(facts(notice([], [mention("k", "owed")]), { stored }));
    expect(bundle.continuing).toEqual([
      { dedupeKey: "k", reason: "owed", subject: "k now", body: "k body" },
    ]);
  });

  test("an owed event that was not seen is told as it is stored", () => {
    const bundle = composeBundle(facts(notice([], [mention("k", "owed", false)]), { stored }));
    expect(bundle.continuing).toEqual([
      { dedupeKey: "k", reason: "owed", subject: "k stored", body: "stored body" },
    ]);
  });

  test("one that is not stored either is told by its key", () => {
    const bundle = composeBundle(facts(notice([], [mention("q", "owed", false)]), { stored }));
    expect(bundle.continuing).toEqual([{ dedupeKey: "q", reason: "owed", subject: "q", body: "" }]);
  });

  test.each([
    ["a body of 2,000 letters is kept", "x".repeat(2_000), "x".repeat(2_000)],
    [
      "a longer one is cut and says so",
      "x".repeat(2_001),
      `${"x".repeat(2_000)}… (cut, see the event)`,
    ],
    [
      "no half of a pair is left at the cut",
      `${"x".repeat(1_999)}😀`,
      `${"x".repeat(1_999)}\uFFFD… (cut, see the event)`,
    ],
  ])("%s", (_, body, expected) => {
    const texts = new Map([["id of k", { subject: "k", body }]]);
    const given = notice([], [mention("k", "owed", false)]);
    expect(composeBundle(facts(given, { stored: texts })).continuing[0]?.body).toBe(expected);
  });

  test("what is known of the alarm and of the tick is handed on", () => {
    const bundle = composeBundle(
      facts(notice(mentions(1, "new"), []), { caveats: ["page 2: 503"] }),
    );
    expect(bundle).toMatchObject({
      entryId: "alarm_x",
      title: "X",
      description: "About X",
      time: 1000,
      caveats: ["page 2: 503"],
    });
  });
});

test.each([
  ["new and continuing ones are added up", 2, 3, "[alarm_x] 5 detection(s), 2 new, 3 continuing"],
  ["one is a detection like many", 1, 0, "[alarm_x] 1 detection(s), 1 new, 0 continuing"],
  [
    "all are counted, not the listed ones",
    10_000,
    1,
    "[alarm_x] 10001 detection(s), 10000 new, 1 continuing",
  ],
])("the subject: %s", (_, fresh, continuing, subject) => {
  expect(bundleSubject("alarm_x", fresh, continuing)).toBe(subject);
});
