import { describe, expect, test } from "vitest";
import { LISTED } from "../../src/core/bundle.ts";
import { decideDetails } from "../../src/core/kept_details.ts";
import { type Level, NO_LEVEL, type Severity } from "../../src/core/level.ts";
import type { ActiveEvent, ActiveEvents } from "../../src/core/model.ts";
import { notified } from "../support/configured.ts";
import { NO_REMINDERS } from "../support/reminders.ts";

const NOW = 1_000_000;
const ROW = { renotify: { ...NO_REMINDERS, hours: 24 }, severity: undefined };
const STAGES = ["preliminary", "initial", "update"];

/** Active events `key 0` … whose last mail was so many seconds ago. */
function active(count: number, mailedAgo: (at: number) => number | undefined): ActiveEvents {
  return new Map(
    Array.from({ length: count }, (_, at) => {
      const ago = mailedAgo(at);
      const notices = notified(ago === undefined ? undefined : NOW - ago);
      return [`key ${at}`, { id: `${at}`, dedupeKey: `key ${at}`, fireTime: 0, notices }];
    }),
  );
}

/** Numbers of the keys whose details are kept, when all are detected in their order. */
function kept(events: ActiveEvents, channels = ["email"]): readonly number[] {
  const needsDetails = decideDetails(events, channels, ROW, STAGES, NOW);
  return [...events.keys()].flatMap((key, at) => (needsDetails(key, NO_LEVEL) ? [at] : []));
}

describe("of the detections", () => {
  test("all details of new ones are kept, however many", () => {
    const needsDetails = decideDetails(new Map(), ["email"], ROW, STAGES, NOW);
    const keys = Array.from({ length: 10_000 }, (_, at) => `key ${at}`);
    expect(keys.every((key) => needsDetails(key, NO_LEVEL))).toBe(true);
  });

  test("nothing of what is firing already and was mailed", () => {
    expect(kept(active(10_000, () => 10))).toEqual([]);
  });

  test("those that the mail will list, however late they come", () => {
    const due = [5_000, 7_000, 9_999];
    const events = active(10_000, (at) => (due.includes(at) ? 25 * 3600 : 10));
    expect(kept(events)).toEqual(due);
  });

  test("and of ten thousand that are due no more than a mail lists", () => {
    expect(kept(active(10_000, () => undefined))).toHaveLength(LISTED);
  });

  test("those that any one of the alarm's channels will list", () => {
    const events = active(3, () => 10);
    expect(kept(events, ["email", "chat"])).toEqual([0, 1, 2]);
    expect(kept(events, [])).toEqual([]);
  });
});

describe("of an event that was notified lately, the details are kept", () => {
  interface Given {
    readonly before?: Partial<Level>;
    readonly peak?: Partial<Level>;
    readonly found?: Partial<Level>;
    /** The alarm's. */
    readonly severity?: Severity;
    readonly channels?: readonly string[];
  }
  const level = (given: Partial<Level>): Level => ({ ...NO_LEVEL, ...given });
  const warning = { severity: "warning" } as const;
  const error = { severity: "error" } as const;

  test.each<[string, boolean, Given]>([
    ["if its severity rises", true, { before: warning, peak: warning, found: error }],
    ["not if its severity stays", false, { before: error, peak: error, found: error }],
    ["not if its severity falls", false, { before: error, peak: error, found: warning }],
    ["not if it returns to what it was", false, { before: warning, peak: error, found: error }],
    ["if the alarm's severity rises", true, { before: warning, peak: warning, ...error }],
    [
      "not if its own is as before",
      false,
      { before: warning, peak: warning, found: warning, ...error },
    ],
    [
      "if its stage advances",
      true,
      { before: { stage: "initial" }, peak: { stage: "initial" }, found: { stage: "update" } },
    ],
    [
      "not if its stage goes back",
      false,
      { before: { stage: "initial" }, peak: { stage: "initial" }, found: { stage: "preliminary" } },
    ],
    ["not without either", false, {}],
    ["not if the alarm has no channel", false, { found: error, channels: [] }],
  ])("%s", (_, isKept, { before, peak, found = {}, severity, channels = ["email"] }) => {
    const event: ActiveEvent = {
      id: "1",
      dedupeKey: "k",
      fireTime: 0,
      notices: notified(NOW - 10),
      ...(before && { level: level(before) }),
      ...(peak && { peak: level(peak) }),
    };
    const row = { ...ROW, severity };
    const needsDetails = decideDetails(new Map([["k", event]]), channels, row, STAGES, NOW);
    expect(needsDetails("k", level(found))).toBe(isKept);
  });

  test("and of ten thousand that rise no more than a mail lists", () => {
    const events = active(10_000, () => 10);
    const needsDetails = decideDetails(events, ["email"], ROW, STAGES, NOW);
    expect([...events.keys()].filter((key) => needsDetails(key, level(error)))).toHaveLength(
      LISTED,
    );
  });
});
