import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import * as helpers from "../../src/index.ts";
import { testAlarm } from "../../src/testing.ts";
import type { JsonValue } from "../../src/text/json.ts";
import { ModuleLoader } from "../../src/worker/child/load.ts";
import { cleanEnvironment } from "../deploy/checkout_copy.ts";
import { AUTHOR_SETTINGS, checkTypes } from "../support/author_types.ts";
import { DOC_EXAMPLES, docExample, docPage } from "../support/doc_examples.ts";
import { json, startServer } from "../support/http_server.ts";
import { loadHere } from "../support/load_module.ts";
import { jsonResponse } from "../support/responses.ts";
import { outcomeOf } from "../support/run_detect.ts";
import { closeSources, makeSource } from "../support/sources.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Runs an example against a service that answers each request with this, after a tick that remembered `memory`. */
async function runExample(name: string, answer: JsonValue, now = 0, memory?: JsonValue) {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-example-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "example.ts");
  writeFileSync(path, docExample(name));
  const { parsed, detect } = await loadHere(new ModuleLoader({ ...helpers }), { name: "x", path });
  if (!parsed.ok || detect === undefined) throw new Error(parsed.ok ? "no detect" : parsed.error);
  const response = jsonResponse(answer);
  const sources = new Map([["main", { kind: "http" as const, request: async () => response }]]);
  const { stages } = parsed.module;
  const previous = async () => (memory === undefined ? undefined : { at: now - 60, value: memory });
  return await outcomeOf(detect, { sources, stages, now, previous });
}

test("the example of severities, stages and clears in docs/alarms.md does what it says", async () => {
  const items = [
    { jeditaskid: 4, status: "running", computed_failurerate: 0.01 },
    { jeditaskid: 3, status: "running", computed_failurerate: 0.1 },
    { jeditaskid: 2, status: "exhausted", computed_failurerate: 0.3 },
    { jeditaskid: 1, status: "done", computed_failurerate: 0.3 },
  ];
  const page = { items, has_more: false, next_before_id: null };
  expect(await runExample("severity, stages and clears", page)).toMatchObject({
    status: "complete",
    notes: [],
    levels: new Map([
      ["task:3", { severity: "warning", stage: "running" }],
      ["task:2", { severity: "error", stage: "exhausted" }],
    ]),
    clears: new Map([["task:1", "the task is done"]]),
  });
});

test("the example of the helpers in docs/alarms.md does what it says", async () => {
  const now = Date.parse("2026-11-27T18:00:00Z") / 1000;
  const sites = [
    { name: "JLAB", failed: 2, total: 5, last_seen: "2026-11-27T17:30:00" },
    { name: "CERN", failed: 1, total: 1, last_seen: "2026-11-27T16:30:00" },
    { name: "PNNL", failed: 1, total: 5, last_seen: "2026-11-27T17:59:00" },
  ];
  const { status, detections } = await runExample("helpers", sites, now);
  expect(status).toBe("complete");
  const keys = detections.map(({ dedupeKey }) => dedupeKey);
  expect(keys).toEqual(["missing:BNL", "fails:JLAB", "silent:CERN"]);
  const unreadable = [{ name: "BNL", failed: 0, total: 0, last_seen: "never" }];
  expect(await runExample("helpers", unreadable, now)).toMatchObject({
    status: "partial",
    reasons: ["BNL has the last_seen never"],
  });
});

test("the example of a spool in docs/alarms.md keeps what is wrong until it is told otherwise", async () => {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-example-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "example.ts");
  writeFileSync(path, docExample("spool"));
  const told = (event: string, program: string) => ({
    event: `PROCESS_STATE_${event}`,
    payload: `processname:${program} groupname:g`,
  });
  const events = [told("FATAL", "a"), told("FATAL", "b"), { event: "TICK_60" }];
  const first = await testAlarm(path, { responses: { events } });
  expect(first.detections.map(({ dedupeKey }) => dedupeKey)).toEqual(["program:a", "program:b"]);
  const second = await testAlarm(path, {
    previous: { at: 0, value: first.memory },
    responses: { events: [told("RUNNING", "a")] },
  });
  expect(second.status).toBe("complete");
  expect(second.detections.map(({ dedupeKey }) => dedupeKey)).toEqual(["program:b"]);
});

test("the example of what changed in docs/alarms.md finds a crash loop that no look shows", async () => {
  let memory: JsonValue | undefined;
  const firing: string[][] = [];
  for (const [minute, loops] of [0, 0, 100, 160, 220, 220, 220].entries()) {
    const programs = [
      { name: "daq", state: "RUNNING", started: loops },
      { name: "web", state: "RUNNING", started: 0 },
    ];
    const outcome = await runExample("what changed", programs, 300 * minute, memory);
    expect(outcome).toMatchObject({ status: "complete", notes: [] });
    memory = JSON.parse(outcome.memory ?? "null");
    firing.push(outcome.detections.map(({ subject }) => subject));
  }
  const found = "daq is RUNNING, but restarted 3 times in 15 minutes";
  expect(firing).toEqual([[], [], [], [], [found], [], []]);
});

test("the example of paging in docs/alarms.md reads a list of a real service in each style", async () => {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-example-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "example.ts");
  writeFileSync(path, docExample("paging"));
  const { detect } = await loadHere(new ModuleLoader({ ...helpers }), { name: "x", path });
  if (detect === undefined) throw new Error("no detect");

  const rows = Array.from({ length: 230 }, (_, at) => ({
    id: at,
    state: at % 100 === 29 ? "failed" : "good",
  }));
  const server = await startServer((_request, response, url) => {
    const page = Number(url.searchParams.get("page") ?? 1);
    const from = Number(url.searchParams.get("offset") ?? 100 * (page - 1));
    const part = rows.slice(from, from + 100);
    const next = from + 100 < rows.length ? `${server.url}${url.pathname}?page=${page + 1}` : null;
    const answers: { readonly [path: string]: unknown } = {
      "/disks": { rows: part, page: { total: rows.length } },
      "/sites/": { count: rows.length, next, previous: null, results: part },
    };
    if (url.pathname === "/hosts" && next !== null)
      response.setHeader(
        "link",
        `<${server.url}/hosts?page=1>; rel="first", <${next}>; rel="next"`,
      );
    json(response, answers[url.pathname] ?? part);
  });
  onTestFinished(() => server.close());
  onTestFinished(closeSources);

  const sources = new Map([["main", makeSource({ baseUrl: server.url })]]);
  const outcome = await outcomeOf(detect, { sources });
  expect(outcome).toMatchObject({ status: "complete", reasons: [] });
  const keys = ["job", "disk", "host", "site"].flatMap((kind) =>
    [29, 129, 229].map((id) => `${kind}:${id}`),
  );
  expect([...outcome.keys]).toEqual(keys);
  expect(server.requests).toEqual([
    "/jobs?page=1&per_page=100",
    "/jobs?page=2&per_page=100",
    "/jobs?page=3&per_page=100",
    "/jobs?page=4&per_page=100",
    "/disks?limit=100&offset=0",
    "/disks?limit=100&offset=100",
    "/disks?limit=100&offset=200",
    "/hosts?per_page=100",
    "/hosts?page=2&per_page=100",
    "/hosts?page=3&per_page=100",
    "/sites/",
    "/sites/?page=2",
    "/sites/?page=3",
  ]);
});

const WAITING = `
import { FetchError } from "swf-alarms";
export const SOURCES = ["gracedb"];
export async function* detect(client) {
  const gracedb = client.source("gracedb");
  const paging = { style: "links.next", list: "superevents" };
  const ids = new Set((await client.firing()).map((key) => key.replace("superevent:", "")));
  for await (const row of gracedb.pages("superevents/", {}, paging)) ids.add(row.superevent_id);
  for (const id of ids) {
    try {
      const answer = await gracedb.find(\`superevents/\${id}/labels/\`);
      if (answer?.labels.some(({ name }) => name === "ADVREQ")) yield { dedupeKey: \`superevent:\${id}\` };
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
    }
  }
}`;

test("the example of a test in docs/alarms.md passes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-example-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "fixtures"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(ROOT, join(folder, "node_modules", "swf-alarms"));
  const superevents = ["S1", "S2"].map((superevent_id) => ({ superevent_id }));
  const page = { superevents, links: { next: null }, numRows: 2 };
  writeFileSync(join(folder, "fixtures", "superevents.json"), JSON.stringify(page));
  writeFileSync(join(folder, "gracedb_waiting.ts"), WAITING);
  const source = /<!-- example: test -->\n```js\n(.*?)```/su.exec(docPage("alarms.md"))?.[1] ?? "";
  writeFileSync(join(folder, "gracedb_waiting.test.mjs"), source);
  const options = { cwd: folder, env: cleanEnvironment() };
  const args = ["--test", "gracedb_waiting.test.mjs"];
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  expect(stdout).toMatch(/^[#ℹ] pass 1$/m);
});

describe("a module that uses what is shipped has its types", () => {
  const examples = [...DOC_EXAMPLES.values()];
  const everyEnding = `import { numberOf } from "swf-alarms/lib/fields";
import { show } from "swf-alarms/lib/fields.ts";
import { quote } from "swf-alarms/lib/fields.js";
export * from "swf-alarms/alarms/panda_failure_rate_owner";
export const TITLE: string = quote(show(numberOf(3)));
import { testAlarm, type TestOutcome } from "swf-alarms/testing";
export const outcome: Promise<TestOutcome> = testAlarm(new URL("file:///a.ts"), {
  params: { limit: 2 },
  responses: { "/a": (request) => ({ status: 200, body: request.query.x }), gracedb: { "b/": [] } },
  firing: ["a", { dedupeKey: "b", since: 3 }],
});
// @ts-expect-error: it returns a number or null.
export const wrong: string = numberOf(3);`;

  /** What the compiler must not ask of authors: casts, index signatures, a package.json. */
  const plain = `import type { AlarmClient, Detection } from "swf-alarms";
interface Queue { name: string; depth: number; tags?: string[] }
export const limit = await Promise.resolve(3);
export const here = new URL("./limits.json", import.meta.url);
export async function* detect(client: AlarmClient): AsyncGenerator<Detection> {
  const queues = await client.get<Queue[]>("/queues/");
  const before = await client.previous<Record<string, Queue>>();
  client.remember(Object.fromEntries(queues.map((queue) => [queue.name, queue])));
  for (const queue of queues) {
    const answer = await client.request<{ ok?: boolean }>("/search", { method: "POST", body: queue, scope: queue.name });
    const depth = before?.value[queue.name]?.depth ?? 0;
    if (!answer.ok || answer.value.ok === false) yield { dedupeKey: queue.name };
    else if (queue.depth > depth + limit)
      yield { dedupeKey: queue.name, data: { queue }, recipients: "ana@example.org @shift" };
  }
  const list: { style: "page"; list: string } = { style: "page", list: "rows" };
  for await (const { name, tags } of client.pages<Queue>("/all/", { tag: undefined }, list))
    if (tags?.includes("bad")) yield { dedupeKey: name, severity: tags.length > 2 ? "error" : "warning" };
}`;

  async function check(folder: string, settings: string, sources: readonly string[]) {
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "tsconfig.json"), settings);
    for (const [index, source] of sources.entries())
      writeFileSync(join(folder, `module_${index}.ts`), source);
    await checkTypes(folder);
  }

  test.each(["commonjs", "module"])(
    "with the settings of docs/alarms.md, type %s",
    async (type) => {
      expect(examples.length).toBeGreaterThanOrEqual(5);
      const folder = mkdtempSync(join(tmpdir(), "swf-alarms-types-"));
      writeFileSync(join(folder, "package.json"), JSON.stringify({ type }));
      await check(folder, AUTHOR_SETTINGS, [...examples, everyEnding, plain]);
    },
  );

  test("where the package is installed beside it, without paths", async () => {
    const folder = mkdtempSync(join(tmpdir(), "swf-alarms-types-"));
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(ROOT, join(folder, "node_modules", "swf-alarms"));
    const settings = AUTHOR_SETTINGS.replace(/,\s*"paths": \{.*?\}/su, "");
    expect(settings).not.toContain("paths");
    await check(folder, settings, [...examples, everyEnding, plain]);
  });
});
