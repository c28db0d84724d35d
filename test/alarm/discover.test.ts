import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { discoverModules, mayBeModule } from "../../src/alarm/discover.ts";

const NOT_MODULE =
  "is not an alarm module; the name of one is a lower-case identifier with .ts, .mjs or .js";
const SKIPPED = `${NOT_MODULE}, such as my_alarm.ts`;
const NOT_FILE = "is not a regular file";
const renamed = (name: string) => `${NOT_MODULE}; rename it to ${name}`;

const TEST = "is a test, and not an alarm module";

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
    ["a private file", "_draft.ts", renamed("draft.ts")],
    ["a hidden file", ".swp.ts", renamed("swp.ts")],
    ["a declaration", "my_alarm.d.ts", renamed("my_alarm_d.ts")],
    ["a test", "my_alarm.test.ts", TEST],
    ["a test in JavaScript", "my_alarm.test.mjs", TEST],
    ["a text", "README.md", SKIPPED],
    ["CommonJS by its name", "my_alarm.cjs", renamed("my_alarm.js")],
    ["TypeScript by another name", "my_alarm.mts", renamed("my_alarm.ts")],
    ["a source map", "my_alarm.js.map", SKIPPED],
    ["an editor's backup", "my_alarm.ts~", SKIPPED],
    ["a capital extension", "my_alarm.TS", renamed("my_alarm.ts")],
    ["no extension", "my_alarm", SKIPPED],
    ["a capital", "MyAlarm.ts", renamed("my_alarm.ts")],
    ["a hyphen", "my-alarm.ts", renamed("my_alarm.ts")],
    ["a digit first", "2a.ts", renamed("a.ts")],
    ["a dot in the name", "my.alarm.ts", renamed("my_alarm.ts")],
    ["a blank", "my alarm.ts", renamed("my_alarm.ts")],
    ["a letter outside ASCII", "störung.ts", renamed("st_rung.ts")],
    ["a Python module", "my_alarm.py", SKIPPED],
    ["React", "MyAlarm.tsx", renamed("my_alarm.ts")],
    ["a name without a letter that counts", "警報.ts", renamed("my_alarm.ts")],
    ["a blank at the end", "my-alarm.js ", renamed("my_alarm.js")],
    ["a name that is too long", `${"a".repeat(201)}.ts`, renamed(`${"a".repeat(200)}.ts`)],
  ];
  test.each(rows)("%s", (_, file, expected) => {
    writeFileSync(join(folder, file), "");
    const { modules, skipped } = discoverModules(folder);
    expect([
      ...modules.map(({ name }) => `alarm ${name}`),
      ...skipped.map(({ error }) => error),
    ]).toEqual([expected]);
  });

  test("a folder and a pipe are skipped, whatever their names", () => {
    mkdirSync(join(folder, "a.ts"));
    execFileSync("mkfifo", [join(folder, "b.ts")]);
    expect(discoverModules(folder)).toEqual({
      modules: [],
      skipped: [
        { name: "a.ts", path: join(folder, "a.ts"), error: NOT_FILE },
        { name: "b.ts", path: join(folder, "b.ts"), error: NOT_FILE },
      ],
    });
  });
});

test("a file is not to be renamed to one that exists", () => {
  for (const file of ["my-alarm.ts", "my_alarm.ts"]) writeFileSync(join(folder, file), "");
  expect(discoverModules(folder).skipped.map(({ error }) => error)).toEqual([SKIPPED]);
});

describe("a skipped file may be meant as an alarm", () => {
  const meant =
    "my-alarm.ts MyAlarm.ts x.mts x.cts x.cjs x.tsx x.jsx X.TS x.py 2a.ts my.alarm.js störung.mjs my_alarm.test_old.ts";
  test.each(meant.split(" "))("%s", (file) => expect(mayBeModule(file)).toBe(true));

  const others =
    "README.md package.json tsconfig.json x.d.ts x.d.mts x.test.ts x.spec.js vitest.config.ts _shared.ts .hidden.ts .#x.ts #x.ts# x.ts~ x.ts.bak x.ts.swp x.js.map lib x.ts.orig notes.txt";
  test.each(others.split(" "))("not %s", (file) => expect(mayBeModule(file)).toBe(false));
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
        { name: "lib", path: join(folder, "lib"), error: NOT_FILE },
        { name: "notes.txt", path: join(folder, "notes.txt"), error: SKIPPED },
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
    expect(skipped.map(({ name, error }) => [name, error])).toEqual([
      ["a.ts", "is a link whose target does not exist"],
      ["b.ts", "is a link whose target does not exist"],
    ]);
  });

  test("may be empty", () => {
    expect(discoverModules(folder)).toEqual({ modules: [], skipped: [] });
  });

  test("that is not there is an error", () => {
    expect(() => discoverModules(join(folder, "gone"))).toThrow("ENOENT");
  });
});
