import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { busySite } from "../support/busy_site.ts";
import { type ProcessOptions, runEngine } from "../support/process.ts";
import { QUIET } from "../support/quiet.ts";
import { filesIn, makeSite } from "../support/site.ts";

/** A folder with a config.toml of this text, and an empty alarms folder. */
function folderWith(config: string): string {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-config-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "alarms"));
  writeFileSync(join(folder, "config.toml"), config, { mode: 0o600 });
  return folder;
}

test("the configuration is found by --config, else by $SWF_ALARMS_CONFIG, else as ./config.toml", async () => {
  const site = await busySite({});
  const wrong = folderWith("wrong = 1");
  const run = async (args: readonly string[], options: ProcessOptions) =>
    await runEngine(["run", ...args], options);
  const elsewhere = join(wrong, "config.toml");
  expect(
    await run(["--config", site.config], { env: { SWF_ALARMS_CONFIG: elsewhere }, cwd: wrong }),
  ).toEqual(QUIET);
  expect(await run([], { env: { SWF_ALARMS_CONFIG: site.config }, cwd: wrong })).toEqual(QUIET);
  expect(await run([], { cwd: site.folder })).toEqual(QUIET);
  expect(await run(["--config", "config.toml"], { cwd: site.folder })).toEqual(QUIET);
  expect(await run([], { env: { SWF_ALARMS_CONFIG: "" }, cwd: site.folder })).toEqual(QUIET);
  expect(await site.entries("engine_run")).toHaveLength(5);
});

test("no configuration at all is one line that says what was looked for and what to do", async () => {
  const folder = folderWith("");
  rmSync(join(folder, "config.toml"));
  const result = await runEngine(["run"], { cwd: folder });
  expect(result).toMatchObject({ code: 2, stdout: "" });
  expect(result.stderr).toMatch(/^swf-alarms: [^\n]*config\.toml[^\n]*--config[^\n]*\n$/);
  const named = await runEngine(["run", "--config", "nowhere.toml"], { cwd: folder });
  expect(named).toMatchObject({ code: 2, stdout: "" });
  expect(named.stderr).toContain("nowhere.toml");
  expect(filesIn(folder)).toEqual(["alarms"]);
});

test("all faults come in one message, each with its key, what was found and what to write", async () => {
  const folder = folderWith(`
typo = 1
[engine]
base_url = "ftp://example.org"
request_timeout = "soon"
log_pth = "x"
[db]
dsn = "mysql://user:hunter2@host/db"
path = "state"
[email]
provider = "pigeon"
operators = "nobody"
default = "yes"
dir = "outbox"
[channels.Chat]
type = "file"
[sources.gracedb]
base_url = 5
headers = { "X-Key" = 5 }
[sources.other]
base_url = "https://example.org"
token_env = "NOT_SET_ANYWHERE"
[sources.Bad-Name]
base_url = "https://example.org"
`);
  const result = await runEngine(["run"], { cwd: folder });
  expect(result).toMatchObject({ code: 2, stdout: "" });
  for (const part of [
    "typo: unknown key",
    "engine.base_url:",
    "engine.request_timeout:",
    "engine.log_pth: unknown key (did you mean log_path?)",
    "db.dsn:",
    "email.provider:",
    "email.operators:",
    "email.default: must be true or false",
    "channels.Chat: must have a name",
    "sources.gracedb.base_url:",
    "sources.gracedb.headers.X-Key:",
    "Bad-Name",
    "NOT_SET_ANYWHERE",
  ])
    expect(result.stderr).toContain(part);
  // With the provider unknown, nothing is said about keys that belong to another.
  expect(result.stderr).not.toContain('found with "ses"');
  expect(result.stderr).not.toContain("hunter2");
  // Nothing was begun.
  expect(filesIn(folder)).toEqual(["alarms", "config.toml"]);
});

test("a file that is no TOML is one line with the place of the error", async () => {
  const folder = folderWith("[engine\nbase_url = 5");
  const result = await runEngine(["run"], { cwd: folder });
  expect(result).toMatchObject({ code: 2, stdout: "" });
  expect(result.stderr).toMatch(/line 1/);
  expect(result.stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(2);
});

test("every command refuses a faulty configuration alike", async () => {
  const folder = folderWith("typo = 1");
  for (const args of [
    ["migrate"],
    ["alarm", "list"],
    ["event", "list"],
    ["team", "list"],
    ["run", "list"],
    ["run", "--plan"],
  ]) {
    const result = await runEngine(args, { cwd: folder });
    expect(result, args.join(" ")).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toContain("typo: unknown key");
  }
});

test.for([
  {
    name: "nobody listens",
    dsn: "postgresql://user:hunter2@127.0.0.1:9/db",
    says: /127\.0\.0\.1:9\/db: [^\n]*ECONNREFUSED/,
  },
  {
    name: "the name cannot be resolved",
    dsn: "postgresql://user:hunter2@no-such-host.invalid/db",
    says: /no-such-host\.invalid:5432\/db/,
  },
])(
  "a database that cannot be reached because $name is one line without the password",
  async ({ dsn, says }) => {
    const folder = folderWith(`[engine]\nalarms_dir = "alarms"\n[db]\ndsn = "${dsn}"\n`);
    for (const args of [
      ["run"],
      ["run", "-v"],
      ["run", "--plan"],
      ["migrate"],
      ["event", "list"],
    ]) {
      const result = await runEngine(args, { cwd: folder });
      expect(result, args.join(" ")).toMatchObject({ code: 2, stdout: "" });
      expect(result.stderr).toMatch(/^swf-alarms: cannot connect to Postgres at [^\n]*\n$/);
      expect(result.stderr).toMatch(says);
      expect(result.stderr).not.toContain("hunter2");
    }
  },
);

test("a database that is not there, and a wrong password, are one line each without the password", async () => {
  const site = await makeSite();
  const url = new URL(site.dsn ?? "");
  const missing = new URL(url);
  missing.pathname = "/no_such_database";
  const refused = new URL(url);
  refused.password = "hunter2";
  for (const [dsn, says] of [
    [missing, /database "no_such_database" does not exist/],
    [refused, /password authentication failed/],
  ] as const) {
    const folder = folderWith(`[engine]\nalarms_dir = "alarms"\n[db]\ndsn = "${dsn.href}"\n`);
    const result = await runEngine(["run"], { cwd: folder });
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(/^swf-alarms: cannot connect to Postgres at [^\n]*\n$/);
    expect(result.stderr).toMatch(says);
    expect(result.stderr).not.toContain(dsn.password);
  }
});

test("a database folder that cannot be made, or holds something else, is one line", async () => {
  const folder = folderWith(`[engine]\nalarms_dir = "alarms"\n[db]\npath = "config.toml/state"\n`);
  const result = await runEngine(["run"], { cwd: folder });
  expect(result).toMatchObject({ code: 2, stdout: "" });
  expect(result.stderr).toMatch(
    /^swf-alarms: cannot make or read the database folder [^\n]*\[db\] path[^\n]*\n$/,
  );

  const other = folderWith(`[engine]\nalarms_dir = "alarms"\n[db]\npath = "state"\n`);
  mkdirSync(join(other, "state"));
  chmodSync(join(other, "state"), 0o755);
  writeFileSync(join(other, "state", "PG_VERSION"), "11\n");
  const broken = await runEngine(["run"], { cwd: other });
  expect(broken).toMatchObject({ code: 2, stdout: "" });
  expect(broken.stderr).toMatch(/^swf-alarms: cannot open the embedded database [^\n]*\n$/);
});
