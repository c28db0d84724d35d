import { describe, expect, test } from "vitest";
import type { Ack } from "../../src/core/ack.ts";
import type { Notices } from "../../src/core/model.ts";
import { channelsToHearOfClear, isUnsent, newsAt, notifiedAt } from "../../src/core/news.ts";
import { notified } from "../support/configured.ts";

const FIRED = 1_000;

function event(notices: Notices) {
  return { id: "e", dedupeKey: "k", fireTime: FIRED, notices };
}

describe("an active event on a channel", () => {
  const rows: readonly [string, Notices, string, number | undefined, number, boolean][] = [
    ["that no notification named", notified(undefined), "email", undefined, FIRED, true],
    ["that one named", notified(FIRED), "email", FIRED, FIRED, false],
    ["that one named before it fired", notified(FIRED - 1), "email", FIRED - 1, FIRED, true],
    [
      "that one named before the news",
      notified(5_000, { newsAt: 5_001 }),
      "email",
      5_000,
      5_001,
      true,
    ],
    [
      "that one named in the tick of the news",
      notified(5_000, { newsAt: 5_000 }),
      "email",
      5_000,
      5_000,
      false,
    ],
    ["that was named on another one", notified(FIRED), "chat", undefined, FIRED, true],
    ["with a name that every object has", notified(FIRED), "toString", undefined, FIRED, true],
    ["that was named at second zero", notified(0, { newsAt: 0 }), "email", 0, 0, false],
  ];
  test.each(rows)("%s", (_, notices, channel, at, news, unsent) => {
    const given = event(notices);
    expect([notifiedAt(given, channel), newsAt(given), isUnsent(given, channel)]).toEqual([
      at,
      news,
      unsent,
    ]);
  });
});

describe("the channels that have to hear of a clear", () => {
  const NOW = 10_000;
  const ACK: Ack = {
    by: "ana",
    reason: "known",
    at: 1_500,
    until: undefined,
    sticky: true,
    ended: undefined,
  };
  const ON = { enabled: true, notifyClear: false };
  const rows: readonly [string, Notices, typeof ON, readonly string[]][] = [
    ["all, if none heard of the event", notified(undefined), ON, ["email", "chat"]],
    ["those that did not hear of it", notified(FIRED), ON, ["chat"]],
    [
      "those that did not hear the latest news",
      notified(FIRED, { newsAt: 2_000 }),
      ON,
      ["email", "chat"],
    ],
    [
      "an update that a sticky acknowledgement held is over; the first notification is not",
      notified(FIRED, { newsAt: 2_000, ack: ACK }),
      ON,
      ["chat"],
    ],
    [
      "once it has ended, the update was due",
      notified(FIRED, { newsAt: 2_000, ack: { ...ACK, until: NOW - 1 } }),
      ON,
      ["email", "chat"],
    ],
    [
      "it hides no clear where the alarm notifies of them",
      notified(FIRED, { newsAt: 2_000, ack: ACK }),
      { ...ON, notifyClear: true },
      ["email", "chat"],
    ],
    [
      "all, if the alarm notifies of clears",
      notified(FIRED),
      { ...ON, notifyClear: true },
      ["email", "chat"],
    ],
    ["none while mail is off", notified(undefined), { enabled: false, notifyClear: true }, []],
  ];
  test.each(rows)("%s", (_, notices, alarm, channels) => {
    expect(channelsToHearOfClear(event(notices), alarm, ["email", "chat"], NOW)).toEqual(channels);
  });

  test("only those of the alarm", () => {
    expect(channelsToHearOfClear(event(notified(undefined)), ON, ["chat"], NOW)).toEqual(["chat"]);
    expect(channelsToHearOfClear(event(notified(undefined)), ON, [], NOW)).toEqual([]);
  });
});
