import { join } from "node:path";
import { expect, test } from "vitest";
import { busySite } from "../support/busy_site.ts";
import { runData } from "../support/contract.ts";
import { QUIET } from "../support/quiet.ts";
import { only } from "../support/rows.ts";
import { filesIn, makeSite } from "../support/site.ts";

test.for([
  { database: "postgres", mail: "ses" },
  { database: "postgres", mail: "file" },
  { database: "embedded", mail: "ses" },
] as const)(
  "ticks that fire, continue, clear and mail print nothing: $database, $mail",
  async (kind) => {
    const site = await busySite(kind);
    const ticks = [await site.tick(), await site.tick()];
    site.things = [];
    ticks.push(await site.tick());
    expect(ticks).toEqual([QUIET, QUIET, QUIET]);
    const mails = kind.mail === "ses" ? site.mail.mails : filesIn(join(site.folder, "outbox"));
    expect(mails).toHaveLength(1);
  },
);

test("the very first tick, which makes the embedded database, prints nothing", async () => {
  const site = await makeSite({ database: "embedded", bare: true });
  expect(await site.tick()).toEqual(QUIET);
  expect(filesIn(site.folder)).toContain("state");
});

test("a crontab line of the Python engine works as it stands", async () => {
  const site = await busySite({});
  const bin = { bin: "swf-alarms-run" } as const;
  expect(await site.command([], bin)).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(1);
  const dry = await site.command(["--dry-run"], bin);
  expect(dry).toMatchObject({ code: 0, stderr: "" });
  const loud = await site.command(["-v"], bin);
  expect(loud).toMatchObject({ code: 0, stderr: "" });
  expect(loud.stdout).toMatch(/info things: complete: 1 detected, 0 new, 1 still firing/);
  expect(loud.stdout).toMatch(/info tick done: 1 alarm\(s\) run, 0 error\(s\), 0 mail\(s\) sent/);
  const both = await site.command(["--dry-run", "-v"], bin);
  expect(both).toMatchObject({ code: 0, stderr: "" });
  expect(both.stdout).toContain("dry run: state written, no mail");
  expect(await site.entries("engine_run")).toHaveLength(4);
});

test("cron's bare environment and another time zone change nothing", async () => {
  const site = await busySite({});
  const env = { HOME: "/nonexistent", TZ: "Pacific/Kiritimati", LANG: "C" };
  expect(await site.command(["run"], { env, cwd: "/" })).toEqual(QUIET);
  const run = only(await site.entries("engine_run"));
  const { started_at: startedAt } = runData(run);
  const stamp = new Date(startedAt * 1000).toISOString();
  expect(run.title).toContain(`${stamp.slice(11, 19)} UTC`);
  expect(site.log()).toContain(stamp.slice(0, 10));
  expect(only(site.mail.mails).text).toContain(stamp.slice(0, 10));
});

test("the log file tells the ticks, and one that cannot be written stops nothing", async () => {
  const site = await busySite({});
  expect(await site.tick()).toEqual(QUIET);
  expect(site.log()).toMatch(
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC info things: complete: 1 detected, 1 new/m,
  );
  expect(site.log()).toMatch(/info tick done: 1 alarm\(s\) run, 0 error\(s\), 1 mail\(s\) sent/);
  site.configure({ logPath: join(site.config, "in", "a", "file.log") });
  const result = await site.tick();
  expect(result).toMatchObject({ code: 0, stdout: "" });
  expect(result.stderr).toMatch(/^swf-alarms: cannot write the log [^\n]*log_path[^\n]*\n$/);
  expect(await site.entries("engine_run")).toHaveLength(2);
});
