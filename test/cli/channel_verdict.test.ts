import { expect, test } from "vitest";
import { channelVerdict, type VerdictFacts } from "../../src/cli/channel_verdict.ts";
import type { Ack } from "../../src/core/ack.ts";
import type { ActiveEvent, Notices } from "../../src/core/model.ts";
import { NO_NOTICES } from "../../src/core/news.ts";
import { decideItems, type NoticeFacts } from "../../src/core/notice.ts";
import { NO_CHANGES, type Plan } from "../../src/core/reconcile.ts";
import { NO_REMINDERS } from "../support/reminders.ts";

const HOUR = 3600;
/** 2026-11-21 10:00 UTC. */
const NOW = 1_795_255_200;
const FIRED = NOW - 10 * HOUR;

const ACK: Ack = {
  by: "wen",
  reason: "looking into it",
  at: NOW - HOUR,
  until: NOW + HOUR,
  sticky: false,
  ended: undefined,
};

interface Given {
  readonly notices?: Partial<Notices>;
  /** Otherwise it was not detected. */
  readonly seen?: boolean;
  readonly enabled?: boolean;
  readonly hours?: number;
  readonly count?: number;
  readonly usable?: "usable" | "not configured" | "unusable";
  readonly recipients?: readonly string[];
  readonly waits?: "may have been mailed";
  readonly waitsUntil?: number;
  readonly closedUntil?: number;
  readonly idle?: string;
  readonly plan?: Partial<Plan>;
  readonly opened?: NoticeFacts["opened"];
  readonly notifyClear?: boolean;
}

const LAST_NOTIFIED = { notified: { email: NOW - HOUR } };
const A: Omit<ActiveEvent, "notices"> = { id: "1", dedupeKey: "a", fireTime: FIRED };
const KNOWN: ActiveEvent = { ...A, notices: { ...NO_NOTICES, ...LAST_NOTIFIED } };
const CLEAR: Partial<Plan> = { clear: [{ event: KNOWN, reason: "recovered", isUnseen: true }] };

/** What the alarm's plan says of the entity `a`, and the verdict on it. */
function judge(given: Given) {
  const { seen = true, enabled = true, hours = 0, usable = "usable", waits } = given;
  const event = { ...A, notices: { ...NO_NOTICES, ...given.notices } };
  const renotify = { ...NO_REMINDERS, hours, count: given.count };
  const touched: Partial<Plan> = seen
    ? { touch: [{ event, reason: "still detected" }] }
    : { keep: [{ event, reason: "outcome is partial" }] };
  const plan = { ...NO_CHANGES, ...(given.plan ?? touched) };
  const items = decideItems({
    alarm: { enabled, renotify, notifyClear: given.notifyClear ?? false },
    channel: "email",
    plan,
    opened: given.opened ?? [],
    unsentClears: [],
    now: NOW,
  });
  const left =
    waits === undefined
      ? items
      : { fresh: [], continuing: [], cleared: [], omitted: { ...items.omitted, [waits]: 1 } };
  const facts: VerdictFacts = {
    alarm: { name: "things", enabled, renotify },
    key: "a",
    event: given.plan === undefined ? event : plan.clear[0]?.event,
    isOver: plan.clear.length > 0,
    notice: { ...left, channel: "email", usable, recipients: given.recipients ?? ["ops@h.org"] },
    faults: usable === "usable" ? [] : ["add [email] to the configuration"],
    idle: given.idle,
    closedUntil: given.closedUntil,
    waitsUntil: given.waitsUntil,
    now: NOW,
  };
  return channelVerdict(facts);
}

const SET = "bin/swf-alarms alarm set things";

test.for<readonly [string, Given, notifies: boolean, reason: string, hours?: number]>([
  [
    "what opens now is new",
    { plan: {}, opened: [{ id: "1", dedupeKey: "a", recipients: [] }] },
    true,
    "it is new",
  ],
  ["what no notification named is sent", {}, true, "no notification of it was delivered there"],
  [
    "a rise is sent",
    { notices: { ...LAST_NOTIFIED, news: "severity", newsAt: NOW } },
    true,
    "its severity rose",
  ],
  [
    "a later stage is sent",
    { notices: { ...LAST_NOTIFIED, news: "stage", newsAt: NOW } },
    true,
    "its stage advanced",
  ],
  [
    "a reminder that is due is sent",
    { notices: LAST_NOTIFIED, hours: 1 },
    true,
    "a reminder is due",
    0,
  ],
  [
    "one of a course has its number",
    { notices: { ...LAST_NOTIFIED, reminders: { email: 1 } }, hours: 1, count: 3 },
    true,
    "reminder 2 is due",
    0,
  ],
  [
    "the last one is called so",
    { notices: { ...LAST_NOTIFIED, reminders: { email: 2 } }, hours: 1, count: 3 },
    true,
    "reminder 3 is due, the last one",
    0,
  ],
  ["a clear is sent", { plan: CLEAR, notifyClear: true }, true, "it has cleared"],
  [
    "unless the alarm does not notify of clears",
    { plan: CLEAR },
    false,
    `the alarm does not notify of clears; to change that, run: ${SET} --notify-clear on`,
  ],
  [
    "without reminders, one notification is all",
    { notices: LAST_NOTIFIED },
    false,
    `it was notified, and the alarm sends no reminders; to change that, run: ${SET} --renotify HOURS`,
  ],
  [
    "a reminder is not due yet",
    { notices: LAST_NOTIFIED, hours: 3 },
    false,
    "it was notified; the next reminder is due at 2026-11-21 12:00 UTC",
    2,
  ],
  [
    "after the last reminder there is no other",
    { notices: { ...LAST_NOTIFIED, reminders: { email: 3 } }, hours: 1, count: 3 },
    false,
    "it was notified, and its last reminder of 3 was sent",
  ],
  [
    "what is not detected gets no reminder",
    { notices: LAST_NOTIFIED, hours: 1, seen: false },
    false,
    "it was notified; reminders are sent only while it is detected",
    0,
  ],
  [
    "an acknowledgement holds a reminder, which begins anew at its end",
    { notices: { ...LAST_NOTIFIED, ack: ACK, reminders: { email: 3 } }, hours: 2, count: 3 },
    false,
    "acknowledged by wen: looking into it",
    3,
  ],
  [
    "one without an end leaves no time of a reminder",
    { notices: { ...LAST_NOTIFIED, ack: { ...ACK, until: undefined } }, hours: 2 },
    false,
    "acknowledged by wen: looking into it",
  ],
  [
    "an acknowledgement does not hold the first notification",
    { notices: { ack: ACK } },
    true,
    "no notification of it was delivered there",
  ],
  [
    "notifications that are off come before everything else",
    { enabled: false, notices: { ...LAST_NOTIFIED, ack: ACK }, usable: "unusable", hours: 3 },
    false,
    `notifications are off; to turn them on, run: ${SET} --mail on`,
  ],
  [
    "a channel with wrong settings sends nothing",
    { usable: "unusable" },
    false,
    "the channel cannot be used; add [email] to the configuration",
  ],
  [
    "nor does one that is not configured",
    { usable: "not configured" },
    false,
    "the channel is not configured; add [email] to the configuration",
  ],
  [
    "without recipients nothing is sent",
    { recipients: [] },
    false,
    `there are no recipients; to add some, run: ${SET} --recipients ADDRESS`,
  ],
  [
    "a repeat waits",
    { waits: "may have been mailed" },
    false,
    "a notification that names it may have been delivered; the repeat waits",
  ],
  [
    "a service may ask to wait, for what no notification has named too",
    { closedUntil: NOW + HOUR },
    false,
    "the service asked to wait",
  ],
  [
    "a reminder waits with it",
    { notices: LAST_NOTIFIED, hours: 1, closedUntil: NOW + HOUR },
    false,
    "the service asked to wait",
    1,
  ],
  [
    "ticks pass over an alarm that is not configured",
    { idle: "the alarm is not configured: parameter x has no value" },
    false,
    "the alarm is not configured: parameter x has no value",
  ],
  ["an entity without an event has nothing to say", { plan: {} }, false, "there is nothing to say"],
])("%s", ([, given, notifies, reason, hours]) => {
  const verdict = judge(given);
  expect(verdict).toMatchObject({ channel: "email", notifies, reason });
  expect(verdict.to).toEqual(notifies ? ["ops@h.org"] : []);
  const next = verdict.nextReminder;
  expect(next === undefined ? undefined : (next - NOW) / HOUR).toBe(hours);
});

test.each<readonly [string, Given]>([
  ["a repeat", { waits: "may have been mailed", waitsUntil: NOW + HOUR }],
  ["a service that asked to wait", { closedUntil: NOW + HOUR }],
  ["an acknowledgement", { notices: { ...LAST_NOTIFIED, ack: ACK } }],
])("until when it is held is known: %s", (_, given) => {
  expect(judge(given)).toMatchObject({ notifies: false, until: NOW + HOUR });
});

test("what holds is known where nothing is due", () => {
  expect(judge({ notices: LAST_NOTIFIED, usable: "unusable" }).held?.reason).toContain("cannot");
  expect(judge({ notices: LAST_NOTIFIED, recipients: [] }).held).toBeUndefined();
  expect(judge({ notices: { ...LAST_NOTIFIED, ack: ACK } }).held?.until).toBe(ACK.until);
});
