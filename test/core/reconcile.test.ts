import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ActiveEvents, Outcome } from "../../src/core/model.ts";
import { NO_NOTICES } from "../../src/core/news.ts";
import { reconcile } from "../../src/core/reconcile.ts";

/** The outcome proves nothing about keys that begin with "?". */
function outcome(status: Outcome["status"], keys: readonly string[]): Outcome {
  const cause = status === "failed" ? "module" : undefined;
  const reasons = status === "complete" ? [] : ["why"];
  const unknown = (key: string) => key.startsWith("?");
  return {
    status,
    cause,
    reasons,
    keys: new Set(keys),
    detections: new Map(),
    unknown,
    seconds: 0,
  };
}

function firing(keys: readonly string[]): ActiveEvents {
  return new Map(
    keys.map((key, at) => {
      const event = { id: `id of ${key}`, dedupeKey: key, fireTime: -at, notices: NO_NOTICES };
      return [key, event];
    }),
  );
}

/** The plan as short texts. */
function lines(plan: ReturnType<typeof reconcile>): readonly string[] {
  return [
    ...plan.open.map(({ dedupeKey, reason }) => `open ${dedupeKey}: ${reason}`),
    ...plan.touch.map(({ event, reason }) => `touch ${event.id}: ${reason}`),
    ...plan.clear.map(({ event, reason }) => `clear ${event.id}: ${reason}`),
    ...plan.keep.map(({ event, reason }) => `keep ${event.id}: ${reason}`),
  ];
}

describe("what was detected is compared with what is firing", () => {
  const rows: readonly [
    string,
    Outcome["status"],
    readonly string[],
    readonly string[],
    readonly string[],
  ][] = [
    ["nothing detected, nothing firing: nothing to do", "complete", [], [], []],
    ["a new entity opens an event", "complete", ["a"], [], ["open a: newly detected"]],
    [
      "one that fires already is touched",
      "complete",
      ["a"],
      ["a"],
      ["touch id of a: still detected"],
    ],
    ["one that is gone is cleared", "complete", [], ["a"], ["clear id of a: no longer detected"]],
    [
      "all three at once",
      "complete",
      ["b", "c"],
      ["a", "b"],
      [
        "open c: newly detected",
        "touch id of b: still detected",
        "clear id of a: no longer detected",
      ],
    ],
    [
      "a partial outcome clears nothing",
      "partial",
      [],
      ["a"],
      ["keep id of a: outcome is partial"],
    ],
    ["a failed outcome clears nothing", "failed", [], ["a"], ["keep id of a: outcome failed"]],
    [
      "a partial outcome opens and touches what it saw",
      "partial",
      ["b", "c"],
      ["a", "b"],
      [
        "open c: newly detected",
        "touch id of b: still detected",
        "keep id of a: outcome is partial",
      ],
    ],
    [
      "so does a failed one with what it had yielded before",
      "failed",
      ["b", "c"],
      ["a", "b"],
      ["open c: newly detected", "touch id of b: still detected", "keep id of a: outcome failed"],
    ],
    [
      "what the outcome did not look at is kept, what it did is cleared",
      "complete",
      ["b"],
      ["?a", "a", "b"],
      [
        "touch id of b: still detected",
        "clear id of a: no longer detected",
        "keep id of ?a: not looked at in this tick",
      ],
    ],
    [
      "what it detected is detected, whatever it did not look at",
      "complete",
      ["?a", "?b"],
      ["?a"],
      ["open ?b: newly detected", "touch id of ?a: still detected"],
    ],
    [
      "a partial outcome keeps both, for its own reason",
      "partial",
      [],
      ["?a"],
      ["keep id of ?a: outcome is partial"],
    ],
    ["the same new key twice is one event", "complete", ["a", "a"], [], ["open a: newly detected"]],
    [
      "the same firing key twice is touched once",
      "complete",
      ["a", "a"],
      ["a"],
      ["touch id of a: still detected"],
    ],
    [
      "keys that differ in case are two",
      "complete",
      ["A"],
      ["a"],
      ["open A: newly detected", "clear id of a: no longer detected"],
    ],
    [
      "a key that every object has is a key like any other",
      "complete",
      ["__proto__", "constructor"],
      ["constructor"],
      ["open __proto__: newly detected", "touch id of constructor: still detected"],
    ],
  ];
  test.each(rows)("%s", (_, status, detected, active, plan) => {
    expect(lines(reconcile(outcome(status, detected), firing(active)))).toEqual(plan);
  });

  test("what was not seen comes from the oldest on", () => {
    const { clear } = reconcile(outcome("complete", []), firing(["young", "old", "oldest"]));
    expect(clear.map(({ event }) => event.dedupeKey)).toEqual(["oldest", "old", "young"]);
  });
});

test("every event is in one list, every key one event, and only what is complete clears", () => {
  const keys = fc.array(fc.constantFrom("a", "b", "?c", "?d", "e"));
  const active = fc.uniqueArray(fc.constantFrom("a", "b", "?c", "?d", "e"));
  const status = fc.constantFrom("complete" as const, "partial" as const, "failed" as const);
  const stays = (given: Outcome["status"]) => (key: string) =>
    given !== "complete" || key.startsWith("?");
  fc.assert(
    fc.property(status, keys, active, (given, detected, fires) => {
      const events = firing(fires);
      const { open, touch, clear, keep } = reconcile(outcome(given, detected), events);
      const listed = [...touch, ...clear, ...keep].map(({ event }) => event.id);
      expect(listed.toSorted()).toEqual([...events.values()].map(({ id }) => id).toSorted());
      const after = [
        ...open.map(({ dedupeKey }) => dedupeKey),
        ...[...touch, ...keep].map(({ event }) => event.dedupeKey),
      ];
      expect(after.toSorted()).toEqual(
        [...new Set([...detected, ...fires.filter(stays(given))])].toSorted(),
      );
      if (given !== "complete") expect(clear).toEqual([]);
    }),
  );
});
