import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { busySite } from "../support/busy_site.ts";
import { runEngine } from "../support/process.ts";
import { QUIET } from "../support/quiet.ts";
import { filesIn, makeSite, type Site, type SiteOptions } from "../support/site.ts";

const isRoot = process.getuid?.() === 0;
const UID = 54_321;
const KEYS = ["AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test"];
const BARE = ["/usr/bin/env", "-i", ...KEYS];
const UNKNOWN_USER = ["setpriv", "--reuid", `${UID}`, "--regid", `${UID}`, "--clear-groups"];

/** A user without an entry in /etc/passwd owns the site. */
function give(site: Site): void {
  execFileSync("chown", ["-R", `${UID}:${UID}`, site.folder]);
}

/** A folder that is removed before the engine starts in it. */
const REMOVED = ["/bin/sh", "-c", 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"'];

describe.skipIf(!isRoot)("a user without a passwd entry and without an environment", () => {
  const hosts: readonly (readonly [string, readonly string[]])[] = [
    ["has no variable at all", BARE],
    ["has an empty HOME", [...BARE, "HOME="]],
    ["has a HOME that is not there", [...BARE, "HOME=/nonexistent/home"]],
    ["has a HOME it cannot read", [...BARE, "HOME=/root"]],
    ["has no PATH and no folder for temporary files", [...BARE, "PATH=", "TMPDIR=/nonexistent"]],
    ["has no streams", [...BARE, "/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]],
    ["has a umask of 077", [...BARE, "/bin/sh", "-c", 'umask 077; exec "$@"', "sh"]],
  ];
  test.each(hosts)("that %s gets its tick and its mail", async (_, via) => {
    const site = await busySite({ database: "embedded" });
    give(site);
    const options = { via: [...UNKNOWN_USER, ...via] };
    expect(await site.command(["run"], options)).toEqual(QUIET);
    expect(site.mail.mails).toHaveLength(1);
    expect(site.log()).toContain(" info tick done: 1 alarm(s) run, 0 error(s), 1 mail(s) sent");
  });

  test("changes alarms and teams, by its number", async () => {
    const site = await busySite({});
    give(site);
    const options = { via: [...UNKNOWN_USER, ...BARE] };
    for (const args of [
      ["team", "set", "@shift", "ann@example.org"],
      ["team", "set", "@shift", "ben@example.org"],
      ["alarm", "set", "things", "--recipients", "@shift", "--mail", "on"],
    ])
      expect(await site.command(args, options), args.join(" ")).toMatchObject({ code: 0 });
    const rows = await site.query("SELECT changed_by FROM entry_version ORDER BY id");
    expect(rows.map((row) => row.changed_by)).toEqual([`cli:uid ${UID}`, `cli:uid ${UID}`]);
  });

  test("is told that ~ needs a home", async () => {
    const site = await busySite({
      alarmsDir: ["~/alarms"],
      more: "[retention]\nengine_runs_days = 0",
    });
    give(site);
    const { code, stderr } = await site.command(["run"], { via: [...UNKNOWN_USER, ...BARE] });
    expect(code).toBe(2);
    expect(stderr).toContain("2 faults in the configuration ");
    expect(stderr).toContain('; ~ needs a user with a home folder; found ["~/alarms"]');
    expect(site.log()).toContain(" error 2 faults in the configuration ");
  });
});

test("a working folder that was removed is not needed, also not by modules and with any entry point", async () => {
  const site = await busySite({});
  site.module(
    "here.ts",
    "export const SOURCES = [];\nexport const detect = () => [process.cwd()].filter(() => false);",
  );
  const via = [...REMOVED, join(site.folder, "gone")];
  for (const bin of ["swf-alarms", "swf-alarms-run"] as const) {
    const args = bin === "swf-alarms" ? ["run"] : [];
    expect(await site.command(args, { via, bin })).toEqual(QUIET);
  }
  expect(site.mail.mails).toHaveLength(1);
  const relative = await runEngine(["run", "--config", "config.toml"], { via });
  expect(relative).toMatchObject({ code: 2, stdout: "" });
  expect(relative.stderr).toMatch(
    /^swf-alarms: cannot find the configuration \/a working folder that was removed\/config\.toml /,
  );
});

test("~ is the home of the user, in every path of the configuration and in its own", async () => {
  const site = await busySite({
    database: "embedded",
    mail: "file",
    logPath: "~/logs/run.log",
    alarmsDir: ["~/alarms"],
  });
  const text = readFileSync(site.config, "utf8");
  writeFileSync(site.config, text.replace('"state"', '"~/state"').replace('"outbox"', '"~/mails"'));
  const cwd = join(site.folder, "elsewhere");
  mkdirSync(cwd);
  const env = { HOME: site.folder };
  expect(await runEngine(["run", "--config", "~/config.toml"], { cwd, env })).toEqual(QUIET);
  const variable = { ...env, SWF_ALARMS_CONFIG: "~/config.toml" };
  expect(await runEngine(["run"], { cwd, env: variable })).toEqual(QUIET);
  expect(filesIn(join(site.folder, "mails"))).toHaveLength(1);
  expect(filesIn(join(site.folder, "logs"))).toEqual(["run.log"]);
  expect(filesIn(cwd)).toEqual([]);
  expect(filesIn(site.folder)).not.toContain("~");
});

describe("a file that is no text is refused at once", () => {
  const odd: readonly (readonly [string, (path: string) => void, RegExp])[] = [
    ["a device without an end", (path) => symlinkSync("/dev/zero", path), /is not a regular file/],
    [
      "a pipe that nobody writes",
      (path) => execFileSync("mkfifo", [path]),
      /is not a regular file/,
    ],
    ["a folder", (path) => mkdirSync(path), /is not a regular file/],
    [
      "Latin-1",
      (path) => writeFileSync(path, Buffer.from("DB_NAME=x\n# caf\xe9\n", "latin1")),
      /line 2, column 6 is not UTF-8; save it as UTF-8/,
    ],
    [
      "UTF-16 with a mark",
      (path) => writeFileSync(path, Buffer.from("\ufeffDB_NAME=x\n", "utf16le")),
      /line 1, column 1 has NUL characters, as in UTF-16; save it as UTF-8/,
    ],
    [
      "UTF-16 without one",
      (path) => writeFileSync(path, Buffer.from("DB_NAME=x\n", "utf16le")),
      /line 1, column 2 has NUL characters/,
    ],
    ["with a NUL", (path) => writeFileSync(path, "DB_NAME=x\n\n#\0"), /line 3, column 2 has NUL/],
  ];
  test.each(odd)("%s, as the configuration and as a login", async (_, make, says) => {
    const site = await makeSite({ bare: true, database: "embedded" });
    const path = join(site.folder, "odd");
    make(path);
    const asConfig = await runEngine(["run", "--config", path]);
    expect(asConfig).toMatchObject({ code: 2, stdout: "" });
    expect(asConfig.stderr).toMatch(/^swf-alarms: cannot (find|read) [^\n]*\n$/);
    expect(asConfig.stderr).toMatch(says);
    writeFileSync(site.config, `[db]\nenv_path = ${JSON.stringify(path)}\n`);
    const asLogin = await site.command(["run"]);
    expect(asLogin).toMatchObject({ code: 2, stdout: "" });
    expect(asLogin.stderr).toMatch(says);
  });

  test("the configuration is not a log", async () => {
    const site = await makeSite({ bare: true, database: "embedded" });
    const text = '[engine]\nlog_path = "config.toml"\n';
    writeFileSync(site.config, text);
    expect(await site.tick()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/log_path is .*config\.toml, which the engine reads/),
    });
    expect(readFileSync(site.config, "utf8")).toBe(text);
  });

  test("but a byte order mark is not in the way", async () => {
    const site = await busySite({});
    writeFileSync(site.config, `\ufeff${readFileSync(site.config, "utf8")}`);
    expect(await site.tick()).toEqual(QUIET);
  });
});

describe.skipIf(!isRoot)("where other users can write", () => {
  /** A folder for all, with what another user has put there. */
  function sharedFolder(site: Site, mode: number): string {
    const folder = join(site.folder, "shared");
    mkdirSync(folder);
    chmodSync(folder, mode);
    return folder;
  }

  test.each([0o777, 0o1777])("the log follows no link of theirs: mode %o", async (mode) => {
    const site = await busySite({});
    const folder = sharedFolder(site, mode);
    const mine = join(site.folder, "mine");
    writeFileSync(mine, "mine\n");
    const logPath = join(folder, "run.log");
    symlinkSync(mine, logPath);
    lchownSync(logPath, UID, UID);
    site.configure({ logPath });
    const { code, stderr } = await site.tick();
    // The alarms go on.
    expect(code).toBe(0);
    expect(site.mail.mails).toHaveLength(1);
    expect(stderr).toMatch(
      /^swf-alarms: cannot write the log [^\n]*other users can write [^\n]*\n$/,
    );
    expect(readFileSync(mine, "utf8")).toBe("mine\n");
  });

  test("nor a folder of theirs on the way, unless that was accepted", async () => {
    const site = await busySite({});
    const folder = join(sharedFolder(site, 0o1777), "theirs");
    mkdirSync(folder);
    lchownSync(folder, UID, UID);
    site.configure({ logPath: join(folder, "deep", "run.log") });
    expect((await site.tick()).stderr).toContain(
      `${folder} belongs to the user ${UID}, and other users can write its folder`,
    );
    expect(filesIn(folder)).toEqual([]);
    expect(await site.tick("--allow-writable")).toEqual(QUIET);
    expect(filesIn(join(folder, "deep"))).toEqual(["run.log"]);
  });

  test("a configuration of theirs, a database folder and a folder for mail are refused", async () => {
    const site = await busySite({ database: "embedded", mail: "file" });
    const folder = sharedFolder(site, 0o1777);
    const text = readFileSync(site.config, "utf8");
    const theirs = join(folder, "config.toml");
    writeFileSync(theirs, text);
    lchownSync(theirs, UID, UID);
    const [state, outbox] = [join(folder, "state"), join(folder, "outbox")];
    symlinkSync(join(site.folder, "state"), state);
    symlinkSync(site.folder, outbox);
    for (const link of [state, outbox]) lchownSync(link, UID, UID);
    const refused = async (config: string, what: string): Promise<void> => {
      const result = await runEngine(["run", "--config", config]);
      expect(result).toMatchObject({ code: 2, stdout: "" });
      expect(result.stderr).toContain(what);
      expect(result.stderr).toContain(`belongs to the user ${UID}`);
    };
    await refused(theirs, `refused the configuration ${theirs}`);
    writeFileSync(site.config, text.replace('"state"', JSON.stringify(state)));
    await refused(site.config, `refused the database folder ${state}`);
    writeFileSync(site.config, text.replace('"outbox"', JSON.stringify(outbox)));
    await refused(site.config, `email.dir: ${outbox} belongs`);
    expect(filesIn(site.folder).filter((name) => name.endsWith(".eml"))).toEqual([]);
    // The log has it too, and the same without the links is accepted.
    expect(site.log()).toContain(`email.dir: ${outbox} belongs`);
    writeFileSync(site.config, text);
    expect(await site.tick()).toEqual(QUIET);
  });
});

describe("what ends a tick with 2 is in the log", () => {
  const causes: readonly (readonly [string, SiteOptions, string])[] = [
    [
      "a fault of another section",
      { more: "[retention]\nengine_runs_days = 0" },
      "1 fault in the ",
    ],
    [
      "a fault of its own section",
      { engine: 'tick_timeout = "240s"\ntypo = 1' },
      "2 faults in the ",
    ],
    [
      "a database that does not respond",
      { dsn: "postgresql://a@127.0.0.1:9/x" },
      "cannot connect to ",
    ],
    [
      "a folder of alarms that is not there",
      { alarmsDir: "gone" },
      "cannot read the alarms folder",
    ],
  ];
  test.each(causes)("%s", async (_, options, says) => {
    const site = await busySite({});
    site.configure(options);
    const { code, stderr } = await site.tick();
    expect(code).toBe(2);
    expect(stderr).toContain(says);
    expect(site.log()).toContain(` error ${says}`);
  });

  test("a file of a login that is not there, with all other faults", async () => {
    const site = await busySite({ more: "[retention]\nengine_runs_days = 0" });
    const text = readFileSync(site.config, "utf8");
    writeFileSync(site.config, text.replace(/^dsn = .*$/m, 'env_path = "gone.env"'));
    expect((await site.tick()).code).toBe(2);
    expect(site.log()).toMatch(
      / error 2 faults in .* db\.env_path: cannot read \S+gone\.env: ENOENT/,
    );
  });

  test.each(["/dev/null", "/dev/stderr"])(
    "a log that is no file is never to be changed: %s",
    async (logPath) => {
      const site = await busySite({});
      site.configure({ logPath });
      const { code, stderr } = await site.tick();
      expect(code).toBe(0);
      // Here /dev/stderr is a socket, which cannot be opened.
      expect(stderr).toMatch(logPath === "/dev/null" ? /^$/ : /cannot write the log.*: ENXIO/);
    },
  );

  test("a log that is itself at fault is named, and nothing hangs on a pipe that nobody reads", async () => {
    const site = await busySite({});
    const logPath = join(site.folder, "pipe");
    execFileSync("mkfifo", [logPath]);
    site.configure({ logPath });
    const { code, stderr } = await site.tick();
    expect(code).toBe(0);
    expect(stderr).toMatch(/^swf-alarms: cannot write the log [^\n]*\n$/);
  });
});
