import { expect, test } from "vitest";
import { renderTry, type TryAnswer, tryFacts } from "../../src/cli/render_try.ts";
import type { Outcome } from "../../src/core/model.ts";
import { makeOutcome } from "../support/outcomes.ts";

/** 2026-11-27 10:30:15 UTC */
const NOW = Date.UTC(2026, 10, 27, 10, 30, 15) / 1000;

function answer(outcome: Partial<Outcome>, more: Partial<TryAnswer> = {}): TryAnswer {
  return {
    alarm: "x",
    now: NOW,
    isNow: true,
    outcome: makeOutcome(outcome),
    messages: [],
    ...more,
  };
}

const HEAD = "outcome complete: 0 detection(s) in 0.00 s; nothing was written";

test.each<[what: string, answer: TryAnswer, lines: readonly string[]]>([
  ["an outcome without anything", answer({}), [HEAD, "requests     none"]],
  [
    "requests",
    answer({ requests: { count: 12, seconds: 1.234, bytes: 4_321 } }),
    [HEAD, "requests     12 in 1.23 s, 4.2 KiB"],
  ],
  [
    "few bytes and many",
    answer({
      requests: { count: 1, seconds: 0, bytes: 1_023 },
      memory: `"${"x".repeat(2 ** 21)}"`,
    }),
    [
      HEAD,
      "requests     1 in 0.00 s, 1023 bytes",
      `memory       2.0 MiB, not kept now: "${"x".repeat(198)}…`,
    ],
  ],
  [
    "what is remembered",
    answer({ memory: '{"seen":["é"]}' }),
    [HEAD, "requests     none", 'memory       15 bytes, not kept now: {"seen":["é"]}'],
  ],
  [
    "scopes: those that are errors with the reasons, the others with the notes",
    answer({
      status: "partial",
      reasons: ["one failed"],
      notes: ["a note"],
      scopes: new Map([
        ["host:a", { reason: "no answer", isReported: true }],
        ["host:b", { reason: "no answer", isReported: false }],
      ]),
    }),
    [
      "outcome partial: 0 detection(s) in 0.00 s; nothing was written",
      "  one failed",
      '  no answer; events whose keys begin with "host:b" stay as they are; this is an error because the module detected and cleared nothing there',
      "  a note",
      '  no answer; events whose keys begin with "host:a" stay as they are',
      "requests     none",
    ],
  ],
  [
    "the time that a person gave",
    answer({}, { isNow: false }),
    [HEAD, "time         2026-11-27 10:30:15 UTC instead of now", "requests     none"],
  ],
  [
    "messages, and why there are none",
    answer(
      {},
      {
        messages: [
          {
            channel: "email",
            held: [],
            to: ["a@x.org", "b@x.org"],
            message: { subject: "[x] 1", text: "Head.\n\n  [1] a\n--\nfoot\n" },
          },
          {
            channel: "chat",
            held: ["it is off", "nobody gets it"],
            to: [],
            message: { subject: "s", text: "t" },
          },
          { channel: "hook", held: ["there is nothing to say"], to: [], message: undefined },
        ],
      },
    ),
    [
      HEAD,
      "requests     none",
      "",
      "channel email: a tick would send this to a@x.org b@x.org",
      "    Subject: [x] 1",
      "",
      "    Head.",
      "",
      "      [1] a",
      "    --",
      "    foot",
      "",
      "channel chat: a tick would not send this",
      "  it is off",
      "  nobody gets it",
      "    Subject: s",
      "",
      "    t",
      "",
      "channel hook: no message: there is nothing to say",
    ],
  ],
])("the text shows %s", (_, given, lines) => {
  expect(renderTry(given)).toEqual(lines);
});

test("the JSON has the same, the remembered value as a whole", () => {
  const given = answer(
    {
      seconds: 0.12345,
      requests: { count: 2, seconds: 0.98765, bytes: 10 },
      memory: '{"id":9007199254740993}',
      scopes: new Map([["host:a", { reason: "no answer", isReported: false }]]),
    },
    {
      messages: [
        {
          channel: "email",
          held: [],
          to: ["a@x.org"],
          message: { subject: "s", text: "t" },
        },
        { channel: "hook", held: ["so far", "nothing"], to: [], message: undefined },
      ],
    },
  );
  expect(tryFacts(given)).toEqual({
    alarm: "x",
    now: "2026-11-27T10:30:15Z",
    outcome: "complete",
    cause: undefined,
    reasons: [],
    notes: [],
    scopes: [{ prefix: "host:a", reason: "no answer", reported: false }],
    seconds: 0.123,
    requests: { count: 2, seconds: 0.988, bytes: 10 },
    memory: { bytes: 23, value: { id: "9007199254740993" } },
    detections: [],
    clears: [],
    messages: [
      {
        channel: "email",
        notifies: true,
        reason: undefined,
        to: ["a@x.org"],
        subject: "s",
        text: "t",
      },
      {
        channel: "hook",
        notifies: false,
        reason: "so far; nothing",
        to: [],
        subject: undefined,
        text: undefined,
      },
    ],
  });
  expect(tryFacts(answer({})).memory).toBeUndefined();
});
