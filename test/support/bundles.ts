import fc from "fast-check";
import type { Outgoing } from "../../src/channel/channel.ts";
import type { Bundle, ListedItem } from "../../src/core/bundle.ts";
import { SEVERITIES } from "../../src/core/level.ts";

/** 2026-11-26 01:00:00 UTC */
export const TICK = 1_795_654_800;

export function makeItem(key: string, more: Partial<ListedItem> = {}): ListedItem {
  return {
    eventId: `id of ${key}`,
    dedupeKey: key,
    subject: `${key} fails`,
    body: "",
    reason: "new",
    fireTime: TICK,
    mayBeDuplicate: false,
    ...more,
  };
}

/** The facts that only some events have, with any texts and times. */
export function anyFacts(text: fc.Arbitrary<string>, time: fc.Arbitrary<number> = fc.double()) {
  const reminder = fc.record({ number: fc.nat(), isFinal: fc.boolean() });
  return fc.record(
    {
      firstSeen: time,
      severity: fc.constantFrom(...SEVERITIES),
      stage: text,
      clearTime: time,
      clearReason: text,
      reason: fc.constantFrom("new", "unsent", "severity rose", "stage advanced", "cleared"),
      reminder,
      changes: fc.array(text, { maxLength: 3 }),
    },
    { requiredKeys: [] },
  );
}

/** An event with each of these facts, by its list. */
export const WITH_FACTS = makeBundle({
  fresh: [makeItem("a", { severity: "critical", stage: "early", firstSeen: TICK - 900 })],
  continuing: [
    makeItem("b", {
      severity: "error",
      reason: "severity rose",
      fireTime: TICK - 7200,
      changes: ["severity warning when it fired, error now", "15.6% when it fired, 20.3% now"],
    }),
    makeItem("c", {
      reason: "renotification due",
      fireTime: TICK - 90_000,
      reminder: { number: 5, isFinal: true },
    }),
  ],
  cleared: [
    makeItem("d", {
      severity: "error",
      stage: "late",
      reason: "cleared",
      fireTime: TICK - 7800,
      clearTime: TICK,
      clearReason: "late by <120 s>",
    }),
  ],
});

/** The counts are those of the lists, unless the test says otherwise. */
export function makeBundle(more: Partial<Bundle> = {}): Bundle {
  const { fresh = [], continuing = [], cleared = [] } = more;
  return {
    entryId: "alarm_x",
    title: "Alarm X",
    description: "",
    time: TICK,
    freshCount: fresh.length,
    continuingCount: continuing.length,
    clearedCount: cleared.length,
    fresh,
    continuing,
    cleared,
    caveats: [],
    to: ["alarms"],
    ...more,
  };
}

/** A notification for a channel that delivers to no addresses. */
export function makeOutgoing(more: Partial<Outgoing> = {}): Outgoing {
  return {
    id: "01234567-89ab-4cde-8f01-23456789abcd",
    alarm: "alarm_x",
    time: TICK,
    recipients: ["alarms"],
    subject: "[alarm_x] 1 detection(s), 1 new, 0 continuing",
    text: "NEW (1):\n\n  [1] a fails\n",
    html: "",
    bundle: makeBundle({ fresh: [makeItem("a")] }),
    ...more,
  };
}
