import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { chooseModules, discoverModules } from "../../src/alarm/discover.ts";

const NAME = "its name is not a lower-case identifier such as my_alarm";
const KIND = "not a module (.ts, .mjs, .js)";

describe("a file in the folder is an alarm, or is passed over for a reason", () => {
  const rows: readonly [string, string, string][] = [
    ["TypeScript", "my_alarm.ts", "alarm my_alarm"],
    ["JavaScript", "my_alarm.js", "alarm my_alarm"],
    ["a JavaScript module", "my_alarm.mjs", "alarm my_alarm"],
    ["a name with digits", "a2.ts", "alarm a2"],
    ["the longest name", `${"a".repeat(200)}.ts`, `alarm ${"a".repeat(200)}`],
    ["a name that begins with test", "test_alarm.ts", "alarm test_alarm"],
    ["a private file", "_draft.ts", "begins with _"],
    ["a hidden file", ".swp.ts", "begins with ."],
    ["a type declaration", "my_alarm.d.ts", "a type declaration"],
    ["a test", "my_alarm.test.ts", "a test"],
    ["a test in JavaScript", "my_alarm.test.mjs", "a test"],
    ["a text", "README.md", KIND],
    ["CommonJS by its name", "my_alarm.cjs", KIND],
    ["TypeScript by another name", "my_alarm.mts", KIND],
    ["a source map", "my_alarm.js.map", KIND],
    ["an editor's backup", "my_alarm.ts~", KIND],
    ["a capital extension", "my_alarm.TS", KIND],
    ["no extension", "my_alarm", KIND],
    ["a capital", "MyAlarm.ts", NAME],
    ["a hyphen", "my-alarm.ts", NAME],
    ["a digit first", "2a.ts", NAME],
    ["a dot in the name", "my.alarm.ts", NAME],
    ["a blank", "my alarm.ts", NAME],
    ["a letter outside ASCII", "störung.ts", NAME],
    ["a name that is too long", `${"a".repeat(201)}.ts`, NAME],
  ];
  test.each(rows)("%s", (_, file, expected) => {
    const { chosen, skipped } = chooseModules([{ file, isFile: true }]);
    expect([
      ...chosen.map(({ name }) => `alarm ${name}`),
      ...skipped.map(({ reason }) => reason),
    ]).toEqual([expected]);
    expect([...chosen, ...skipped].map((each) => each.file)).toEqual([file]);
  });

  test("what is neither a file nor a folder says so", () => {
    const odd = { file: "pipe.mjs", isFile: false, otherwise: "neither a file nor a folder" };
    expect(chooseModules([odd])).toEqual({
      chosen: [],
      skipped: [{ file: "pipe.mjs", reason: "neither a file nor a folder" }],
    });
  });

  test("a folder is none, whatever its name", () => {
    expect(chooseModules([{ file: "my_alarm.ts", isFile: false }])).toEqual({
      chosen: [],
      skipped: [{ file: "my_alarm.ts", reason: "a folder" }],
    });
  });
});

test("several files for one alarm are one alarm that is not loaded, and all are named", () => {
  const entries = ["a.js", "b.js", "a.mjs", "b.mjs", "a.ts", "c.ts"].map((file) => ({
    file,
    isFile: true,
  }));
  const fault = (others: string) =>
    `has the same alarm name as ${others} in the same folder; remove one of them`;
  const expected = {
    chosen: [
      { name: "a", file: "a.ts", error: fault("a.mjs and a.js") },
      { name: "b", file: "b.mjs", error: fault("b.js") },
      { name: "c", file: "c.ts" },
    ],
    skipped: [],
  };
  expect(chooseModules(entries)).toEqual(expected);
  expect(chooseModules(entries.toReversed())).toEqual(expected);
});

test("a file that is passed over does not stand in the way of one that counts", () => {
  const entries = ["a.ts", "a.js"].map((file) => ({ file, isFile: file === "a.js" }));
  expect(chooseModules(entries).chosen).toEqual([{ name: "a", file: "a.js" }]);
});

describe("a real folder", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "swf-alarms-discover-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("is looked into, not below, and its modules come by name", () => {
    for (const file of ["c.ts", "a.mjs", "b.js", "notes.txt"])
      writeFileSync(join(folder, file), "");
    mkdirSync(join(folder, "lib"));
    writeFileSync(join(folder, "lib", "inner.ts"), "");
    expect(discoverModules(folder)).toEqual({
      modules: [
        { name: "a", path: join(folder, "a.mjs") },
        { name: "b", path: join(folder, "b.js") },
        { name: "c", path: join(folder, "c.ts") },
      ],
      skipped: [
        { file: "lib", reason: "a folder" },
        { file: "notes.txt", reason: KIND },
      ],
    });
  });

  test("a link counts as the file that it leads to", () => {
    mkdirSync(join(folder, "lib"));
    writeFileSync(join(folder, "lib", "shared.ts"), "");
    symlinkSync("lib/shared.ts", join(folder, "linked.ts"));
    expect(discoverModules(folder).modules).toEqual([
      { name: "linked", path: join(folder, "linked.ts") },
    ]);
  });

  test("may be empty", () => {
    expect(discoverModules(folder)).toEqual({ modules: [], skipped: [] });
  });

  test("that is not there is an error", () => {
    expect(() => discoverModules(join(folder, "gone"))).toThrow("ENOENT");
  });
});
