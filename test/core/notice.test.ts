import { describe, expect, test } from "vitest";
import type { Ack } from "../../src/core/ack.ts";
import type { ActiveEvent, Notices } from "../../src/core/model.ts";
import { NO_NOTICES } from "../../src/core/news.ts";
import { decideItems, isDue, type NoticeFacts, type UnsentClear } from "../../src/core/notice.ts";
import { NO_CHANGES, type Plan } from "../../src/core/reconcile.ts";
import type { RenotifyRule } from "../../src/core/renotify.ts";
import { notified } from "../support/configured.ts";
import { NO_REMINDERS } from "../support/reminders.ts";

const NOW = 1_000_000;
const HOUR = 3600;

type Given = number | undefined | Notices;

/** What its row says, or the time of its last mail. */
function event(dedupeKey: string, given: Given): ActiveEvent {
  const notices = typeof given === "object" ? given : notified(given);
  return { id: `id of ${dedupeKey}`, dedupeKey, fireTime: 0, notices };
}

function touched(key: string, given: Given): Plan["touch"][number] {
  return { event: event(key, given), reason: "still detected" };
}

function kept(key: string, given: Given): Plan["keep"][number] {
  return { event: event(key, given), reason: "outcome is partial" };
}

function gone(key: string, given: Given): Plan["clear"][number] {
  return { event: event(key, given), reason: "recovered", isUnseen: true };
}

const ALARM = { enabled: true, renotify: { ...NO_REMINDERS, hours: 24 }, notifyClear: false };

function facts(plan: Partial<Plan>, changes: Partial<NoticeFacts> = {}): NoticeFacts {
  return {
    alarm: ALARM,
    channel: "email",
    plan: { ...NO_CHANGES, ...plan },
    opened: [],
    unsentClears: [],
    now: NOW,
    ...changes,
  };
}

function every(hours: number): Partial<NoticeFacts> {
  return { alarm: { ...ALARM, renotify: { ...NO_REMINDERS, hours } } };
}

function course(rule: Partial<RenotifyRule>): Partial<NoticeFacts> {
  return { alarm: { ...ALARM, renotify: { ...NO_REMINDERS, ...rule } } };
}

const ACK: Ack = {
  by: "ana",
  reason: "known",
  at: 50,
  until: undefined,
  sticky: false,
  ended: undefined,
};

/** Notified by mail, and worse since. */
function rose(news: "severity" | "stage"): Notices {
  return notified(NOW - HOUR, { news, newsAt: NOW });
}

const OFF = { alarm: { ...ALARM, enabled: false } };
const CLEARS_TOO = { alarm: { ...ALARM, notifyClear: true } };
const CHAT = { channel: "chat" };
const OPENED = { opened: [{ id: "id of n", dedupeKey: "n", recipients: ["@shift"] }] };

/** Cleared in an earlier tick. */
const CLEARED: UnsentClear = {
  id: "id of a",
  dedupeKey: "a",
  fireTime: 100,
  clearTime: 400,
  notices: NO_NOTICES,
  unsent: ["email"],
};

describe("which events a notification names, and why", () => {
  const rows: readonly [string, NoticeFacts, string][] = [
    ["an event opened now is new", facts({}, OPENED), "new: n"],
    [
      "one that was never mailed is unsent",
      facts({ touch: [touched("a", undefined)] }),
      "unsent: a",
    ],
    [
      "it is unsent also where one mail per event is enough",
      facts({ touch: [touched("a", undefined)] }, every(0)),
      "unsent: a",
    ],
    [
      "it is unsent also where this tick could not see it",
      facts({ keep: [kept("a", undefined)] }),
      "unsent: a",
    ],
    [
      "a mailed one is due when the hours are over",
      facts({ touch: [touched("a", NOW - 25 * HOUR)] }),
      "renotification due: a",
    ],
    [
      "it is due at the very second",
      facts({ touch: [touched("a", NOW - 24 * HOUR)] }),
      "renotification due: a",
    ],
    [
      "it is due in the same minute: ticks do not start to the second",
      facts({ touch: [touched("a", NOW - 24 * HOUR + 19)] }),
      "renotification due: a",
    ],
    [
      "it is not due a minute before",
      facts({ touch: [touched("a", NOW - 24 * HOUR + 60)] }),
      "omitted: renotification not due",
    ],
    [
      "parts of an hour count",
      facts({ touch: [touched("a", NOW - 0.5 * HOUR)] }, every(0.5)),
      "renotification due: a",
    ],
    [
      "without hours one mail per event is enough",
      facts({ touch: [touched("a", 0)] }, every(0)),
      "omitted: already mailed",
    ],
    [
      "hours below zero mean the same",
      facts({ touch: [touched("a", 0)] }, every(-1)),
      "omitted: already mailed",
    ],
    [
      "mailed at second zero is mailed",
      facts({ touch: [touched("a", 0)] }, { ...every(1), now: HOUR - 60 }),
      "omitted: renotification not due",
    ],
    [
      "a mailed one that this tick could not see is not called continuing",
      facts({ keep: [kept("a", NOW - 100 * HOUR)] }),
      "omitted: not seen this tick",
    ],
    [
      "a mail five minutes ahead may be that of another host, and counts as just sent",
      facts({ touch: [touched("a", NOW + 300)] }),
      "omitted: renotification not due",
    ],
    [
      "a mail further ahead than that is due: its clock was wrong",
      facts({ touch: [touched("a", NOW + 301)] }),
      "renotification due: a",
    ],
    [
      "so is one five years ahead",
      facts({ touch: [touched("a", NOW + 5 * 365 * 24 * HOUR)] }),
      "renotification due: a",
    ],
    [
      "one that clears before it was mailed is named as cleared",
      facts({ clear: [gone("a", undefined)] }),
      "cleared before it could be mailed: a",
    ],
    ["one that clears after its mail is not named", facts({ clear: [gone("a", 0)] }), ""],
    [
      "one that clears while mail is off is not named",
      facts({ clear: [gone("a", undefined)] }, OFF),
      "",
    ],
    [
      "what cleared in an earlier tick is still unsent, and comes first",
      facts({ clear: [gone("b", undefined)] }, { unsentClears: [CLEARED] }),
      "cleared before it could be mailed: a; cleared before it could be mailed: b",
    ],
    [
      "it stays unsent while mail is off",
      facts({}, { unsentClears: [CLEARED], ...OFF }),
      "cleared before it could be mailed: a",
    ],
    [
      "without a mail the other channel's time counts for nothing: an added channel gets what is active",
      facts({ touch: [touched("a", NOW - HOUR)], keep: [kept("b", 0)] }, CHAT),
      "unsent: a; unsent: b",
    ],
    [
      "each channel has its own reminders",
      facts(
        {
          touch: [touched("a", { ...NO_NOTICES, notified: { email: NOW, chat: NOW - 24 * HOUR } })],
        },
        CHAT,
      ),
      "renotification due: a",
    ],
    [
      "and its own silence until then",
      facts(
        { touch: [touched("a", { ...NO_NOTICES, notified: { email: 0, chat: NOW - HOUR } })] },
        CHAT,
      ),
      "omitted: renotification not due",
    ],
    [
      "a name that every object has is not a time",
      facts({ touch: [touched("a", NOW)] }, { channel: "constructor" }),
      "unsent: a",
    ],
    [
      "news after the last mail is unsent, whatever the hours",
      facts({ touch: [touched("a", notified(NOW - HOUR, { newsAt: NOW - HOUR + 1 }))] }, every(0)),
      "unsent: a",
    ],
    [
      "a mail of the tick of the news has it",
      facts({ touch: [touched("a", notified(NOW - HOUR, { newsAt: NOW - HOUR }))] }),
      "omitted: renotification not due",
    ],
    [
      "a clear after its mail is news where the alarm notifies of clears",
      facts({ clear: [gone("a", 0)] }, CLEARS_TOO),
      "cleared: a",
    ],
    [
      "a clear with news that was not mailed is named",
      facts({ clear: [gone("a", notified(NOW - HOUR, { newsAt: NOW - 60 }))] }),
      "cleared: a",
    ],
    [
      "on a channel that did not name it, it cleared before that",
      facts({ clear: [gone("a", 0)] }, { ...CHAT, ...CLEARS_TOO }),
      "cleared before it could be mailed: a",
    ],
    [
      "so did one of an earlier tick that this channel did not name",
      facts({}, { ...CHAT, unsentClears: [{ ...CLEARED, notices: notified(200) }] }),
      "cleared before it could be mailed: a",
    ],
    [
      "one of an earlier tick that this channel named has cleared since",
      facts({}, { unsentClears: [{ ...CLEARED, notices: notified(200) }] }),
      "cleared: a",
    ],
    [
      "with mail off a clear is no news, whatever the alarm says of clears",
      facts({ clear: [gone("a", 0)] }, { alarm: { ...ALARM, enabled: false, notifyClear: true } }),
      "",
    ],
    [
      "a rise in severity is news on a channel that has been notified",
      facts({ touch: [touched("a", rose("severity"))] }),
      "severity rose: a",
    ],
    ["so is a later stage", facts({ touch: [touched("a", rose("stage"))] }), "stage advanced: a"],
    [
      "also where this tick could not see it",
      facts({ keep: [kept("a", rose("severity"))] }),
      "severity rose: a",
    ],
    [
      "on a channel that never named it, it is unsent",
      facts({ touch: [touched("a", rose("severity"))] }, CHAT),
      "unsent: a",
    ],
    [
      "an acknowledgement holds reminders",
      facts({ touch: [touched("a", notified(0, { ack: ACK }))] }),
      "omitted: acknowledged",
    ],
    [
      "it holds updates, where it is sticky",
      facts({ touch: [touched("a", { ...rose("severity"), ack: { ...ACK, sticky: true } })] }),
      "omitted: acknowledged",
    ],
    [
      "it does not hold the first notification on a channel",
      facts({ touch: [touched("a", notified(0, { ack: ACK }))] }, CHAT),
      "unsent: a",
    ],
    [
      "it does not hold a clear",
      facts({ clear: [gone("a", notified(0, { ack: ACK }))] }, CLEARS_TOO),
      "cleared: a",
    ],
    [
      "after its end the reminders are counted from there",
      facts({ touch: [touched("a", notified(0, { ack: { ...ACK, until: NOW - 23 * HOUR } }))] }),
      "omitted: renotification not due",
    ],
    [
      "and come when the hours since then are over",
      facts({ touch: [touched("a", notified(0, { ack: { ...ACK, until: NOW - 24 * HOUR } }))] }),
      "renotification due: a",
    ],
    [
      "the last reminder has been sent",
      facts(
        { touch: [touched("a", notified(0, { reminders: { email: 5 } }))] },
        course({ hours: 1, count: 5 }),
      ),
      "omitted: no further reminder",
    ],
    [
      "that of another channel does not count",
      facts(
        { touch: [touched("a", notified(0, { reminders: { chat: 5 } }))] },
        course({ hours: 1, count: 5 }),
      ),
      "renotification due: a",
    ],
    [
      "one that ended under a clock that was ahead does not delay them until then",
      facts({
        touch: [
          touched(
            "a",
            notified(0, { ack: { ...ACK, ended: { at: NOW + 301, reason: "by operator" } } }),
          ),
        ],
      }),
      "renotification due: a",
    ],
    [
      "an acknowledgement that ended begins the course anew",
      facts(
        {
          touch: [
            touched(
              "a",
              notified(0, {
                reminders: { email: 5 },
                ack: { ...ACK, until: 60 },
              }),
            ),
          ],
        },
        course({ hours: 1, count: 5 }),
      ),
      "renotification due: a",
    ],
  ];
  test.each(rows)("%s", (_, given, expected) => {
    const { fresh, continuing, cleared, omitted } = decideItems(given);
    const found = [...fresh, ...continuing, ...cleared].map(
      ({ reason, dedupeKey }) => `${reason}: ${dedupeKey}`,
    );
    for (const [reason, count] of Object.entries(omitted)) {
      if (count > 0) found.push(`omitted: ${reason}`);
    }
    expect(found.join("; ")).toBe(expected);
  });

  test("new ones are apart from the others; what is left out is counted", () => {
    const notice = decideItems(
      facts(
        {
          touch: [touched("a", undefined), touched("b", NOW - HOUR), touched("c", NOW - 30 * HOUR)],
          keep: [kept("d", undefined), kept("e", 0), kept("f", 0)],
        },
        OPENED,
      ),
    );
    expect(notice.fresh.map(({ eventId }) => eventId)).toEqual(["id of n"]);
    expect(notice.continuing.map(({ eventId }) => eventId)).toEqual([
      "id of a",
      "id of c",
      "id of d",
    ]);
    expect(notice.omitted).toEqual({
      "already mailed": 0,
      "renotification not due": 1,
      "no further reminder": 0,
      "not seen this tick": 2,
      acknowledged: 0,
      "may have been mailed": 0,
      "the service asked to wait": 0,
    });
  });

  test.each([
    ["the first of a plain alarm has no number", { hours: 1 }, 0, undefined],
    ["one of a course has", { hours: 1, growth: 2 }, 0, { number: 1, isFinal: false }],
    ["the last one is final", { hours: 1, count: 3 }, 2, { number: 3, isFinal: true }],
    ["the only one is final", { hours: 1, count: 1 }, 0, { number: 1, isFinal: true }],
  ] as const)("a reminder: %s", (_, rule, sent, reminder) => {
    const touch = [touched("a", notified(0, { reminders: { email: sent } }))];
    const { continuing } = decideItems(facts({ touch }, course(rule)));
    expect(continuing.map((item) => item.reminder)).toEqual([reminder]);
  });

  test("an item says how bad it is, how far it has come, when it was first seen and why it ended", () => {
    const known = {
      ...event("a", undefined),
      level: { severity: "error", stage: "late" } as const,
      firstSeen: 7,
    };
    const { continuing, cleared } = decideItems(
      facts({
        touch: [{ event: known, reason: "still detected" }],
        clear: [{ event: known, reason: "recovered", isUnseen: true }],
      }),
    );
    const expected = { severity: "error", stage: "late", firstSeen: 7 };
    expect(continuing).toMatchObject([expected]);
    expect(cleared).toMatchObject([{ ...expected, clearReason: "recovered" }]);
  });

  test("what decides where an item goes comes with it", () => {
    const notices = notified(5, { newsAt: NOW - 5, to: { email: ["@a"] }, recipients: ["b@h"] });
    const { fresh, continuing } = decideItems(
      facts({ touch: [touched("a", notices), touched("b", undefined)] }, OPENED),
    );
    expect([...fresh, ...continuing].map((item) => item.notices)).toEqual([
      { ...NO_NOTICES, recipients: ["@shift"] },
      notices,
      NO_NOTICES,
    ]);
  });

  test("what has cleared says from when to when it fired", () => {
    const { cleared } = decideItems(
      facts({ clear: [gone("b", undefined)] }, { unsentClears: [CLEARED] }),
    );
    expect(cleared.map(({ fireTime, clearTime }) => [fireTime, clearTime])).toEqual([
      [100, 400],
      [0, NOW],
    ]);
  });

  test.each([
    ["one that was never mailed is due", undefined, 0, true],
    ["one that was mailed is not, where one mail is enough", NOW - 99 * HOUR, 0, false],
    ["one that was mailed long enough ago is", NOW - 24 * HOUR, 24, true],
    ["one that was mailed just now is not", NOW - 23 * HOUR, 24, false],
  ])("before it is detected: %s", (_, lastNotified, hours, due) => {
    const renotify = { ...NO_REMINDERS, hours };
    expect(isDue(event("a", lastNotified), "email", renotify, NOW)).toBe(due);
  });
});
