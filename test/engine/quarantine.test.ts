import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { mainService } from "../support/configured.ts";
import { perAlarm, runData } from "../support/contract.ts";
import { createPostgres } from "../support/databases.ts";
import { loginTo } from "../support/login.ts";
import {
  changeAlarm,
  type Entry,
  eventsOf,
  insertAlarm,
  only,
  readEntries,
  readStateRows,
} from "../support/rows.ts";
import { type EngineAt, engineAt, START } from "./engine_at.ts";

const MINUTE = 60;

const openServer = async () => openPostgres(loginTo(await createPostgres()));

async function brokenAlarm(data: { readonly [key: string]: unknown } = {}): Promise<EngineAt> {
  const engine = await engineAt(openServer);
  await insertAlarm(engine.db, "x", data);
  engine.says("x", { fails: "out of luck" });
  return engine;
}

/** One tick, five minutes later: what became of the alarm, and whether whoever watches is told. */
async function next(engine: EngineAt, names?: readonly string[]): Promise<string> {
  engine.now += 5 * MINUTE;
  const report = await engine.tick("tick", names);
  const result = only(report?.results.filter(({ row }) => row.name === "x") ?? []);
  if (result.kind !== "ran") return result.kind;
  const what = result.started ? result.outcome.status : "left out";
  return `${what}, ${report?.errors.length === 0 ? "quiet" : "error"}`;
}

async function ticks(engine: EngineAt, count: number): Promise<readonly string[]> {
  const told: string[] = [];
  for (let tick = 0; tick < count; tick++) told.push(await next(engine));
  return told;
}

/** The subjects of all notifications and how each ended; in the order of the alphabet. */
async function mails(engine: EngineAt): Promise<readonly string[]> {
  const attempts = await readEntries(engine.db, "notification");
  return attempts.map(({ title, data }) => `${title}: ${data.outcome}`).sort();
}

async function lastRun(engine: EngineAt): Promise<Entry> {
  const runs = await readEntries(engine.db, "engine_run");
  return runs.at(-1) ?? only([]);
}

const FAILED = "failed, error";
const LEFT_OUT = "left out, quiet";
const WELL = "complete, quiet";
const QUARANTINED = "alarm x is quarantined: it failed 3 times in a row: delivered";
const MAIL = `[alarm_engine] 1 detection(s), 1 new, 0 continuing: ${QUARANTINED}`;
const MAIL_LATER = `[alarm_engine] 1 detection(s), 0 new, 1 continuing: ${QUARANTINED}`;
const END = `[alarm_engine] 0 detection(s), 0 new, 0 continuing, 1 cleared: ${QUARANTINED}`;

test("an alarm that keeps failing is tried at growing distances, and its owners hear twice", async () => {
  const engine = await brokenAlarm();
  expect(await ticks(engine, 8)).toEqual([
    ...[FAILED, FAILED, FAILED],
    ...[LEFT_OUT, LEFT_OUT, FAILED],
    ...[LEFT_OUT, LEFT_OUT],
  ]);
  expect(await mails(engine)).toEqual([MAIL]);
  expect(engine.mails()).toHaveLength(1);

  const run = await lastRun(engine);
  expect(runData(run)).toMatchObject({ errors: 0, error_details: "", alarms_run: 0 });
  expect(perAlarm(run, "alarm_x")).toMatchObject({
    errors: 1,
    outcome: "failed",
    error_message: expect.stringMatching(
      /^quarantined since 2027-01-15 08:15 UTC: detect threw Error: out of luck .*; next try in 3 ticks \(by 2027-01-15 14:30 UTC at the latest\)$/,
    ),
    quarantine: {
      since: START + 15 * MINUTE,
      failures: 4,
      next_try_in_ticks: 3,
      cause: expect.stringContaining("out of luck"),
    },
  });

  engine.says("x", { keys: ["a"] });
  expect(await ticks(engine, 4)).toEqual([LEFT_OUT, LEFT_OUT, WELL, WELL]);
  const events = "[alarm_x] 1 detection(s), 1 new, 0 continuing: a is wrong: delivered";
  expect(await mails(engine)).toEqual([END, MAIL, events]);
  const state = only(await readStateRows(engine.db));
  expect(state).toMatchObject({
    name: "state:quarantine:x",
    status: "done",
    data: { entry_id: "state_quarantine_x" },
  });
  expect(perAlarm(await lastRun(engine), "alarm_x")).not.toHaveProperty("quarantine");
});

test("the mail says what failed, what it means, and what to do", async () => {
  const engine = await brokenAlarm();
  await ticks(engine, 3);
  const attempt = only(await readEntries(engine.db, "notification"));
  expect(attempt.data).toMatchObject({
    alarm: "alarm_engine",
    recipients: ["ops@example.org"],
    new_event_ids: (await eventsOf(engine.db, "engine")).map(({ id }) => id),
    continuing_event_ids: [],
  });
  for (const part of [
    'The alarm "Title of x" (x) has failed 3 times in a row because of its own errors',
    "Last error: detect threw Error: out of luck",
    "next try in 3 ticks",
    "swf-alarms run --alarm x",
  ])
    expect(attempt.content).toContain(part);
});

test("mending the module, changing the row or naming the alarm tries it at once", async () => {
  const engine = await brokenAlarm();
  await ticks(engine, 3);
  expect(await next(engine)).toBe(LEFT_OUT);
  const file = `${engine.alarmsDir}/x.js`;
  appendFileSync(file, "// mended");
  expect(await next(engine)).toBe(FAILED);
  expect(await next(engine)).toBe(LEFT_OUT);
  await changeAlarm(engine.db, "x", { params: { a: 1 } });
  expect(await next(engine)).toBe(FAILED);
  expect(await next(engine)).toBe(LEFT_OUT);
  expect(await next(engine, ["x"])).toBe(FAILED);
  // What somebody asked for does not lengthen the distance.
  expect(await ticks(engine, 3)).toEqual([LEFT_OUT, LEFT_OUT, FAILED]);
  engine.now -= 24 * 3600;
  expect(await next(engine)).toBe(FAILED);
  expect(await mails(engine)).toEqual([MAIL]);
});

test("the times and the place of a module's files say nothing, and their content and imports do", async () => {
  const engine = await engineAt(openServer);
  await insertAlarm(engine.db, "x");
  const put = (folder: string) => {
    mkdirSync(`${folder}/lib`, { recursive: true });
    writeFileSync(
      `${folder}/x.ts`,
      `import { a } from "./lib/a";
       import{b}from'./lib/b.js'; import "./lib/e";
       export const SOURCES = [];
       export async function detect() { const { c } = await import("./lib/c.mjs"); throw new Error(a + b + c); }`,
    );
    writeFileSync(
      `${folder}/lib/a.ts`,
      'import { d } from "../_d.ts"; export const a: string = d;',
    );
    writeFileSync(`${folder}/lib/b.ts`, 'export const b: string = "b";');
    writeFileSync(`${folder}/lib/c.mjs`, 'export const c = "c";');
    mkdirSync(`${folder}/lib/e`, { recursive: true });
    writeFileSync(`${folder}/lib/e/index.ts`, "export {};");
    writeFileSync(`${folder}/_d.ts`, 'export * from "./x.ts"; export const d: string = "d";');
  };
  put(engine.alarmsDir);
  await ticks(engine, 3);
  expect(await next(engine)).toBe(LEFT_OUT);
  const other = mkdtempSync(join(tmpdir(), "swf-alarms-other-"));
  onTestFinished(() => rmSync(other, { recursive: true, force: true }));
  const files = ["x.ts", "lib/a.ts", "lib/b.ts", "lib/c.mjs", "lib/e/index.ts", "_d.ts"];
  put(`${other}/checkout`);
  for (const file of files) utimesSync(`${other}/checkout/${file}`, START, START);
  symlinkSync("checkout", `${other}/link`);
  engine.configure({ alarmFolders: [{ path: `${other}/link` }] });
  expect(await next(engine)).toBe(LEFT_OUT);
  expect(await next(engine)).toBe(FAILED);
  for (const file of files) {
    expect([file, await next(engine)]).toEqual([file, LEFT_OUT]);
    appendFileSync(`${other}/checkout/${file}`, "// changed");
    expect([file, await next(engine)]).toEqual([file, FAILED]);
  }
});

test("a module that somebody mends while it runs is tried in the next tick", async () => {
  const engine = await engineAt(openServer);
  await insertAlarm(engine.db, "x");
  engine.module(
    "x.js",
    `import { appendFileSync } from "node:fs";
    import { fileURLToPath } from "node:url";
    export const SOURCES = [];
    export function* detect() {
      appendFileSync(fileURLToPath(import.meta.url), "// changed");
      throw new Error("out of luck");
    }`,
  );
  expect(await ticks(engine, 5)).toEqual([FAILED, FAILED, FAILED, FAILED, FAILED]);
});

test("a file in a later folder that takes the module's place is tried at once, and so is a second one that goes", async () => {
  const engine = await brokenAlarm();
  const site = mkdtempSync(join(tmpdir(), "swf-alarms-site-"));
  onTestFinished(() => rmSync(site, { recursive: true, force: true }));
  engine.configure({ alarmFolders: [{ path: engine.alarmsDir }, { path: site }] });
  await ticks(engine, 3);
  expect(await next(engine)).toBe(LEFT_OUT);
  cpSync(`${engine.alarmsDir}/x.js`, `${site}/x.js`);
  appendFileSync(`${site}/x.js`, "// ours");
  expect(await next(engine)).toBe(FAILED);
  expect(await next(engine)).toBe(LEFT_OUT);
  writeFileSync(`${site}/x.mjs`, "export const SOURCES = [];\nexport const detect = () => [];");
  expect(await next(engine)).toBe("left out, error");
  expect(await next(engine)).toBe(LEFT_OUT);
  rmSync(`${site}/x.js`);
  expect(await next(engine)).toBe(WELL);
});

test("its events stay, and what was owed is mailed while it is left out", async () => {
  const engine = await brokenAlarm();
  engine.says("x", { keys: ["a", "b"], fails: "out of luck" });
  engine.blockMail(true);
  await ticks(engine, 3);
  engine.blockMail(false);
  expect(await next(engine)).toBe(LEFT_OUT);
  const events = await eventsOf(engine.db, "x");
  expect(events.map(({ data }) => [data.clear_time, typeof data.last_notified])).toEqual([
    [null, "number"],
    [null, "number"],
  ]);
  expect((await mails(engine)).filter((mail) => mail.endsWith(": delivered"))).toEqual([
    MAIL_LATER,
    "[alarm_x] 2 detection(s), 2 new, 0 continuing: a is wrong: delivered",
  ]);
});

test("a quarantine that cannot be mailed stays unsent; after its end one mail says both", async () => {
  const engine = await brokenAlarm();
  engine.blockMail(true);
  await ticks(engine, 3);
  expect(await next(engine)).toBe("left out, error");
  expect(runData(await lastRun(engine)).error_details).toMatch(
    /^engine: the mail "\[alarm_engine\] 1 detection.* \(attempt 2\) not sent: .*; fix the cause; every tick tries again$/,
  );
  engine.says("x", { keys: [] });
  expect(await next(engine, ["x"])).toBe("complete, error");
  engine.blockMail(false);
  expect(await ticks(engine, 2)).toEqual([WELL, WELL]);
  const delivered = (await readEntries(engine.db, "notification")).filter(
    ({ data }) => data.outcome === "delivered",
  );
  expect(only(delivered)).toMatchObject({
    title: "[alarm_engine] 0 detection(s), 0 new, 0 continuing, 1 already cleared",
    content: expect.stringContaining("alarm x is quarantined: it failed 3 times in a row"),
  });
  expect(engine.mails()).toHaveLength(1);
});

test("with mail off nobody is told, and turning it on afterwards tells nobody of old stories", async () => {
  const engine = await brokenAlarm({ enabled: false });
  await ticks(engine, 3);
  engine.says("x", { keys: [] });
  expect(await next(engine, ["x"])).toBe(WELL);
  await changeAlarm(engine.db, "x", { enabled: true });
  expect(await next(engine)).toBe(WELL);
  expect(await mails(engine)).toEqual([]);
  const [event] = await eventsOf(engine.db, "engine");
  expect(event?.data).toMatchObject({ clear_time: engine.now, swf: { news: "cleared" } });
  expect(event?.data.swf).not.toHaveProperty("unsent");
  expect(only(await readStateRows(engine.db)).status).toBe("done");
});

test("mail that is turned on while the alarm is quarantined tells of it", async () => {
  const engine = await brokenAlarm({ enabled: false });
  await ticks(engine, 4);
  await changeAlarm(engine.db, "x", { enabled: true });
  expect(await next(engine)).toBe(LEFT_OUT);
  expect(await mails(engine)).toEqual([MAIL_LATER]);
});

test("a plan and a dry run tell nobody, and a plan remembers nothing", async () => {
  const engine = await brokenAlarm();
  await ticks(engine, 2);
  const before = await readStateRows(engine.db);
  engine.now += 5 * MINUTE;
  expect((await engine.tick("plan"))?.results).toMatchObject([
    { row: { name: "engine" } },
    { quarantine: { failures: 3 } },
  ]);
  expect(await readStateRows(engine.db)).toEqual(before);
  await engine.tick("dry-run");
  expect(await mails(engine)).toEqual([]);
  expect(await next(engine)).toBe(LEFT_OUT);
  expect(await mails(engine)).toEqual([MAIL_LATER]);
});

test.for([
  {
    name: "a module that does not load",
    text: "export const nothing = 1;",
    expected: [FAILED, FAILED, FAILED, LEFT_OUT],
  },
  {
    name: "a module that ends its process",
    text: "export const SOURCES = []; export function detect() { process.exit(0); }",
    expected: [FAILED, FAILED, FAILED, LEFT_OUT],
  },
  {
    name: "a service that does not answer",
    text: `export async function* detect(client) { yield* client.pages("/x/"); }`,
    expected: [FAILED, FAILED, FAILED, FAILED],
  },
  {
    name: "a parameter that is wrong",
    text: `export const SOURCES = []; export const PARAMS = { a: { type: "number", default: 1, description: "" } }; export const detect = () => [];`,
    params: { a: "no number" },
    expected: [FAILED, FAILED, FAILED, FAILED],
  },
  {
    name: "a module that is not there",
    text: undefined,
    expected: [FAILED, FAILED, FAILED, FAILED],
  },
  {
    name: "a module that could not see everything",
    text: `export const SOURCES = []; export const detect = (client) => { client.incomplete("half"); return []; };`,
    expected: Array.from({ length: 4 }, () => "partial, error"),
  },
])("whose fault it is: $name", async ({ text, params, expected }) => {
  const engine = await engineAt(openServer);
  engine.configure({ sources: mainService("http://127.0.0.1:9"), requestTimeout: 1 });
  await insertAlarm(engine.db, "x", { params: params ?? {} });
  if (text !== undefined) engine.module("x.js", text);
  const told = await ticks(engine, 4);
  // An alarm that never started did fail all the same.
  const plain = told.map((each) => (each === "left out, error" ? FAILED : each));
  expect(plain).toEqual(expected);
});

test("with quarantine_after 0 an alarm is tried in every tick", async () => {
  const engine = await brokenAlarm();
  engine.configure({ quarantineAfter: 0 });
  expect(await ticks(engine, 5)).toEqual(Array.from({ length: 5 }, () => FAILED));
  expect(await readStateRows(engine.db)).toEqual([]);
});

test("a state row that makes no sense is no state", async () => {
  const engine = await brokenAlarm();
  await ticks(engine, 4);
  await engine.db.query(
    `UPDATE entry SET data = data || '{"quarantine": "soon"}' WHERE name LIKE 'state:quarantine:%'`,
  );
  expect(await ticks(engine, 4)).toEqual([FAILED, FAILED, FAILED, LEFT_OUT]);
});
