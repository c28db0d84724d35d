import { describe, expect, test } from "vitest";
import {
  type Delivery,
  deliveryErrors,
  givenUpError,
  judgeDelivery,
  listed,
  type Named,
  undelivered,
} from "../../src/core/delivery.ts";

const NONE: Delivery = {
  confirmed: [],
  refused: [],
  pending: [],
  messageIds: [],
  error: undefined,
};
const BUSY = {
  message: "SES Throttling: busy",
  retryable: true,
  scope: "channel",
  mayBeDelivered: false,
} as const;
const NO_KEYS = {
  message: "SES AccessDenied: no",
  retryable: false,
  scope: "channel",
  mayBeDelivered: false,
} as const;
const FIRST: Named = {
  channel: "email",
  subject: "[alarm_x] 1",
  attempts: 1,
  notBefore: undefined,
};
const bad = (address: string, reason = "not verified") => ({ address, reason });

describe("the state of a delivery, and the errors to report", () => {
  const rows: readonly [string, Partial<Delivery>, string, readonly string[]][] = [
    ["all recipients confirmed", { confirmed: ["a", "b"] }, "delivered", []],
    [
      "none confirmed, retryable",
      { pending: ["a"], error: BUSY },
      "failed, retryable: SES Throttling: busy",
      ["mail not sent: SES Throttling: busy; the next tick tries again"],
    ],
    [
      "none confirmed, not retryable",
      { pending: ["a"], error: NO_KEYS },
      "failed: SES AccessDenied: no",
      ["mail not sent: SES AccessDenied: no; fix the cause; every tick tries again"],
    ],
    [
      "all refused",
      { refused: [bad("a"), bad("b")] },
      "failed: not verified (refused: a, b)",
      ["mail not sent: not verified (refused: a, b); fix the cause; every tick tries again"],
    ],
    [
      "some refused, the others pending",
      { refused: [bad("a")], pending: ["b"], error: BUSY },
      "failed, retryable: SES Throttling: busy; not verified (refused: a)",
      ["mail not sent: SES Throttling: busy; not verified (refused: a); the next tick tries again"],
    ],
    [
      "some confirmed, one refused: an error",
      { confirmed: ["a", "b"], refused: [bad("c")] },
      "partial: not verified (refused: c)",
      [
        "mail sent to 2 of 3 recipients; not verified (refused: c); correct or remove the address in the alarm's recipients or its team",
      ],
    ],
    [
      "refused for different reasons",
      { confirmed: ["a"], refused: [bad("b"), bad("c", "illegal"), bad("d")] },
      "partial: not verified (refused: b, d); illegal (refused: c)",
      [
        "mail sent to 1 of 4 recipients; not verified (refused: b, d); illegal (refused: c); correct or remove the address in the alarm's recipients or its team",
      ],
    ],
    [
      "some confirmed, the others pending",
      { confirmed: ["a"], pending: ["b", "c"], error: BUSY },
      "partial, retryable: SES Throttling: busy",
      [
        "mail sent to 1 of 3 recipients; not yet to b, c: SES Throttling: busy; the next tick tries these again",
      ],
    ],
    [
      "some confirmed, some refused, some pending: two errors for two things to do",
      { confirmed: ["a"], refused: [bad("b")], pending: ["c"], error: BUSY },
      "partial, retryable: SES Throttling: busy; not verified (refused: b)",
      [
        "mail sent to 1 of 3 recipients; not verified (refused: b); correct or remove the address in the alarm's recipients or its team",
        "mail sent to 1 of 3 recipients; not yet to c: SES Throttling: busy; the next tick tries these again",
      ],
    ],
  ];
  test.each(rows)("%s", (_, given, state, errors) => {
    const delivery = { ...NONE, ...given };
    const { outcome, error, retryable } = judgeDelivery(delivery);
    const suffix = retryable === true ? ", retryable" : "";
    expect(`${outcome}${suffix}${error === undefined ? "" : `: ${error}`}`).toBe(state);
    expect(deliveryErrors(delivery, FIRST)).toEqual(errors);
  });
});

describe("the errors name the notification", () => {
  const given: Delivery = { ...NONE, pending: ["a"], error: BUSY };
  const soon = "the next tick tries again";
  const rows: readonly [string, Partial<Named>, string][] = [
    ["the first attempt on email", {}, `mail not sent: ${BUSY.message}; ${soon}`],
    [
      "a later one",
      { attempts: 3 },
      `the mail "[alarm_x] 1" (attempt 3) not sent: ${BUSY.message}; ${soon}`,
    ],
    [
      "on another channel",
      { channel: "chat" },
      `notification on chat not sent: ${BUSY.message}; ${soon}`,
    ],
    [
      "with the time of the next attempt",
      { notBefore: 1_800_000_000 },
      `mail not sent: ${BUSY.message}; the engine tries again after 2027-01-15 08:00 UTC`,
    ],
  ];
  test.each(rows)("%s", (_, named, error) => {
    expect(deliveryErrors(given, { ...FIRST, ...named })).toEqual([error]);
  });

  test("one that it gave up after a day", () => {
    expect(givenUpError({ ...FIRST, channel: "chat" }, ["a@h", "b@h"], "down")).toBe(
      'gave up sending the notification on chat "[alarm_x] 1" to a@h, b@h after 24 hours: down; inform them, and check the service',
    );
  });
});

test("undelivered: all recipients are pending", () => {
  expect(undelivered(["a", "b"], BUSY)).toEqual({ ...NONE, pending: ["a", "b"], error: BUSY });
});

test.each([
  ["none", 0, ""],
  ["five", 5, "p0, p1, p2, p3, p4"],
  ["the first five of seventy", 70, "p0, p1, p2, p3, p4 and 65 more"],
])("listed addresses: %s", (_, count, text) => {
  expect(listed(Array.from({ length: count }, (_each, index) => `p${index}`))).toBe(text);
});
