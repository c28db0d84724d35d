import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { discoverModules } from "../../src/alarm/discover.ts";

const NAME = "its name is not a lower-case identifier such as my_alarm";
const KIND = "not a module (.ts, .mjs, .js)";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "swf-alarms-discover-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a file in the folder is an alarm, or is skipped for a reason", () => {
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
    writeFileSync(join(folder, file), "");
    const { modules, skipped } = discoverModules(folder);
    expect([
      ...modules.map(({ name }) => `alarm ${name}`),
      ...skipped.map(({ reason }) => reason),
    ]).toEqual([expected]);
  });

  test("a folder and a pipe are skipped, whatever their names", () => {
    mkdirSync(join(folder, "a.ts"));
    execFileSync("mkfifo", [join(folder, "b.ts")]);
    expect(discoverModules(folder)).toEqual({
      modules: [],
      skipped: [
        { file: "a.ts", reason: "a folder" },
        { file: "b.ts", reason: "not a file" },
      ],
    });
  });
});

test("several files for one alarm are one alarm that is not loaded, and all are named", () => {
  for (const file of ["a.js", "b.js", "a.mjs", "b.mjs", "a.ts", "c.ts"])
    writeFileSync(join(folder, file), "");
  const error = (others: string) =>
    `has the same alarm name as ${others} in the same folder; remove one of them`;
  expect(discoverModules(folder)).toEqual({
    modules: [
      { name: "a", path: join(folder, "a.js"), error: error("a.mjs and a.ts") },
      { name: "b", path: join(folder, "b.js"), error: error("b.mjs") },
      { name: "c", path: join(folder, "c.ts") },
    ],
    skipped: [],
  });
});

test("a skipped file does not hide one that counts", () => {
  mkdirSync(join(folder, "a.ts"));
  writeFileSync(join(folder, "a.js"), "");
  expect(discoverModules(folder).modules).toEqual([{ name: "a", path: join(folder, "a.js") }]);
});

describe("a real folder", () => {
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

  test("a link to nowhere or to itself is skipped", () => {
    symlinkSync("gone.ts", join(folder, "a.ts"));
    symlinkSync("b.ts", join(folder, "b.ts"));
    const { modules, skipped } = discoverModules(folder);
    expect(modules).toEqual([]);
    const reason = "a link that cannot be followed";
    expect(skipped).toEqual(["a.ts", "b.ts"].map((file) => ({ file, reason })));
  });

  test("may be empty", () => {
    expect(discoverModules(folder)).toEqual({ modules: [], skipped: [] });
  });

  test("that is not there is an error", () => {
    expect(() => discoverModules(join(folder, "gone"))).toThrow("ENOENT");
  });
});
