import { describe, expect, test } from "vitest";
import {
  givenUpError,
  type PendingFacts,
  type PendingMail,
  planPending,
  retryErrors,
} from "../../src/core/pending.ts";

const NOW = 1_000_000;
const HOUR = 3600;
const MAIL: PendingMail = {
  id: "mail",
  subject: "[alarm_x] 1",
  text: "text",
  attemptedAt: NOW - 300,
  attempts: 2,
  pending: ["a@h", "b@h"],
  refused: [],
  messageIds: [],
  error: "SES Throttling: busy",
  unknown: undefined,
};

describe("the recipients that a pending mail is still sent to", () => {
  const rows: readonly [string, Partial<PendingFacts>, string][] = [
    ["those that are pending", {}, "deliver: a@h,b@h"],
    ["not those that were removed from the alarm", { recipients: ["B@h", "c@h"] }, "deliver: b@h"],
    [
      "none, if all were removed",
      { recipients: ["c@h"] },
      "give up: no longer recipients of the alarm",
    ],
    ["none while mail is off", { mailOn: false }, "wait: mail is off"],
    ["none without a mail service", { mailConfigured: false }, "wait: mail is not configured"],
    [
      "until a day is over",
      { mail: { ...MAIL, attemptedAt: NOW - 24 * HOUR + 1 } },
      "deliver: a@h,b@h",
    ],
    [
      "not at once after two attempts with an unknown result",
      { mail: { ...MAIL, unknown: { count: 2, last: NOW - 299 } } },
      "wait: may have been mailed",
    ],
    [
      "after the pause they are",
      { mail: { ...MAIL, unknown: { count: 2, last: NOW - 300 } } },
      "deliver: a@h,b@h",
    ],
    [
      "not after a day",
      { mail: { ...MAIL, attemptedAt: NOW - 24 * HOUR } },
      "give up: waited for 24 hours",
    ],
    [
      "not after a day, also while mail is off",
      { mail: { ...MAIL, attemptedAt: NOW - 24 * HOUR }, mailOn: false },
      "give up: waited for 24 hours",
    ],
    [
      "also after the clock was set back",
      { mail: { ...MAIL, attemptedAt: NOW + HOUR } },
      "deliver: a@h,b@h",
    ],
  ];
  test.each(rows)("%s", (_, changes, expected) => {
    const plan = planPending({
      mail: MAIL,
      mailOn: true,
      mailConfigured: true,
      recipients: ["a@h", "b@h", "c@h"],
      now: NOW,
      ...changes,
    });
    expect(`${plan.kind}: ${plan.kind === "deliver" ? plan.to.join() : plan.reason}`).toBe(
      expected,
    );
  });
});

describe("the errors to report", () => {
  const nothing = { confirmed: [], refused: [], pending: [], messageIds: [], error: undefined };

  test("none, once all have it", () => {
    expect(retryErrors(MAIL, { ...nothing, confirmed: ["a@h"] })).toEqual([]);
  });

  test("those still pending, and the number of attempts", () => {
    const error = {
      message: "SES: down",
      retryable: true,
      scope: "channel",
      mayBeDelivered: false,
    } as const;
    expect(retryErrors(MAIL, { ...nothing, pending: ["a@h"], error })).toEqual([
      'the mail "[alarm_x] 1" not yet sent to a@h after 3 attempts: SES: down; every tick tries again, for 24 hours',
    ]);
  });

  test("those that were refused", () => {
    const refused = [{ address: "a@h", reason: "illegal" }];
    expect(retryErrors(MAIL, { ...nothing, refused })).toEqual([
      'the mail "[alarm_x] 1" was refused: illegal (refused: a@h); correct or remove the address in the alarm\'s recipients or its team',
    ]);
  });

  test("those that it is given up for", () => {
    expect(givenUpError(MAIL)).toBe(
      'gave up sending the mail "[alarm_x] 1" to a@h, b@h after 24 hours: SES Throttling: busy; inform them, and check the mail service',
    );
  });
});
