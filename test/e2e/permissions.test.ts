import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busySite } from "../support/busy_site.ts";
import { QUIET } from "../support/quiet.ts";
import { filesIn, makeSite } from "../support/site.ts";

const COMMANDS = [
  ["run"],
  ["run", "--plan"],
  ["run", "list"],
  ["migrate"],
  ["event", "list"],
  ["alarm", "list"],
  ["team", "list"],
];

test("a configuration that others can write is refused by every command, in one line with the command to run", async () => {
  const site = await busySite({});
  chmodSync(site.config, 0o666);
  for (const args of COMMANDS) {
    const result = await site.command(args);
    expect(result, args.join(" ")).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(/^swf-alarms: refused the configuration [^\n]*\n$/);
    expect(result.stderr).toContain(`chmod go-w ${site.config}`);
  }
  expect(await site.entries("engine_run")).toEqual([]);
  expect(site.mail.mails).toEqual([]);

  expect(await site.tick("--allow-writable")).toEqual(QUIET);
  expect(site.log()).toMatch(/ info accepted because of --allow-writable: other users can write /);
  chmodSync(site.config, 0o644);
  expect(await site.tick()).toEqual(QUIET);
});

test("modules that others can write are refused by what would load them", async () => {
  const site = await busySite({});
  chmodSync(site.alarmsDir, 0o777);
  for (const args of [["run"], ["run", "--plan"], ["alarm", "list"], ["alarm", "try", "things"]]) {
    const result = await site.command(args);
    expect(result, args.join(" ")).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(/^swf-alarms: refused the alarms folder [^\n]*\n$/);
    expect(result.stderr).toContain(`chmod go-w ${site.alarmsDir}`);
  }
  expect(await site.entries("engine_run")).toEqual([]);
  for (const args of [
    ["event", "list"],
    ["run", "list"],
  ])
    expect(await site.command(args), args.join(" ")).toMatchObject({ code: 0, stderr: "" });
  const { code } = await site.command(["alarm", "list", "--allow-writable"]);
  expect(code).toBe(0);
  expect(await site.tick("--allow-writable")).toEqual(QUIET);
  expect(site.log()).toContain(
    `accepted because of --allow-writable: other users can write ${site.alarmsDir} `,
  );
});

test("one module that others can write costs only its own alarm", async () => {
  const site = await busySite({});
  site.module("open.js", "export const SOURCES = [];\nexport const detect = () => [];");
  const path = join(site.alarmsDir, "open.js");
  chmodSync(path, 0o666);
  const result = await site.tick();
  expect(result).toMatchObject({ code: 1, stdout: "" });
  expect(result.stderr).toMatch(
    /^swf-alarms: open: cannot load [^\n]*: other users can write [^\n]*open\.js \(mode 666\)[^\n]*\n$/,
  );
  expect(result.stderr).toContain(`chmod go-w ${path}`);
  expect(site.mail.mails).toHaveLength(1);
  expect(await site.tick("--allow-writable")).toEqual(QUIET);
});

test.each([
  {
    style: "import",
    use: 'import { all } from "./lib/shared.js";\nexport const detect = () => all;',
    shared: "export const all = [];",
  },
  {
    style: "require",
    use: 'exports.detect = () => require("./lib/shared.js").all;\nrequire("./lib/shared.js");',
    shared: "exports.all = [];",
  },
])("what a module loads by $style is checked, and its folder", async ({ use, shared }) => {
  const site = await busySite({});
  site.module(
    "uses.js",
    use.startsWith("import")
      ? `export const SOURCES = [];\n${use}`
      : `exports.SOURCES = [];\n${use}`,
  );
  const lib = join(site.alarmsDir, "lib");
  const path = join(lib, "shared.js");
  mkdirSync(lib);
  writeFileSync(path, shared);
  chmodSync(path, 0o666);
  expect((await site.tick()).stderr).toContain(
    `cannot load ${join(site.alarmsDir, "uses.js")}: other users can write ${path} (mode 666)`,
  );
  chmodSync(path, 0o644);
  chmodSync(lib, 0o777);
  expect((await site.tick()).stderr).toContain(`chmod go-w ${lib}`);
  expect(await site.tick("--allow-writable")).toEqual(QUIET);
  chmodSync(lib, 0o755);
  expect(await site.tick()).toEqual(QUIET);
});

test("a program of a channel that others can write disables that channel only", async () => {
  const site = await makeSite({ mail: "file" });
  const program = join(site.folder, "page");
  writeFileSync(program, "#!/bin/sh\n");
  chmodSync(program, 0o777);
  const more = `[channels.pager]\ntype = "command"\ncommand = ["page"]`;
  site.configure({ mail: "file", more });
  const fault = `channels.pager.command: other users can write ${program} (mode 777)`;
  expect(await site.tick()).toMatchObject({ code: 1, stderr: expect.stringContaining(fault) });
  const list = await site.command(["channel", "list"]);
  expect(list.stdout).toMatch(/^email .* ready .*\n(.*\n)*pager .* wrong settings /m);
  const accepted = await site.tick("--allow-writable");
  expect(accepted).toMatchObject({ code: 0, stderr: "" });
});

test("swf-alarms-run takes the flag too", async () => {
  const site = await busySite({});
  chmodSync(site.config, 0o666);
  const run = { bin: "swf-alarms-run" } as const;
  expect(await site.command([], run)).toMatchObject({ code: 2, stdout: "" });
  expect(await site.command(["--allow-writable"], run)).toEqual(QUIET);
});

test("a site whose files the owner's private group can write works", async () => {
  const site = await busySite({});
  // As under umask 002 on Debian and Ubuntu; whose group it is depends on who runs the test.
  const { uid, gid } = statSync(site.config);
  if (uid !== gid) return;
  mkdirSync(join(site.alarmsDir, "lib"));
  writeFileSync(join(site.alarmsDir, "lib", "shared.js"), "");
  for (const path of [site.folder, site.alarmsDir, join(site.alarmsDir, "lib")])
    chmodSync(path, 0o775);
  for (const path of ["config.toml", "alarms/things.js", "alarms/lib/shared.js"])
    chmodSync(join(site.folder, path), 0o664);
  expect(await site.tick()).toEqual(QUIET);
});

test("a configuration with a password that everybody can read works, and the log says so", async () => {
  const site = await busySite({});
  chmodSync(site.config, 0o644);
  expect(await site.tick()).toEqual(QUIET);
  expect(site.log()).toContain(
    `holds a database password and every user on this machine can read it; as the owner run: chmod o-r ${site.config}`,
  );
  rmSync(site.logPath);
  chmodSync(site.config, 0o640);
  expect(await site.tick()).toEqual(QUIET);
  expect(site.log()).not.toContain("can read it");
});

test("what the engine makes is not for everybody", async () => {
  const site = await makeSite({ mail: "file" });
  site.module(
    "one.js",
    'export const SOURCES = [];\nexport const detect = () => [{ dedupeKey: "a", subject: "s" }];',
  );
  await site.tick();
  await site.command(["alarm", "set", "one", "--mail", "on", "--recipients", "a@example.org"]);
  await site.tick();
  const outbox = join(site.folder, "outbox");
  const [mail = ""] = filesIn(outbox);
  const modes = [outbox, join(outbox, mail), site.logPath].map((path) =>
    (statSync(path).mode & 0o777).toString(8),
  );
  expect(modes).toEqual(["700", "600", "640"]);
});
