import { expect, test } from "vitest";
import { expiredFiles } from "../../src/spool/expired_files.ts";

const NOW = 1_795_000_000;
const DAY = 86_400;
const MIB = 2 ** 20;

/** Names, ages in days and sizes in MiB. */
const files = (...facts: readonly (readonly [name: string, age: number, size: number])[]) =>
  facts.map(([name, age, size]) => ({ name, bytes: size * MIB, changed: NOW - age * DAY }));

test.each([
  ["nothing of an empty folder", files(), []],
  ["nothing that is new and small", files(["a", 6, 4], ["b", 0, 4]), []],
  ["what was not written for a week", files(["a", 7.1, 1], ["b", 6.9, 1]), ["a"]],
  ["the oldest of too much", files(["a", 3, 4], ["b", 1, 60], ["c", 2, 4]), ["a"]],
  ["all that is older than what fits", files(["a", 1, 64], ["b", 2, 1], ["c", 3, 1]), ["b", "c"]],
  ["nothing that just fits", files(["a", 1, 60], ["b", 2, 4]), []],
])("%s expires", (_, all, expected) => {
  expect(expiredFiles(all, NOW)).toEqual(expected);
});
