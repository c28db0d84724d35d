import { describe, expect, test } from "vitest";
import { readableByAll, replaceableByOthers, writableByOthers } from "../../src/core/rights.ts";

describe("other users can write", () => {
  test.each([
    ["a file of mode 600", 0o600, 1000, 1000, false],
    ["a file of mode 644", 0o644, 1000, 1000, false],
    ["a file for everybody", 0o666, 1000, 1000, true],
    ["a file that only others can write", 0o602, 1000, 1000, true],
    ["a file for the owner's private group, as under umask 002", 0o664, 1000, 1000, false],
    ["a file for a shared group", 0o664, 1000, 100, true],
    ["a file for a shared group that only reads", 0o640, 0, 33, false],
    ["root's file for root's group", 0o664, 0, 0, false],
    ["root's file for a shared group", 0o660, 0, 33, true],
    ["a folder with the bits of its kind", 0o40775, 1000, 1000, false],
    ["a folder for everybody with the bits of its kind", 0o40777, 1000, 1000, true],
    ["a sticky folder: others can still add files", 0o41777, 0, 0, true],
  ])("%s", (_, mode, uid, gid, expected) => {
    expect(writableByOthers({ mode, uid, gid })).toBe(expected);
  });
});

test.each([
  ["a folder for everybody", 0o777, true],
  ["a sticky folder for everybody, such as /tmp", 0o1777, false],
  ["a folder of the owner", 0o755, false],
])("others can replace what lies in %s", (_, mode, expected) => {
  expect(replaceableByOthers({ mode, uid: 1000, gid: 1000 })).toBe(expected);
});

test.each([
  [0o644, true],
  [0o640, false],
  [0o600, false],
])("everybody can read mode %i", (mode, expected) => {
  expect(readableByAll({ mode, uid: 0, gid: 33 })).toBe(expected);
});
