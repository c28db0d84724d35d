import { describe, expect, test } from "vitest";
import type { ModuleFile } from "../../src/alarm/discover.ts";
import { describeReplacement, mergeFolders } from "../../src/alarm/merge_folders.ts";

/** A path says its content behind a `#`. */
const content = (path: string): string => path.split("#")[1] ?? "";
const isSame = (path: string, other: string): boolean => content(path) === content(other);
const at = (...paths: readonly string[]): ModuleFile[] =>
  paths.map((path) => ({ name: /(\w+)#/.exec(path)?.[1] ?? "", path }));

describe("one file is used for each name", () => {
  const rows: readonly [string, readonly ModuleFile[][], readonly string[]][] = [
    ["no folder", [], []],
    ["empty folders", [[], []], []],
    ["one folder: its files", [at("/1/a#x", "/1/b#y")], ["/1/a#x", "/1/b#y"]],
    [
      "different names: the files of both folders, by name",
      [at("/1/b#x", "/1/d#x"), at("/2/a#x", "/2/c#x")],
      ["/2/a#x", "/1/b#x", "/2/c#x", "/1/d#x"],
    ],
    [
      "one name with different content: the later folder's, and which one it replaces",
      [at("/1/a#x", "/1/b#x"), at("/2/a#y")],
      ["/2/a#y replaces /1/a#x", "/1/b#x"],
    ],
    [
      "one name with equal content: the later folder's, and nothing to mention",
      [at("/1/a#x"), at("/2/a#x")],
      ["/2/a#x"],
    ],
    [
      "three folders: the last one's, and which others differ from it",
      [at("/1/a#x"), at("/2/a#y"), at("/3/a#z")],
      ["/3/a#z replaces /2/a#y /1/a#x"],
    ],
    [
      "three folders, of which one has the same content",
      [at("/1/a#x"), at("/2/a#y"), at("/3/a#x")],
      ["/3/a#x replaces /2/a#y"],
    ],
  ];
  test.each(rows)("%s", (_, folders, expected) => {
    const merged = mergeFolders(folders, isSame).map(({ path, replaces = [] }) =>
      replaces.length === 0 ? path : `${path} replaces ${replaces.join(" ")}`,
    );
    expect(merged).toEqual(expected);
  });

  test("a file that must not be loaded hides the earlier one all the same", () => {
    const faulty = { name: "a", path: "/2/a#y", fault: "can be written by others" };
    expect(mergeFolders([at("/1/a#x"), [faulty]], isSame)).toEqual([
      { ...faulty, replaces: ["/1/a#x"] },
    ]);
  });

  const clashes: readonly [string, readonly string[][], readonly string[]][] = [
    ["in one folder", [["/1/alarm_x#1", "/1/x#2"]], ["/1/alarm_x#1"]],
    ["in two folders", [["/1/alarm_x#1"], ["/2/x#1"]], ["/1/alarm_x#1"]],
    ["the other way round", [["/1/x#1"], ["/2/alarm_x#1"]], ["/2/alarm_x#1"]],
    [
      "three",
      [["/1/alarm_alarm_x#1", "/1/alarm_x#1", "/1/x#1"]],
      ["/1/alarm_alarm_x#1", "/1/alarm_x#1"],
    ],
    ["not alone", [["/1/alarm_x#1", "/1/alarm_y#1", "/1/xalarm_#1"]], []],
  ];
  test.each(clashes)("alarm_x beside x does not run: %s", (_, folders, expected) => {
    const merged = mergeFolders(
      folders.map((paths) => at(...paths)),
      isSame,
    );
    expect(merged.flatMap(({ path, error }) => (error === undefined ? [] : path))).toEqual(
      expected,
    );
    for (const { error } of merged)
      if (error !== undefined)
        expect(error).toMatch(
          /^has the name that the row of \/\d\/\w+#\d has; rename one of the files$/,
        );
  });

  test("a fault in the earlier folder does not reach the file that replaces it", () => {
    const faulty = { name: "a", path: "/1/a#x", fault: "can be written by others" };
    expect(mergeFolders([[faulty], at("/2/a#x")], isSame)).toEqual(at("/2/a#x"));
  });
});

test("a replacement names the file that is used and those that are not", () => {
  const file = { name: "a", path: "/2/a.ts" };
  expect(describeReplacement(file)).toEqual([]);
  expect(describeReplacement({ ...file, replaces: ["/1/a.ts"] })).toEqual([
    "a uses /2/a.ts, which replaces /1/a.ts",
  ]);
});
