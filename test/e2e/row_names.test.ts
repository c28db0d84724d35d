import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { insertAlarm } from "../support/rows.ts";
import { filesIn, makeSite, THINGS } from "../support/site.ts";

/** Names that would lead somewhere, if a name from a row were a path or a key. */
const NAMES = [
  "../../etc/x",
  "../outside",
  "/etc/passwd",
  "sub/inner",
  "sub\\inner",
  "..\\x",
  "./things",
  "things.js",
  "things.js\u0000.png",
  "x\u0001",
  ".",
  "..",
  "",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "file:///etc/passwd",
  "data:text/javascript,export const detect = () => []",
  "node:fs",
  "things\n",
  "things?x",
  "%2e%2e%2foutside",
  "a".repeat(5_000),
  5,
  null,
  {},
  [],
];

test("no name in a row leads to a file outside the modules of the folder", async () => {
  const site = await makeSite();
  const reached = join(site.folder, "reached");
  const spring = `import { writeFileSync } from "node:fs";\nwriteFileSync(${JSON.stringify(reached)}, "");\nexport const SOURCES = [];\nexport const detect = () => [{ dedupeKey: "a", subject: "a" }];`;
  mkdirSync(join(site.alarmsDir, "sub"));
  for (const path of ["outside.js", "alarms/sub/inner.js", "alarms/constructor_.d.ts"])
    writeFileSync(join(site.folder, path), spring);
  site.module("things.js", THINGS);
  await site.withDatabase(async (db) => {
    for (const [index, name] of NAMES.entries()) {
      // Postgres itself keeps no NUL.
      const module = typeof name === "string" ? name.replaceAll("\0", "\uFFFD") : name;
      if (module !== null) await insertAlarm(db, `by_module_${index}`, { module });
      if (typeof module === "string" && !/^\s*$/.test(module))
        await insertAlarm(db, `own_${index}`, { entry_id: `alarm_${module}` });
    }
  });
  const result = await site.tick();
  expect(result.code).toBe(1);
  expect(existsSync(reached)).toBe(false);
  expect(await site.entries("event")).toEqual([]);
  // One line for each row, and none of them longer than a person reads.
  const lines = result.stderr.trimEnd().split("\n");
  expect(lines.length).toBeGreaterThan(40);
  for (const line of lines) {
    expect(line).toMatch(/^swf-alarms: |^ {4}/);
    expect(line.length).toBeLessThan(6_000);
  }
  expect(result.stderr).toContain(
    'the row names the module "../../etc/x", which is not a module name; set data.module to the name of a file in the alarms folder, without its extension',
  );
  expect(result.stderr).not.toMatch(/\n\s+at /);
}, 120_000);

test("an alarm's name from a row leads no mail out of the outbox", async () => {
  const site = await makeSite({ mail: "file" });
  site.module("things.js", THINGS);
  site.things = [{ key: "a", subject: "A is wrong" }];
  for (const name of [
    "../../escaped",
    "/tmp/escaped",
    "..\\escaped",
    "__proto__",
    "x\u0001y",
    "..",
  ])
    await insertAlarm(site, name, { module: "things" });
  expect(await site.tick()).toMatchObject({ code: 0, stderr: "" });
  const mails = filesIn(join(site.folder, "outbox"));
  expect(mails).toHaveLength(6);
  for (const name of mails) expect(name).toMatch(/^[\w-]+\.eml$/);
  expect(filesIn(site.folder)).toEqual(["alarms", "config.toml", "log", "outbox"]);
});

test("an alarm named like a part of every object is on the record like any other", async () => {
  const site = await makeSite();
  site.module("things.js", THINGS);
  site.things = [{ key: "__proto__", subject: "A is wrong", data: { constructor: "x" } }];
  for (const name of ["__proto__", "constructor"])
    await insertAlarm(site, name, { entry_id: name, module: "things" });
  expect(await site.tick()).toMatchObject({ code: 0, stderr: "" });
  const [run] = await site.entries("engine_run");
  const perAlarm = Object.entries(Object(run?.data.per_alarm));
  expect(perAlarm.map(([name]) => name)).toEqual(
    expect.arrayContaining(["__proto__", "constructor"]),
  );
  expect(site.mail.mails).toHaveLength(2);
  // The module has an alarm of its own beside the two.
  expect(await site.entries("event")).toHaveLength(3);
});

test("a team of any name is a name, nothing else", async () => {
  const site = await makeSite();
  site.module("things.js", THINGS);
  site.things = [{ key: "a", subject: "A is wrong" }];
  await insertAlarm(site, "things", {
    recipients: ["@__proto__", "@constructor", "@../../x", "ops@example.org"],
  });
  const { code, stderr } = await site.tick();
  expect(code).toBe(1);
  for (const name of ["@__proto__", "@constructor", "@../../x"])
    expect(stderr).toContain(`team ${name} does not exist`);
  // That of the alarm, and that of the engine about its recipients.
  expect(site.mail.mails.map(({ to, subject }) => [to, subject.split(" ")[0]])).toEqual([
    [["ops@example.org"], "[alarm_things]"],
    [["ops@example.org"], "[alarm_engine]"],
  ]);
});
