import { expect, test } from "vitest";
import type { ChannelVerdict } from "../../src/cli/channel_verdict.ts";
import type { PendingDetection } from "../../src/cli/pending.ts";
import { type LastLook, type WhyInput, whyFacts } from "../../src/cli/why_facts.ts";
import { NO_LEVEL } from "../../src/core/level.ts";
import { NO_NOTICES } from "../../src/core/news.ts";
import type { ListedEvent } from "../../src/store/event_list.ts";

const MINUTE = 60;
/** 2026-11-21 10:00 UTC. */
const NOW = 1_795_255_200;
/** 09:55. */
const LOOKED = NOW - 5 * MINUTE;

const EVENT: ListedEvent = {
  id: "1",
  alarm: "things",
  dedupeKey: "a",
  subject: "A is wrong",
  level: NO_LEVEL,
  fireTime: NOW - 60 * MINUTE,
  firstSeen: NOW - 60 * MINUTE,
  lastSeen: LOOKED,
  clearTime: undefined,
  clearReason: undefined,
  clearHeldAt: undefined,
  lastNotified: undefined,
  notices: NO_NOTICES,
  unsent: [],
  data: {},
};
/** Last seen at 09:50. */
const UNSEEN = { ...EVENT, lastSeen: NOW - 10 * MINUTE };
const CLEARED = { ...UNSEEN, clearTime: LOOKED, clearReason: "recovered" };
const PENDING: PendingDetection = {
  alarm: "things",
  key: "a",
  subject: "A is wrong",
  firstSeen: NOW - 10 * MINUTE,
  seen: 1,
  needed: 3,
  unit: "outcomes",
  fires: "after 3 outcomes in a row",
};
const COMPLETE: LastLook = { at: LOOKED, outcome: "complete", error: "" };
const PARTIAL: LastLook = { ...COMPLETE, outcome: "partial", error: "half of it" };
const FAILED: LastLook = { ...COMPLETE, outcome: "failed", error: "HTTP 500" };
const IDLE: LastLook = { ...COMPLETE, outcome: "not configured", error: "limit has no value" };

function input(changes: Partial<WhyInput>): WhyInput {
  return {
    alarm: { clearAfter: undefined },
    stopped: undefined,
    events: [],
    pending: undefined,
    clearing: undefined,
    lastLook: COMPLETE,
    channels: [],
    now: NOW,
    ...changes,
  };
}

test.for<readonly [string, Partial<WhyInput>, expected: string]>([
  [
    "what the last tick detected is firing because of that",
    { events: [EVENT] },
    "firing: detected in the last tick, at 2026-11-21 09:55 UTC",
  ],
  [
    "so it is if the tick that detected it has not ended",
    { events: [{ ...EVENT, lastSeen: NOW }] },
    "firing: detected in the last tick, at 2026-11-21 10:00 UTC",
  ],
  [
    "a partial outcome that detected it counts",
    { events: [EVENT], lastLook: PARTIAL },
    "firing: detected in the last tick, at 2026-11-21 09:55 UTC",
  ],
  [
    "one that did not clears nothing",
    { events: [UNSEEN], lastLook: PARTIAL },
    "firing: not detected since 2026-11-21 09:50 UTC; in the last tick, at 2026-11-21 09:55 UTC, the outcome was partial, so that nothing clears: half of it",
  ],
  [
    "neither does one that failed",
    { events: [UNSEEN], lastLook: FAILED },
    "firing: not detected since 2026-11-21 09:50 UTC; in the last tick, at 2026-11-21 09:55 UTC, the outcome failed, so that nothing clears: HTTP 500",
  ],
  [
    "neither does an alarm that is not configured",
    { events: [{ ...UNSEEN, lastSeen: undefined }], lastLook: IDLE },
    "firing: not detected; in the last tick, at 2026-11-21 09:55 UTC, the alarm was not configured, so that nothing clears: limit has no value",
  ],
  [
    "a complete outcome may leave a key out",
    { events: [UNSEEN] },
    "firing: not detected since 2026-11-21 09:50 UTC, but the last tick, at 2026-11-21 09:55 UTC, did not look at it",
  ],
  [
    "what clears later says how far it is",
    {
      events: [UNSEEN],
      alarm: { clearAfter: { hits: 2, of: 2 } },
      clearing: { firstSeen: LOOKED, hits: "1" },
    },
    "firing: clears later: not detected in 1 of 2 outcomes",
  ],
  [
    "an outcome that failed does not count towards it",
    {
      events: [UNSEEN],
      alarm: { clearAfter: { seconds: 900 } },
      clearing: { firstSeen: LOOKED, hits: "1" },
      lastLook: FAILED,
    },
    "firing: clears later: not detected for 5 min of 15 min; in the last tick, at 2026-11-21 09:55 UTC, the outcome failed, so that it does not count: HTTP 500",
  ],
  [
    "a held clear says what ends it",
    { events: [{ ...UNSEEN, clearHeldAt: LOOKED }] },
    "firing: not detected, but the clear of many events at once is held since 2026-11-21 09:55 UTC; it clears if the next complete outcome does not detect it either",
  ],
  [
    "an event of an alarm that was archived ends",
    { events: [EVENT], stopped: "alarm archived" },
    "firing: the next tick ends it: alarm archived",
  ],
  [
    "without a tick on record nothing is known",
    { events: [EVENT], lastLook: undefined },
    "firing: no tick on record has looked at it",
  ],
  [
    "pending says how far it is",
    { pending: PENDING },
    "pending: detected in 1 of 3 outcomes since 2026-11-21 09:50 UTC; it fires after 3 outcomes in a row",
  ],
  [
    "pending comes before an event that has cleared",
    { pending: { ...PENDING, unit: "seconds", seen: 300, needed: 900 }, events: [CLEARED] },
    "pending: detected for 5 min of 15 min since 2026-11-21 09:50 UTC; it fires after 3 outcomes in a row",
  ],
  [
    "an outcome that failed does not count for what is pending",
    { pending: PENDING, lastLook: FAILED },
    "pending: detected in 1 of 3 outcomes since 2026-11-21 09:50 UTC; it fires after 3 outcomes in a row; in the last tick, at 2026-11-21 09:55 UTC, the outcome failed, so that it does not count: HTTP 500",
  ],
  ["cleared says why", { events: [CLEARED, CLEARED] }, "cleared: recovered"],
  [
    "a clear of an earlier version has no reason",
    { events: [{ ...CLEARED, clearReason: undefined }] },
    "cleared: no reason is on record",
  ],
  ["what is nowhere is unknown", {}, "unknown: no event on record, and not pending"],
])("%s", ([, changes, expected]) => {
  const { state, reason } = whyFacts(input(changes));
  expect(`${state}: ${reason}`).toBe(expected);
});

const FREE: ChannelVerdict = {
  channel: "email",
  notifiedAt: LOOKED,
  notifies: false,
  to: [],
  reason: "",
  until: undefined,
  held: undefined,
  nextReminder: NOW + 600,
};
const HELD = { reason: "acknowledged by wen: seen", until: NOW + 60 };
const ACKED: ChannelVerdict = { ...FREE, held: HELD, nextReminder: NOW + 300 };

test.for<readonly [string, Partial<WhyInput>, object]>([
  [
    "what one channel is free to send is not muted",
    { events: [EVENT], channels: [ACKED, FREE] },
    { muted: undefined, nextReminder: NOW + 300 },
  ],
  [
    "what holds all channels mutes",
    { events: [EVENT], channels: [ACKED, { ...FREE, held: { ...HELD, reason: "no" } }] },
    { muted: HELD, nextReminder: NOW + 300 },
  ],
  [
    "without a reminder there is no next one",
    { events: [EVENT], channels: [{ ...FREE, nextReminder: undefined }] },
    { muted: undefined, nextReminder: undefined },
  ],
  [
    "a cleared event is not muted and has no reminder",
    { events: [CLEARED], channels: [ACKED] },
    { muted: undefined, nextReminder: undefined },
  ],
])("%s", ([, changes, expected]) => {
  expect(whyFacts(input(changes))).toMatchObject(expected);
});
