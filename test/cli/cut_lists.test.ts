import { expect, test } from "vitest";
import { insertAlarm } from "../support/rows.ts";
import { makeSite, type Site } from "../support/site.ts";

/** Rows at ever later times, the last one now. */
async function insertRows(site: Site, kind: string, count: number, data: string): Promise<void> {
  await site.query(
    `INSERT INTO entry (id, title, content, kind, data, status, archived, timestamp_created, timestamp_modified, context_id)
     SELECT gen_random_uuid()::text, 'row ' || n, '', $1, ${data}, 'active', false, at, at, 'swf-alarms'
     FROM generate_series(1, $2::int) n, LATERAL (SELECT $3::float8 - $2::int + n AS at) AS times`,
    [kind, count, Date.now() / 1000],
  );
}

async function listed(site: Site, args: readonly string[]) {
  const { stdout, stderr } = await site.command(args);
  const [last = ""] = stdout.trimEnd().split("\n").slice(-1);
  return { lines: stdout.trimEnd().split("\n").length, last, stdout, stderr };
}

test("a list of events that is cut says how many more there are, and --limit 0 shows all", async () => {
  const site = await makeSite();
  const event = (name: string, end: string) =>
    `jsonb_build_object('entry_id', 'event_${name}', 'dedupe_key', n::text, 'fire_time', at, 'clear_time', ${end})`;
  await insertRows(site, "event", 130, event("x", "NULL"));
  await insertRows(site, "event", 40, event("x", "at"));
  await insertRows(site, "event", 50, event("y", "NULL"));
  for (const [args, shown, more] of [
    [[], 50, 130],
    [["--limit", "1"], 1, 179],
    [["--limit", "179"], 179, 1],
    [["--limit", "180"], 180, 0],
    [["--limit", "0"], 180, 0],
    [["--alarm", "x"], 50, 80],
    [["--alarm", "y"], 50, 0],
    [["--all", "--limit", "7"], 7, 213],
    [["--all", "--alarm", "x"], 50, 120],
    [["--all", "--limit=0"], 220, 0],
  ] as const) {
    const text = await listed(site, ["event", "list", ...args]);
    const says = `… and ${more} more; --limit 0 lists all`;
    expect(text, args.join(" ")).toMatchObject({ lines: shown + (more > 0 ? 2 : 1), stderr: "" });
    if (more > 0) expect(text.last).toBe(says);
    else expect(text.stdout).not.toContain("more");
    const json = await listed(site, ["event", "list", ...args, "--json"]);
    const facts = JSON.parse(json.stdout);
    expect(facts.events, args.join(" ")).toHaveLength(shown);
    expect(facts.total).toBe(shown + more);
    expect(json.stderr).toBe(more > 0 ? `swf-alarms: ${says}\n` : "");
  }
}, 120_000);

test("alarm show lists all active events", async () => {
  const site = await makeSite({ database: "embedded" });
  site.module("x.js", "export const detect = () => [];");
  const data = `jsonb_build_object('entry_id', 'event_x', 'dedupe_key', n::text, 'clear_time', NULL)`;
  await insertRows(site, "event", 1_200, data);
  const { stdout } = await site.command(["alarm", "show", "x", "--json"]);
  expect(JSON.parse(stdout).events).toHaveLength(1_200);
  expect((await site.command(["alarm", "show", "x"])).stdout).toContain("active events (1200):");
});

test("so do the lists of ticks and of failed mails", async () => {
  const site = await makeSite();
  await insertRows(site, "engine_run", 30, "jsonb_build_object('per_alarm', jsonb_build_object())");
  const skip = `jsonb_build_object('at', at, 'host', 'h', 'pid', 1, 'reason', 'busy')`;
  await insertRows(site, "skipped_tick", 5, skip);
  expect(await listed(site, ["run", "list"])).toMatchObject({
    lines: 22,
    last: "… and 15 more; --limit 0 lists all",
  });
  const json = await listed(site, ["run", "list", "--limit", "34", "--json"]);
  const { total, runs } = JSON.parse(json.stdout);
  expect([total, runs.length]).toEqual([35, 34]);
  expect(json.stderr).toBe("swf-alarms: … and 1 more; --limit 0 lists all\n");
  const all = await listed(site, ["run", "list", "--limit", "0"]);
  expect(all).toMatchObject({ lines: 36, stderr: "" });

  const alarm = "CASE WHEN n = 1 THEN 'alarm_older' ELSE 'alarm_x' END";
  const mail = `jsonb_build_object('alarm', ${alarm}, 'outcome', 'failed')`;
  await insertRows(site, "notification", 25, mail);
  for (const name of ["older", "x"]) await insertAlarm(site, name, { recipients: "a@x.org" });
  const status = await listed(site, ["status"]);
  expect(status.last).toBe("… and 5 more notifications; --json lists all");
  expect(status.stdout).toContain("the last mail of older was not delivered");
  const facts = JSON.parse((await listed(site, ["status", "--json"])).stdout);
  expect(facts.notifications).toHaveLength(25);
});
