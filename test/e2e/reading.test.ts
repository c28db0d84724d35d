import { chownSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busySite } from "../support/busy_site.ts";
import { QUIET } from "../support/quiet.ts";
import { filesIn, makeSite, THINGS } from "../support/site.ts";

const NOBODY = 65_534;

const READING: readonly (readonly string[])[] = [
  ["status"],
  ["status", "--json"],
  ["event", "list"],
  ["run", "list"],
  ["team", "list"],
  ["alarm", "show", "things"],
  ["prune", "--dry-run"],
];
/** They work without a database too. */
const PLANNING: readonly (readonly string[])[] = [
  ["alarm", "list"],
  ["alarm", "try", "things"],
  ["run", "--plan"],
];
const WRITING: readonly (readonly string[])[] = [
  ["run"],
  ["run", "--dry-run"],
  ["alarm", "set", "things", "--mail", "on"],
  ["team", "set", "@a", "a@example.org"],
  ["team", "remove", "@a"],
  ["prune", "--yes"],
  ["migrate"],
];

test("without a database, reading commands say so and make nothing", async () => {
  const site = await makeSite({ database: "embedded", bare: true });
  site.module("things.js", THINGS);
  const before = filesIn(site.folder);
  const expectNone = async (): Promise<void> => {
    for (const command of READING)
      expect([command, await site.command(command)]).toEqual([
        command,
        {
          code: 2,
          stdout: "",
          stderr: `swf-alarms: there is no database yet; the first tick makes it, or run: bin/swf-alarms migrate --config ${site.config}\n`,
        },
      ]);
    for (const command of PLANNING)
      expect([command, await site.command(command)]).toMatchObject([
        command,
        { code: 0, stderr: "" },
      ]);
  };
  await expectNone();
  expect(filesIn(site.folder)).toEqual(before);

  // An empty folder is none either, nor one in which a tick was killed while it made the database.
  mkdirSync(join(site.folder, "state", "swf-alarms.making", "base"), { recursive: true });
  mkdirSync(join(site.folder, "state", "base"));
  await expectNone();
  expect(filesIn(join(site.folder, "state"))).toEqual(["base", "swf-alarms.making"]);
  expect(await site.command(["migrate"])).toMatchObject({ code: 0, stderr: "" });
  expect(await site.command(["event", "list"])).toMatchObject({ code: 0, stderr: "" });
}, 120_000);

test("on an older schema reading commands name migrate and change nothing; a writing one migrates", async () => {
  const site = await busySite({ database: "embedded" });
  const ledger = "SELECT name FROM swf_alarms_migration ORDER BY 1";
  await site.query("DELETE FROM swf_alarms_migration WHERE name = '0005_events_of_an_alarm.sql'");
  const before = await site.query(ledger);
  for (const command of [...READING, ...PLANNING])
    expect([command, await site.command(command)]).toEqual([
      command,
      {
        code: 2,
        stdout: "",
        stderr: `swf-alarms: the database lacks 0005_events_of_an_alarm.sql; run: bin/swf-alarms migrate --config ${site.config}\n`,
      },
    ]);
  expect(await site.query(ledger)).toEqual(before);
  const set = await site.command(["alarm", "set", "things", "--title", "New"]);
  expect(set).toMatchObject({ code: 0, stderr: "" });
  expect(await site.query(ledger)).toHaveLength(before.length + 1);
}, 120_000);

test("files of a database that has lost its PG_VERSION are left as they are, by every command", async () => {
  const site = await makeSite({ database: "embedded", bare: true });
  const state = join(site.folder, "state");
  mkdirSync(join(state, "base"), { recursive: true });
  for (const command of [...READING, ...PLANNING, ...WRITING]) {
    const result = await site.command(command);
    expect([command, result.code]).toEqual([command, 2]);
    expect(result.stderr).toMatch(
      /is damaged: its file PG_VERSION is missing\. Restore the folder/,
    );
  }
  expect(filesIn(state)).toEqual(["base"]);
}, 120_000);

// Only a superuser can make files of another user.
test.runIf(process.geteuid?.() === 0)(
  "a superuser's command on the folder of another user is refused and leaves no file there",
  async () => {
    for (const [uid, whose, sudo] of [
      [NOBODY, "nobody", "nobody"],
      [54_321, "with the id 54321", "'#54321'"],
    ] as const) {
      const site = await busySite({ database: "embedded", mail: "file" });
      const state = join(site.folder, "state");
      const everything = (): readonly string[] => [
        ".",
        ...readdirSync(site.folder, { recursive: true, encoding: "utf8" }),
      ];
      for (const name of everything()) chownSync(join(site.folder, name), uid, uid);
      for (const command of [...READING, ...PLANNING, ...WRITING]) {
        const result = await site.command([...command, "--allow-writable"]);
        expect([command, result]).toEqual([
          command,
          {
            code: 2,
            stdout: "",
            stderr: `swf-alarms: the embedded database ${state} belongs to the user ${whose}, and this command runs as root. Run it as its owner: sudo -u ${sudo} …, or give the folder and all files in it to this user.\n`,
          },
        ]);
      }
      for (const name of everything())
        expect([name, statSync(join(site.folder, name)).uid]).toEqual([name, uid]);
      expect(existsSync(site.logPath)).toBe(false);
      for (const name of everything()) chownSync(join(site.folder, name), 0, 0);
      expect(await site.tick()).toEqual(QUIET);
    }
  },
  300_000,
);
