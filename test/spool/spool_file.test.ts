import { expect, test } from "vitest";
import { isSpoolFile, spoolFileName } from "../../src/spool/spool_file.ts";

const START = Date.UTC(2025, 10, 27, 16, 0, 0, 500) / 1000;

test.each([
  ["plain names", "supervisor", "swf", "supervisor.swf.20251127T160000Z.47.jsonl"],
  ["a path", "../../etc/x", "a b", "______etc_x.a_b.20251127T160000Z.47.jsonl"],
  ["a name that would be hidden", ".x", "é", "_x._.20251127T160000Z.47.jsonl"],
])("the name of a file is safe: %s", (_, identifier, pool, expected) => {
  const name = spoolFileName({ identifier, pool, start: START, pid: 47 });
  expect(name).toBe(expected);
  expect(isSpoolFile(name)).toBe(true);
});

test("a long name fits the file system", () => {
  const long = "x".repeat(500);
  expect(spoolFileName({ identifier: long, pool: long, start: START, pid: 1 }).length).toBeLessThan(
    255,
  );
});

test.each([".swf.jsonl", "README", "a.jsonl.tmp", "a.jsonl~"])(
  "%s is no file of a feeder",
  (name) => {
    expect(isSpoolFile(name)).toBe(false);
  },
);
