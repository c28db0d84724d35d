import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { cleanEnvironment } from "../deploy/checkout_copy.ts";
import { runEngine } from "../support/process.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const run = promisify(execFile);
const MAIN = '[engine]\nbase_url = "https://host.example/prod"\n';
const SOURCE = '[sources.gracedb]\nbase_url = "https://host.example/api"\n';

/** A site's folder outside the checkout, which nothing but its configuration is in. */
function makeFolder(config = MAIN): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "swf-alarms-new-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "config.toml"), config);
  return folder;
}

const alarmNew = (cwd: string, ...args: string[]) => runEngine(["alarm", "new", ...args], { cwd });

/** Runs the tests of a file in the site's folder; rejects with their output if they fail. */
async function runTests(folder: string, file: string): Promise<string> {
  const options = { cwd: folder, env: cleanEnvironment() };
  return (await run(process.execPath, ["--test", file], options)).stdout;
}

describe.each([
  ["the main service", MAIN, "tasks with this status"],
  ["a source", SOURCE, 'SOURCES = ["gracedb"]'],
  ["both: the main one", MAIN + SOURCE, "tasks with this status"],
  ["none yet: the main one", "", "tasks with this status"],
])("in a site with %s", (_, config, part) => {
  test("the module loads, its test passes, and both have their types", async () => {
    const folder = makeFolder(config);
    const { code, stdout, stderr } = await alarmNew(folder, "my_alarm");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const file of ["my_alarm.ts", "my_alarm.test.mjs"]) {
      expect(stdout).toContain(`Wrote ${join(folder, "alarms", file)}\n`);
      expect(readFileSync(join(folder, "alarms", file), "utf8")).not.toContain("__");
    }
    expect(readFileSync(join(folder, "alarms", "my_alarm.ts"), "utf8")).toContain(part);
    expect(await runTests(folder, "alarms/my_alarm.test.mjs")).toMatch(/^[#ℹ] pass 2$/m);

    const { stdout: list } = await runEngine(["alarm", "list", "--json"], { cwd: folder });
    const { alarms } = JSON.parse(list);
    const mine = alarms.find(({ alarm }: { alarm: string }) => alarm === "my_alarm");
    const needsMain = config === "";
    expect(mine).toMatchObject({ state: needsMain ? "not configured" : "ready" });

    const settings = { target: "ES2023", module: "Preserve", strict: true, noEmit: true };
    const compilerOptions = { ...settings, allowImportingTsExtensions: true };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions }));
    const tsc = join(ROOT, "node_modules", "typescript-dev", "bin", "tsc");
    expect(await run(process.execPath, [tsc, "-p", folder]).catch(String)).toEqual({
      stdout: "",
      stderr: "",
    });
  });
});

test("the link is made once, says where it leads, and is left alone", async () => {
  const folder = makeFolder();
  const path = join(folder, "node_modules", "swf-alarms");
  const { stdout } = await alarmNew(folder, "one");
  expect(stdout).toContain(
    `Linked ${path} to ${ROOT}, so that tests and editors find swf-alarms\n`,
  );
  expect(readlinkSync(path)).toBe(ROOT);
  expect((await alarmNew(folder, "two")).stdout).not.toContain("Linked");
});

test("a link that leads nowhere is named, with what to do; the files are written all the same", async () => {
  const folder = makeFolder();
  const path = join(folder, "node_modules", "swf-alarms");
  mkdirSync(join(folder, "node_modules"));
  symlinkSync("/no/such/engine", path);
  const { code, stdout } = await alarmNew(folder, "one");
  expect(code).toBe(0);
  expect(stdout).toContain(
    `Tests in ${join(folder, "alarms")} do not find "swf-alarms/testing" yet: ${path} leads nowhere`,
  );
  expect(stdout).toContain(`remove it and run: ln -s ${ROOT} ${path}\n`);
  rmSync(path);
  await run("ln", ["-s", ROOT, path]);
  expect(await runTests(folder, "alarms/one.test.mjs")).toMatch(/^[#ℹ] pass 2$/m);
});

test("the last folder of alarms_dir gets the files; --json names them", async () => {
  const folder = makeFolder(`${MAIN}alarms_dir = ["shared", "own"]\n`);
  mkdirSync(join(folder, "shared"));
  mkdirSync(join(folder, "own"));
  const { stdout } = await alarmNew(folder, "one", "--json");
  expect(JSON.parse(stdout)).toEqual({
    version: 1,
    alarm: "one",
    module: join(folder, "own", "one.ts"),
    test: join(folder, "own", "one.test.mjs"),
    link: join(folder, "node_modules", "swf-alarms"),
    target: ROOT,
  });
  expect(readdirSync(join(folder, "shared"))).toEqual([]);
});

test("the files can be written by nobody else, whatever the umask is", async () => {
  const folder = makeFolder();
  const via = ["/bin/sh", "-c", 'umask 0; exec "$@"', "sh"];
  await runEngine(["alarm", "new", "one"], { cwd: folder, via });
  for (const path of ["alarms", "alarms/one.ts", "alarms/one.test.mjs"])
    expect(statSync(join(folder, path)).mode & 0o022).toBe(0);
});

describe("refused, with nothing written, is", () => {
  test.each([
    [
      "a capital",
      "MyAlarm",
      'an alarm cannot be named "MyAlarm"; use a lower-case identifier, such as my_alarm',
    ],
    [
      "a hyphen",
      "disk-full",
      'an alarm cannot be named "disk-full"; use a lower-case identifier, such as disk_full',
    ],
    ["a path", "../x", 'an alarm cannot be named "../x"; use a lower-case identifier, such as x'],
    [
      "a file",
      "x.ts",
      'an alarm cannot be named "x.ts"; use a lower-case identifier, such as x_ts',
    ],
    [
      "the prefix of rows",
      "alarm_x",
      'an alarm cannot be named "alarm_x"; use a lower-case identifier, such as x',
    ],
    [
      "the built-in alarm",
      "engine",
      'an alarm cannot be named "engine"; use a lower-case identifier, such as my_alarm',
    ],
    [
      "an alarm of the site",
      "mine",
      /^there is an alarm "mine" already, in .*alarms\/mine\.js; use another name, such as mine_3$/,
    ],
    [
      "a shipped alarm",
      "panda_failure_rate_owner",
      /^there is an alarm "panda_failure_rate_owner" already, in .*; use another name, such as panda_failure_rate_owner_2$/,
    ],
    [
      "a test that is there",
      "tested",
      /^.*\/alarms\/tested\.test\.mjs exists already; use another name, or remove the file$/,
    ],
  ])("%s", async (_, name, message) => {
    const folder = makeFolder();
    mkdirSync(join(folder, "alarms"));
    for (const file of ["mine.js", "mine_2.ts", "tested.test.mjs"])
      writeFileSync(join(folder, "alarms", file), "");
    const before = readdirSync(join(folder, "alarms"));
    const { code, stdout, stderr } = await alarmNew(folder, name);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    const text = stderr.replace(/^swf-alarms: /, "").trimEnd();
    if (typeof message === "string") expect(text).toBe(message);
    else expect(text).toMatch(message);
    expect(readdirSync(join(folder, "alarms"))).toEqual(before);
    expect(existsSync(join(folder, "node_modules"))).toBe(false);
  });

  test("a folder that cannot be made", async () => {
    const folder = makeFolder(`${MAIN}alarms_dir = "own"\n`);
    writeFileSync(join(folder, "own"), "");
    const { code, stderr } = await alarmNew(folder, "one");
    expect(code).toBe(2);
    expect(stderr).toMatch(/^swf-alarms: cannot read the alarms folder .*own: /);
  });
});

const VITEST_TEST = `import { expect, test } from "vitest";
import { testAlarm } from "swf-alarms/testing";

test("a task with the status is detected", async () => {
  const outcome = await testAlarm(new URL("./one.ts", import.meta.url), {
    responses: {
      "/api/panda/tasks/": (request) => ({
        items: [{ jeditaskid: 1, status: request.query.status, taskname: "a", username: "ana" }],
        has_more: false,
        next_before_id: null,
      }),
    },
  });
  expect(outcome.detections.map(({ subject }) => subject)).toEqual(["task 1 is exhausted: a"]);
});
`;

test("a test for vitest, in TypeScript, passes in the site's folder, and the process ends by itself", async () => {
  const folder = makeFolder();
  await alarmNew(folder, "one");
  writeFileSync(join(folder, "alarms", "one.test.ts"), VITEST_TEST);
  const packages = join(ROOT, "node_modules");
  symlinkSync(join(packages, "vitest"), join(folder, "node_modules", "vitest"));
  const vitest = join(packages, "vitest", "vitest.mjs");
  const options = { cwd: folder, env: cleanEnvironment() };
  const { stdout } = await run(process.execPath, [vitest, "run", "alarms/one.test.ts"], options);
  expect(stdout).toContain("1 passed");
});

describe("a test that fails says why", () => {
  test.each([
    [
      "a path that is not there",
      { responses: { "/api/panda/task/": {} } },
      "detect sent GET /api/panda/tasks/?days=7&limit=200&status=exhausted to main, which is not in responses (did you mean",
    ],
    ["a wrong parameter", { params: { dasy: 3 } }, "unknown parameter dasy (did you mean days?)"],
  ])("%s", async (_, given, message) => {
    const folder = makeFolder();
    await alarmNew(folder, "one");
    const text = `import { testAlarm } from "swf-alarms/testing";
await testAlarm(new URL("./one.ts", import.meta.url), ${JSON.stringify(given)});`;
    writeFileSync(join(folder, "alarms", "two.test.mjs"), text);
    const failed: unknown = await run(process.execPath, ["alarms/two.test.mjs"], {
      cwd: folder,
    }).catch((error: unknown) => error);
    const stderr = String(Reflect.get(Object(failed), "stderr"));
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/at async .*two\.test\.mjs:2:1/);
  });
});
