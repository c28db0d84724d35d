import { describe, expect, test } from "vitest";
import { type Ack, ackAt, ackInForce } from "../../src/core/ack.ts";

const NOW = 1_000_000;
const ACK: Ack = {
  by: "ana",
  reason: "known",
  at: NOW - 60,
  until: undefined,
  sticky: false,
  ended: undefined,
};

describe("an acknowledgement", () => {
  const ended = { at: NOW - 5, reason: "by operator" } as const;
  test.each([
    ["none", undefined, undefined, false],
    ["without a time holds", ACK, ACK, true],
    ["holds until its time", { ...ACK, until: NOW + 1 }, { ...ACK, until: NOW + 1 }, true],
    [
      "has ended at its time",
      { ...ACK, until: NOW },
      { ...ACK, until: NOW, ended: { at: NOW, reason: "its time is over" } },
      false,
    ],
    [
      "stays ended as it was",
      { ...ACK, until: NOW - 1, ended },
      { ...ACK, until: NOW - 1, ended },
      false,
    ],
  ] as const)("%s", (_, ack, expected, holds) => {
    expect(ackAt(ack, NOW)).toEqual(expected);
    expect(ackInForce(ack, NOW) !== undefined).toBe(holds);
  });
});
