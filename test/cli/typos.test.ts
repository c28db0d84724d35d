import { describe, expect, test } from "vitest";
import { runEngine } from "../support/process.ts";
import { dump, insertAlarm, insertEntry } from "../support/rows.ts";
import { makeSite, type Site, THINGS } from "../support/site.ts";

async function site(): Promise<Site> {
  const made = await makeSite();
  for (const file of ["things.js", "disk_full.js", "deleted.js"]) made.module(file, THINGS);
  await made.withDatabase(async (db) => {
    await insertAlarm(db, "things");
    await insertAlarm(db, "archived", {}, { archived: true });
    await insertAlarm(db, "deleted", {}, { deletedAt: 5 });
    for (const [name, clear_time] of [
      ["archived", null],
      ["only_events", 5],
    ])
      await insertEntry(db, { kind: "event", data: { entry_id: `event_${name}`, clear_time } });
    const members = { title: "Shift", content: "a@example.org", data: {}, context: "teams" };
    await insertEntry(db, { kind: "team", name: "@shift", ...members });
  });
  return made;
}

test("a name that is not known is an error with the near one, and nothing is written", async () => {
  const made = await site();
  const before = await made.withDatabase(dump);
  const alarm =
    /^swf-alarms: there is no alarm "thnigs" \(did you mean things\?\); see: .*alarm list\n$/;
  const team =
    /^swf-alarms: there is no team "@shfit" \(did you mean "@shift"\?\); see: .*team list\n$/;
  for (const [says, commands] of [
    [
      alarm,
      [
        ["event", "list", "--alarm", "thnigs"],
        ["event", "list", "--alarm=alarm_thnigs", "--all", "--json"],
        ["run", "--alarm", "thnigs"],
        ["run", "--alarm", "things", "thnigs", "--dry-run"],
        ["run", "--plan", "--alarm", "alarm_thnigs"],
        ["alarm", "show", "thnigs"],
        ["alarm", "show", "thnigs", "--json"],
        ["alarm", "try", "thnigs"],
        ["alarm", "set", "thnigs", "--archive"],
      ],
    ],
    [
      team,
      [
        ["team", "remove", "@shfit"],
        ["team", "remove", "shfit"],
        ["alarm", "set", "things", "--recipients", "b@example.org", "@shift,@shfit"],
      ],
    ],
    [/no alarm "THING" \(did you mean things\?\)/, [["event", "list", "--alarm", "THING"]]],
    [/no alarm "zzz"; see:/, [["event", "list", "--alarm", "zzz"]]],
    [/no alarm "archive" \(did you mean archived\?\)/, [["event", "list", "--alarm", "archive"]]],
    [/no alarm "things,disk_full"; see:/, [["run", "--alarm", "things,disk_full"]]],
    [/no alarm "things " \(did you mean things\?\)/, [["run", "--alarm", "things "]]],
    [/no alarm "things\\ndisk_full"; see:/, [["run", "--alarm", "things\ndisk_full"]]],
    [
      /^swf-alarms: the alarm (archived|deleted) does not run: it is archived, or its row was deleted\n$/,
      [
        ["run", "--alarm", "archived"],
        ["run", "--alarm", "things", "deleted"],
      ],
    ],
  ] as const)
    for (const args of commands) {
      const result = await made.command(args);
      expect.soft(result, args.join(" ")).toMatchObject({ code: 1, stdout: "" });
      expect.soft(result.stderr, args.join(" ")).toMatch(says);
    }
  expect(await made.withDatabase(dump)).toBe(before);
}, 120_000);

test("an alarm without a row or a module is known by its row of earlier or by its events", async () => {
  const made = await site();
  for (const [name, says] of [
    ["things", /^nothing is firing\n$/],
    ["disk_full", /^nothing is firing\n$/],
    ["deleted", /^nothing is firing\n$/],
    ["only_events", /^nothing is firing\n$/],
    ["alarm_archived", /^archived .* firing/m],
  ] as const) {
    const result = await made.command(["event", "list", "--alarm", name]);
    expect(result, name).toMatchObject({
      code: 0,
      stderr: "",
      stdout: expect.stringMatching(says),
    });
  }
  const cleared = await made.command(["event", "list", "--all", "--alarm", "only_events"]);
  expect(cleared.stdout).toMatch(/^only_events .* 1970-/m);
});

test("an alarm whose name begins with alarm_ is named as the lists show it", async () => {
  const made = await makeSite();
  made.module(
    "alarm_z.js",
    "export const SOURCES = []; export const detect = () => [{ dedupeKey: 'a' }];",
  );
  for (const name of ["alarm_z", "alarm_alarm_z"]) {
    expect((await made.command(["run", "--alarm", name])).code).toBe(0);
    const { stdout } = await made.command(["event", "list", "--alarm", name]);
    expect(stdout).toMatch(/^alarm_z +a /m);
  }
});

describe("what would be ignored or taken for something else is a usage error", () => {
  test.for([
    ["alarms", /^error: unknown command 'alarms' \(Did you mean alarm\?\)\n$/],
    ["alarm lst", /unknown command 'lst' \(Did you mean list\?\)/],
    ["alarm lst --help", /unknown command 'lst' \(Did you mean list\?\)/],
    ["help alrm", /unknown command 'alrm' \(Did you mean alarm\?\)/],
    ["help alarm sow", /unknown command 'sow' \(Did you mean show\?\)/],
    ["event lits", /unknown command 'lits' \(Did you mean list\?\)/],
    ["team delete", /^error: unknown command 'delete'\n$/],
    ["run lst", /unknown command 'lst' \(Did you mean list\?\)/],
    ["run foo", /^error: unknown command 'foo'\n$/],
    ["run --config x list", /write the options after 'list'/],
    ["run --plan list", /write the options after 'list'/],
    ["status foo", /too many arguments/],
    ["alarm show x y", /too many arguments/],
    ["event list things", /too many arguments/],
    ["status --jsn", /unknown option '--jsn' \(Did you mean --json\?\)/],
    ["status --js", /unknown option '--js'/],
    ["run --dryrun", /Did you mean --dry-run\?/],
    ["run -x", /unknown option '-x'/],
    ["prune --yes=1", /unknown option '--yes=1'/],
    ["status --config a --config b", /'--config <file>' is given more than once/],
    ["status --config=a --json --config=a", /'--config <file>' is given more than once/],
    ["event list --alarm a --alarm b", /'--alarm <name>' is given more than once/],
    ["event list --limit 1 --limit 2", /'--limit <n>' is given more than once/],
    ["alarm set x --mail on --mail off", /'--mail <on\|off>' is given more than once/],
    ["run --jitter 1 --jitter 2", /'--jitter <seconds>' is given more than once/],
    ["status --config=", /'--config <file>' has an empty value/],
    ["event list --alarm=", /'--alarm <name>' has an empty value/],
    ["run --alarm a --alarm=", /'--alarm <name...>' has an empty value/],
    ["alarm set x --title=", /'--title <text>' has an empty value/],
    ["alarm set x --recipients=", /'--recipients <who...>' has an empty value/],
    ["alarm set x --renotify=", /write a number of hours/],
    ["alarm set x --settle=", /'--settle <rule>' argument '' is invalid. write a number of/],
    ["alarm set x --renotify-count=", /write a whole number, at least 1, or off/],
    ["alarm set x --settle 4/3", /argument '4\/3' is invalid. write a number of outcomes/],
    ["alarm set x --severity waring", /did you mean warning\?\); write info, warning, error/],
    ["alarm set x --notifyclear on", /Did you mean --notify-clear\?/],
    ["demo --dir=", /'--dir <folder>' has an empty value/],
    ["team set @t ,", /"" is not an email address; write/],
    ["alarm set x --archive --unarchive", /'--archive' cannot be used with option '--unarchive'/],
    ["run --plan --dry-run", /'--dry-run' cannot be used with option '--plan'/],
    ["prune --dry-run --confirm-clock", /'--dry-run' cannot be used with .*'--confirm-clock'/],
    ["prune --dry-run --yes", /use prune --dry-run .*, or prune --yes/],
    ["event list --limit 10x", /write a whole number/],
    ["event list --limit -1", /write a whole number/],
    ["event list --limit 1e9", /write a whole number/],
    ["event list --limit 0x10", /write a whole number/],
    ["event list --limit 5.0", /write a whole number/],
    ["run list --limit 2147483648", /at most 2147483647/],
    ["run list --limit +5", /write a whole number/],
    ["alarm set x --renotify 24h", /write a number of hours/],
    ["alarm set x --renotify 0x10", /write a number of hours/],
    ["alarm set x --renotify 1e3", /write a number of hours/],
    ["alarm set x --renotify 9999999", /write a number of hours/],
    ["run --jitter 5s", /write a number of seconds/],
    ["run --jitter 1e1", /write a number of seconds/],
  ] as const)("%s", async ([line, says]) => {
    const result = await runEngine(line.split(" "));
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(says);
    expect(result.stderr.trimEnd()).not.toContain("\n");
  });

  test("swf-alarms-run --config a --config b", async () => {
    const result = await runEngine(["--config", "a", "--config", "b"], { bin: "swf-alarms-run" });
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining("more than once") });
  });
});
