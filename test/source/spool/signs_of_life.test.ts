import { expect, test } from "vitest";
import { signsOfDeath } from "../../../src/source/spool/signs_of_life.ts";

const FACTS = { folder: "/spool", silentAfter: 180, now: 1000 };

function look(
  times: { readonly [identifier: string]: number | readonly number[] },
  faults: readonly string[] = [],
) {
  const lastLines = Object.entries(times).flatMap(([identifier, at]) =>
    [at].flat().map((each) => ({ identifier, pool: "swf", at: each })),
  );
  return { lastLines, faults };
}

test.each([
  ["a listener with a recent line lives", look({ a: 820 }), []],
  ["so does one whose newest file has one", look({ a: [100, 1000, 500] }), []],
  ["so does one whose clock is ahead by minutes", look({ a: 1600 }), []],
  [
    "a clock that is far ahead shows no life",
    look({ a: 4600 }),
    [
      expect.stringMatching(
        /^no line from the listener swf of a \(only one from 3600 s ahead\), with silent_after = 180/,
      ),
    ],
  ],
  ["what it wrote then is of no matter when it is right again", look({ a: [1000, 4600] }), []],
  [
    "what it wrote then does not hide that it is silent",
    look({ a: [819, 4600] }),
    [expect.stringMatching(/^no line from the listener swf of a \(for 181 s\)/)],
  ],
  [
    "a listener that is silent is named, beside one that is not",
    look({ a: 819, b: 1000 }),
    [
      "no line from the listener swf of a (for 181 s), with silent_after = 180; see whether it runs with the right time, or delete its files from /spool if it is gone for good",
    ],
  ],
  [
    "of many silent ones those that were heard last are named",
    look({ a: 1, b: 5, c: 4, "d/e": 3, f: 2 }),
    [
      expect.stringMatching(
        /^no line from the listener swf of b \(for 995 s\), .* of c \(for 996 s\), .* of "d\/e" \(for 997 s\) and 2 more, with/,
      ),
    ],
  ],
  ["what cannot be read is a fault", look({ a: 1000 }, ["cannot read x"]), ["cannot read x"]],
  [
    "a folder without a line is that of no feeder that runs",
    look({}),
    ["/spool has no line of a feeder; start one, such as swf-alarms listen --spool /spool"],
  ],
  [
    "one listener does not show that another of the same service lives",
    {
      lastLines: [
        { identifier: "a", pool: "logs", at: 819 },
        { identifier: "a", pool: "swf", at: 1000 },
      ],
      faults: [],
    },
    [expect.stringMatching(/^no line from the listener logs of a \(for 181 s\), with/)],
  ],
])("%s", (_, folder, expected) => {
  expect(signsOfDeath(folder, FACTS)).toEqual(expected);
});
