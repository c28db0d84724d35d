import type { Outgoing } from "../../src/channel/channel.ts";
import type { Bundle, ListedItem } from "../../src/core/bundle.ts";

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
