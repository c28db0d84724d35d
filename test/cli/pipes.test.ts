import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { busySite } from "../support/busy_site.ts";
import { QUIET } from "../support/quiet.ts";
import { dump, only } from "../support/rows.ts";
import { makeSite, type Site, THINGS } from "../support/site.ts";

const ENTRY = fileURLToPath(new URL("../../dist/program/swf-alarms.js", import.meta.url));

/** Runs `swf-alarms <args> | head -1` and gives what got through and what went to stderr. */
async function head(
  site: Site,
  args: readonly string[],
): Promise<{ stdout: string; stderr: string }> {
  const child = spawn(
    "sh",
    ["-c", '"$@" | head -1', "sh", process.execPath, ENTRY, ...args, "--config", site.config],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
    },
  );
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  await new Promise((resolve) => child.once("close", resolve));
  return { stdout, stderr };
}

test("output that cannot be written is a failure, and told", async () => {
  const site = await makeSite();
  const child = spawn(
    "sh",
    [
      "-c",
      '"$@" > /dev/full',
      "sh",
      process.execPath,
      ENTRY,
      "run",
      "list",
      "--config",
      site.config,
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  expect(await new Promise((resolve) => child.once("close", resolve))).toBe(1);
  expect(stderr).toMatch(/^swf-alarms: cannot write all of the output: ENOSPC[^\n]*\n$/);
});

test("a reader that leaves early is no failure, however much there is to print", async () => {
  const site = await makeSite();
  await site.query(
    `INSERT INTO entry (id, title, content, kind, data, status, archived, timestamp_created, timestamp_modified, context_id)
     SELECT 'e' || n, repeat('x', 200), '', 'event',
            jsonb_build_object('entry_id', 'event_x', 'dedupe_key', n::text, 'clear_time', NULL, 'fire_time', 1.5),
            'active', false, n, n, 'swf-alarms' FROM generate_series(1, 5000) n`,
  );
  for (const args of [
    ["event", "list", "--limit", "5000"],
    ["event", "list", "--limit", "5000", "--json"],
  ]) {
    const { stdout, stderr } = await head(site, args);
    expect(stderr, args.join(" ")).toBe("");
    expect(stdout.split("\n").length).toBe(2);
  }
  const all = await site.command(["event", "list", "--limit", "5000"]);
  expect(all).toMatchObject({ code: 0, stderr: "" });
  expect(all.stdout.trimEnd().split("\n")).toHaveLength(5001);
});

test("a tick with much to complain of ends, where nobody reads its complaints", async () => {
  const site = await busySite({});
  for (let index = 0; index < 5; index++) site.module(`broken_${index}.js`, "export const x = 1;");
  const child = spawn(process.execPath, [ENTRY, "run", "--config", site.config], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.destroy();
  child.stderr.destroy();
  const code = await new Promise((resolve) => child.once("exit", resolve));
  expect(code).toBe(1);
  expect(await site.entries("engine_run")).toHaveLength(1);
});

test("a tick whose reader leaves early is done all the same", async () => {
  const site = await busySite({});
  // Goes on telling long after its reader has left.
  site.module(
    "talker.js",
    `export async function* detect(client) {
      for (let line = 0; line < 40; line++) { client.log("line " + line); await new Promise((resolve) => setTimeout(resolve, 20)); }
      yield { dedupeKey: "end", subject: "The end" };
    }`,
  );
  const { stderr } = await head(site, ["run", "-v"]);
  expect(stderr).toBe("");
  expect((await site.entries("event")).map(({ title }) => title).sort()).toEqual([
    "A is wrong",
    "The end",
  ]);
  expect(only(await site.entries("engine_run"))).toMatchObject({ status: "done" });
  expect(site.mail.mails).toHaveLength(1);
});

test("--alarm runs only what it names, and the others keep their events", async () => {
  const site = await busySite({});
  site.module("others.js", THINGS);
  site.module("newcomer.js", THINGS);
  await site.tick();
  expect(await site.entries("event")).toHaveLength(3);
  site.things = [];
  expect(await site.tick("--alarm", "alarm_things", "newcomer")).toEqual(QUIET);
  const active = (await site.entries("event")).filter(({ data }) => data.clear_time === null);
  expect(active.map(({ data }) => data.entry_id)).toEqual(["event_others"]);
  const [, run] = await site.entries("engine_run");
  expect(Object.keys(Object(run?.data.per_alarm)).sort()).toEqual([
    "alarm_engine",
    "alarm_newcomer",
    "alarm_things",
  ]);
});

test("--alarm with a name that is not there runs none of them and writes nothing", async () => {
  const site = await busySite({});
  const before = await site.withDatabase(dump);
  for (const options of [[], ["--dry-run"], ["--plan"], ["--plan", "--json"]]) {
    expect(await site.tick(...options, "--alarm", "things", "thingz")).toEqual({
      code: 1,
      stdout: "",
      stderr:
        'swf-alarms: there is no alarm "thingz" (did you mean things?); see: bin/swf-alarms alarm list\n',
    });
  }
  expect(await site.withDatabase(dump)).toBe(before);
});
