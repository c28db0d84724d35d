import { describe, expect, test } from "vitest";
import {
  type Delivery,
  deliveryErrors,
  judgeDelivery,
  listed,
  undelivered,
} from "../../src/core/delivery.ts";

const NOBODY: Delivery = {
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
const bad = (address: string, reason = "not verified") => ({ address, reason });

describe("what a delivery was, and what people are told of it", () => {
  const rows: readonly [string, Partial<Delivery>, string, readonly string[]][] = [
    ["everybody was told", { confirmed: ["a", "b"] }, "delivered", []],
    [
      "nobody was, and it passes by itself",
      { pending: ["a"], error: BUSY },
      "failed, retryable: SES Throttling: busy",
      ["mail not sent: SES Throttling: busy; the next tick tries again"],
    ],
    [
      "nobody was, and it does not pass by itself",
      { pending: ["a"], error: NO_KEYS },
      "failed: SES AccessDenied: no",
      ["mail not sent: SES AccessDenied: no; it needs somebody to look; every tick tries again"],
    ],
    [
      "everybody was refused",
      { refused: [bad("a"), bad("b")] },
      "failed: not verified (refused: a, b)",
      [
        "mail not sent: not verified (refused: a, b); it needs somebody to look; every tick tries again",
      ],
    ],
    [
      "some were refused, and the others not told either",
      { refused: [bad("a")], pending: ["b"], error: BUSY },
      "failed, retryable: SES Throttling: busy; not verified (refused: a)",
      ["mail not sent: SES Throttling: busy; not verified (refused: a); the next tick tries again"],
    ],
    [
      "some were told, one is refused: never counted as all well",
      { confirmed: ["a", "b"], refused: [bad("c")] },
      "partial: not verified (refused: c)",
      [
        "mail sent to 2 of 3 recipients; not verified (refused: c); correct or remove the address in the alarm's recipients or its team",
      ],
    ],
    [
      "refusals for different reasons are told apart",
      { confirmed: ["a"], refused: [bad("b"), bad("c", "illegal"), bad("d")] },
      "partial: not verified (refused: b, d); illegal (refused: c)",
      [
        "mail sent to 1 of 4 recipients; not verified (refused: b, d); illegal (refused: c); correct or remove the address in the alarm's recipients or its team",
      ],
    ],
    [
      "some were told, the others wait",
      { confirmed: ["a"], pending: ["b", "c"], error: BUSY },
      "partial, retryable: SES Throttling: busy",
      [
        "mail sent to 1 of 3 recipients; not yet to b, c: SES Throttling: busy; the next tick tries these again",
      ],
    ],
    [
      "some were told, some refused, some wait: two things to do are two texts",
      { confirmed: ["a"], refused: [bad("b")], pending: ["c"], error: BUSY },
      "partial, retryable: SES Throttling: busy; not verified (refused: b)",
      [
        "mail sent to 1 of 3 recipients; not verified (refused: b); correct or remove the address in the alarm's recipients or its team",
        "mail sent to 1 of 3 recipients; not yet to c: SES Throttling: busy; the next tick tries these again",
      ],
    ],
  ];
  test.each(rows)("%s", (_, given, verdict, errors) => {
    const delivery = { ...NOBODY, ...given };
    const { outcome, error, retryable } = judgeDelivery(delivery);
    const hope = retryable === true ? ", retryable" : "";
    expect(`${outcome}${hope}${error === undefined ? "" : `: ${error}`}`).toBe(verdict);
    expect(deliveryErrors(delivery)).toEqual(errors);
  });
});

test("undelivered: everybody is still to be told", () => {
  expect(undelivered(["a", "b"], BUSY)).toEqual({ ...NOBODY, pending: ["a", "b"], error: BUSY });
});

test.each([
  ["none", 0, ""],
  ["five by name", 5, "p0, p1, p2, p3, p4"],
  ["of seventy the first five", 70, "p0, p1, p2, p3, p4 and 65 more"],
])("addresses in a message: %s", (_, count, text) => {
  expect(listed(Array.from({ length: count }, (_each, index) => `p${index}`))).toBe(text);
});
