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
};

describe("whom an unfinished mail still goes to", () => {
  const rows: readonly [string, Partial<PendingFacts>, string][] = [
    ["those that it has not reached", {}, "deliver: a@h,b@h"],
    ["and not those who were taken off the alarm", { recipients: ["B@h", "c@h"] }, "deliver: b@h"],
    [
      "nobody, where all were taken off",
      { recipients: ["c@h"] },
      "give up: no longer recipients of the alarm",
    ],
    ["nobody while mail is off", { mailOn: false }, "wait: mail is off"],
    ["nobody without a service", { mailConfigured: false }, "wait: mail is not configured"],
    [
      "for a day less a second",
      { mail: { ...MAIL, attemptedAt: NOW - 24 * HOUR + 1 } },
      "deliver: a@h,b@h",
    ],
    [
      "for a day and no longer",
      { mail: { ...MAIL, attemptedAt: NOW - 24 * HOUR } },
      "give up: waited for 24 hours",
    ],
    [
      "for a day and no longer, also while mail is off",
      { mail: { ...MAIL, attemptedAt: NOW - 24 * HOUR }, mailOn: false },
      "give up: waited for 24 hours",
    ],
    [
      "a clock that was set back gives nothing up",
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

describe("what people are told of it", () => {
  const nothing = { confirmed: [], refused: [], pending: [], messageIds: [], error: undefined };

  test("nothing, once it has reached everybody", () => {
    expect(retryErrors(MAIL, { ...nothing, confirmed: ["a@h"] })).toEqual([]);
  });

  test("whom it has still not reached, and how often that was tried", () => {
    const error = {
      message: "SES: down",
      retryable: true,
      scope: "channel",
      mayBeDelivered: false,
    } as const;
    expect(retryErrors(MAIL, { ...nothing, pending: ["a@h"], error })).toEqual([
      'the mail "[alarm_x] 1" has not reached a@h after 3 attempts: SES: down; every tick tries again, for 24 hours',
    ]);
  });

  test("who is refused for good", () => {
    const refused = [{ address: "a@h", reason: "illegal" }];
    expect(retryErrors(MAIL, { ...nothing, refused })).toEqual([
      'the mail "[alarm_x] 1" is refused for good: illegal (refused: a@h); correct or remove the address in the alarm\'s recipients or its team',
    ]);
  });

  test("for whom it is given up", () => {
    expect(givenUpError(MAIL)).toBe(
      'gave up the mail "[alarm_x] 1" for a@h, b@h after 24 hours: SES Throttling: busy; tell them, and look at the mail service',
    );
  });
});
