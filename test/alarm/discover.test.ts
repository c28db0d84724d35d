import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { discoverModules } from "../../src/alarm/discover.ts";

const SKIPPED =
  "not an alarm module; the name of one is a lower-case identifier with .ts, .mjs or .js, such as my_alarm.ts";

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
    ["a private file", "_draft.ts", SKIPPED],
    ["a hidden file", ".swp.ts", SKIPPED],
    [SKIPPED, "my_alarm.d.ts", SKIPPED],
    ["a test", "my_alarm.test.ts", SKIPPED],
    ["a test in JavaScript", "my_alarm.test.mjs", SKIPPED],
    ["a text", "README.md", SKIPPED],
    ["CommonJS by its name", "my_alarm.cjs", SKIPPED],
    ["TypeScript by another name", "my_alarm.mts", SKIPPED],
    ["a source map", "my_alarm.js.map", SKIPPED],
    ["an editor's backup", "my_alarm.ts~", SKIPPED],
    ["a capital extension", "my_alarm.TS", SKIPPED],
    ["no extension", "my_alarm", SKIPPED],
    ["a capital", "MyAlarm.ts", SKIPPED],
    ["a hyphen", "my-alarm.ts", SKIPPED],
    ["a digit first", "2a.ts", SKIPPED],
    ["a dot in the name", "my.alarm.ts", SKIPPED],
    ["a blank", "my alarm.ts", SKIPPED],
    ["a letter outside ASCII", "störung.ts", SKIPPED],
    ["a name that is too long", `${"a".repeat(201)}.ts`, SKIPPED],
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
        { file: "a.ts", reason: "not a file" },
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
        { file: "lib", reason: "not a file" },
        { file: "notes.txt", reason: SKIPPED },
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
    const reason = "not a file";
    expect(skipped).toEqual(["a.ts", "b.ts"].map((file) => ({ file, reason })));
  });

  test("may be empty", () => {
    expect(discoverModules(folder)).toEqual({ modules: [], skipped: [] });
  });

  test("that is not there is an error", () => {
    expect(() => discoverModules(join(folder, "gone"))).toThrow("ENOENT");
  });
});
