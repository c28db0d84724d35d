import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { perAlarm, runData } from "../support/contract.ts";
import { json, startServer } from "../support/http_server.ts";
import { QUIET } from "../support/quiet.ts";
import { insertAlarm, only } from "../support/rows.ts";
import { filesIn, makeSite, THINGS } from "../support/site.ts";

test("a module copied in between two ticks gets a row with mail off, its title, text and defaults, and runs at once", async () => {
  const site = await makeSite();
  expect(await site.tick()).toEqual(QUIET);
  expect(await site.entries("alarm")).toEqual([]);
  site.module(
    "disk_full.ts",
    `import type { AlarmClient, Detection, ParamSpecs, ParamsOf } from "swf-alarms";
    import { parseUtc, FetchError } from "swf-alarms";
    export const TITLE: string = "Disks that are full";
    export const DESCRIPTION = "Ask the storage group.";
    export const PARAMS = {
      limit: { type: "number", default: 0.9, min: 0, max: 1, description: "share" },
      hosts: { type: "list", default: ["a", "b"], description: "which" },
      optional: { type: "string", description: "not set" },
    } as const satisfies ParamSpecs;
    export async function* detect(client: AlarmClient, params: ParamsOf<typeof PARAMS>): AsyncGenerator<Detection> {
      if (typeof parseUtc !== "function" || typeof FetchError !== "function") throw new Error("no helpers");
      for (const host of params.hosts) yield { dedupeKey: host, subject: \`\${host} over \${params.limit}\`, data: { now: client.now, optional: params.optional === undefined } };
    }`,
  );
  expect(await site.tick()).toEqual(QUIET);
  const [, second] = await site.entries("engine_run");
  if (second === undefined) throw new Error("no second run");
  const startedAt = runData(second).started_at;
  const alarm = only(await site.entries("alarm"));
  expect(alarm).toMatchObject({
    title: "Disks that are full",
    content: "Ask the storage group.",
    name: null,
    status: "active",
    archived: false,
    context_id: "swf-alarms",
    timestamp_created: startedAt,
  });
  expect(alarm.data).toStrictEqual({
    entry_id: "alarm_disk_full",
    enabled: false,
    recipients: [],
    renotification_window_hours: 0,
    params: { limit: 0.9, hosts: ["a", "b"] },
  });
  const events = await site.entries("event");
  expect(events.map(({ title }) => title).sort()).toEqual(["a over 0.9", "b over 0.9"]);
  expect(events[0]?.data).toMatchObject({
    now: startedAt,
    optional: true,
    alarm_config_id: alarm.id,
  });
  expect(perAlarm(second, "alarm_disk_full")).toMatchObject({
    enabled: false,
    alarms_seen: 2,
    bundle_sent: false,
  });
  expect(site.mail.calls).toEqual([]);
  expect(site.log()).toContain("disk_full: new module; its row was created, with mail off");

  expect(await site.tick()).toEqual(QUIET);
  expect(only(await site.entries("alarm"))).toStrictEqual(alarm);
});

test("a module that does not compile is an error on record; mended, it gets its row with its own title", async () => {
  const site = await makeSite();
  site.module("late.js", "export function* detect( {");
  const broken = await site.tick();
  expect(broken).toMatchObject({ code: 1, stdout: "" });
  expect(broken.stderr).toMatch(/^swf-alarms: late: cannot load [^\n]*\n$/);
  expect(await site.entries("alarm")).toEqual([]);
  expect(perAlarm(only(await site.entries("engine_run")), "alarm_late")).toMatchObject({
    errors: 1,
  });
  site.module("late.js", THINGS);
  site.things = [{ key: "a", subject: "A" }];
  expect(await site.tick()).toEqual(QUIET);
  expect(only(await site.entries("alarm"))).toMatchObject({
    title: "Things",
    content: "Things that are wrong.",
    data: { enabled: false },
  });
  expect(await site.entries("event")).toHaveLength(1);
});

test("only modules directly in the folder are alarms, and each other file is named at -v with its reason", async () => {
  const site = await makeSite();
  site.module("real.mjs", THINGS);
  site.module("_draft.js", "throw 1");
  site.module(".hidden.js", "throw 1");
  site.module("real.test.ts", "throw 1");
  site.module("types.d.ts", "export type A = 1;");
  site.module("UpperCase.js", "throw 1");
  site.module("with-dash.js", "throw 1");
  site.module("notes.txt", "hello");
  mkdirSync(join(site.alarmsDir, "lib"));
  writeFileSync(join(site.alarmsDir, "lib", "inner.js"), "throw 1");
  const result = await site.tick("-v");
  expect(result).toMatchObject({ code: 0, stderr: "" });
  for (const [file, reason] of [
    ["_draft.js", "it is not an alarm module; the name of one is a lower-case identifier"],
    [".hidden.js", "it is not an alarm module"],
    ["real.test.ts", "it is a test, and not an alarm module"],
    ["types.d.ts", "it is not an alarm module"],
    ["UpperCase.js", "it is not an alarm module"],
    ["with-dash.js", "it is not an alarm module"],
    ["notes.txt", "it is not an alarm module"],
    ["lib", "it is not a regular file"],
  ])
    expect(result.stdout).toContain(`skipped ${site.alarmsDir}/${file}: ${reason}`);
  expect((await site.entries("alarm")).map(({ data }) => data.entry_id)).toEqual(["alarm_real"]);
});

test("an alarm that waits to be set up is told once, is no error, and runs when it is", async () => {
  const site = await makeSite();
  site.module(
    "limited.js",
    `export const PARAMS = { limit: { type: "number", required: true, description: "x" }, other: { type: "string", required: true, description: "y" } };
     export const detect = (client, params) => [{ dedupeKey: String(params.limit), subject: "over " + params.limit }];`,
  );
  site.module(
    "elsewhere.js",
    `export const SOURCES = ["gracedb"];
     export async function* detect(client) { for (const x of (await client.source("gracedb").get("/list")).list) yield { dedupeKey: x, subject: x }; }`,
  );
  for (const _ of [1, 2]) expect(await site.tick()).toEqual(QUIET);
  const log = site.log().split("\n");
  const told = (part: string) => log.filter((line) => line.includes(part));
  expect(
    told("limited is not configured: parameter limit has no value; parameter other has no value"),
  ).toHaveLength(1);
  expect(
    told("elsewhere is not configured: [sources.gracedb] is not in the configuration"),
  ).toHaveLength(1);
  const [first, second] = await site.entries("engine_run");
  for (const run of [first, second]) {
    if (run === undefined) throw new Error("a run is missing");
    expect(runData(run)).toMatchObject({ errors: 0, alarms_run: 0, alarms_seen: 0 });
    expect(perAlarm(run, "alarm_limited")).toMatchObject({
      errors: 0,
      error_message: "",
      alarms_seen: 0,
    });
  }
  expect(await site.entries("event")).toEqual([]);

  // Half set up is still not set up, which is news.
  await site.query(
    `UPDATE entry SET data = jsonb_set(data, '{params}', '{"limit": 3}') WHERE data->>'entry_id' = 'alarm_limited'`,
  );
  expect(await site.tick()).toEqual(QUIET);
  expect(
    site
      .log()
      .split("\n")
      .filter((line) => line.includes("limited is not configured")),
  ).toHaveLength(2);

  const gracedb = await startServer((request, response) =>
    json(response, { list: [String(request.headers.authorization)] }),
  );
  onTestFinished(() => gracedb.close());
  await site.query(
    `UPDATE entry SET data = jsonb_set(data, '{params}', '{"limit": 3, "other": "x"}') WHERE data->>'entry_id' = 'alarm_limited'`,
  );
  site.configure({
    more: `[sources.gracedb]\nbase_url = "${gracedb.url}"\ntoken_env = "GRACE_TOKEN"`,
  });
  expect(await site.command(["run"], { env: { GRACE_TOKEN: "s3cret" } })).toEqual(QUIET);
  // The service has been told the token, and says it back; the row is not to hold it.
  expect((await site.entries("event")).map(({ title }) => title).sort()).toEqual([
    "Bearer [redacted]",
    "over 3",
  ]);
});

test("events of an alarm that lost its set-up stay as they are", async () => {
  const site = await makeSite();
  site.module(
    "limited.js",
    `export const PARAMS = { limit: { type: "number", required: true, description: "x" } };
     export const detect = () => [{ dedupeKey: "k", subject: "K" }];`,
  );
  await insertAlarm(site, "limited", { params: { limit: 1 } });
  await site.tick();
  const event = only(await site.entries("event"));
  await site.query(
    "UPDATE entry SET data = jsonb_set(data, '{params}', '{}') WHERE kind = 'alarm'",
  );
  expect(await site.tick()).toEqual(QUIET);
  expect(only(await site.entries("event"))).toStrictEqual(event);
});

test("many alarms can be made from one module, each with its own row, params and events", async () => {
  const site = await makeSite();
  site.module(
    "owner.js",
    `export const PARAMS = { owner: { type: "string", required: true, description: "x" } };
     export const detect = (client, { owner }) => [{ dedupeKey: "k", subject: "of " + owner }];`,
  );
  await insertAlarm(site, "ann", {
    module: "owner",
    params: { owner: "Ann" },
    recipients: "ann@example.org",
  });
  await insertAlarm(site, "bob", {
    module: "owner",
    params: { owner: "Bob" },
    recipients: "bob@example.org",
  });
  expect(await site.tick()).toEqual(QUIET);
  expect(
    (await site.entries("event")).map(({ title, data }) => `${data.entry_id} ${title}`).sort(),
  ).toEqual(["event_ann of Ann", "event_bob of Bob"]);
  expect(site.mail.mails.map(({ to, subject }) => `${to} ${subject}`).sort()).toEqual([
    "ann@example.org [alarm_ann] 1 detection(s), 1 new, 0 continuing: of Ann",
    "bob@example.org [alarm_bob] 1 detection(s), 1 new, 0 continuing: of Bob",
  ]);
});

test("a row whose module file is gone says so, and archiving the row ends it", async () => {
  const site = await makeSite();
  await insertAlarm(site, "gone");
  const result = await site.tick();
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(
    /^swf-alarms: gone: there is no module "gone" in the alarms folders [^\n]*add the file, or archive the row\n$/,
  );
  await site.query("UPDATE entry SET archived = true WHERE kind = 'alarm'");
  expect(await site.tick()).toEqual(QUIET);
});

test("modules may import files beside them and below lib/, in a folder far from the engine", async () => {
  const site = await makeSite();
  mkdirSync(join(site.alarmsDir, "lib"));
  writeFileSync(
    join(site.alarmsDir, "lib", "rule.ts"),
    `import { parseUtc } from "swf-alarms"; export const epoch: number = parseUtc("1970-01-01T00:01:00") ?? -1;`,
  );
  writeFileSync(join(site.alarmsDir, "_shared.mjs"), `export const word = "shared";`);
  site.module(
    "far.ts",
    `import { epoch } from "./lib/rule.ts"; import { word } from "./_shared.mjs";
     export const detect = () => [{ dedupeKey: word, subject: word + " " + epoch }];`,
  );
  expect(await site.tick()).toEqual(QUIET);
  expect(only(await site.entries("event")).title).toBe("shared 60");
  expect(filesIn(site.alarmsDir)).toEqual(["_shared.mjs", "far.ts", "lib"]);
});

test("an alarms folder that is not there is one line that says which key to set", async () => {
  const site = await makeSite();
  site.configure({ alarmsDir: "nowhere" });
  const result = await site.tick();
  expect(result).toMatchObject({ code: 2, stdout: "" });
  expect(result.stderr).toMatch(
    /^swf-alarms: cannot read the alarms folder [^\n]*nowhere[^\n]*alarms_dir[^\n]*\n$/,
  );
  expect(await site.entries("engine_run")).toEqual([]);
});
