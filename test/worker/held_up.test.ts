import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WorkerPool } from "../../src/worker/worker_pool.ts";
import { NOTHING_STORED } from "../support/client_facts.ts";
import { json, startServer, type TestServer } from "../support/http_server.ts";
import { closeSources, getJson, makeSource } from "../support/sources.ts";

let folder = "";
let server: TestServer;
let workers: WorkerPool;
const limits = { timeout: 1, memory: 256, detections: 100 };
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "swf-alarms-held-up-"));
  server = await startServer((request, response) => {
    if (request.url !== "/silent") json(response, {});
  });
  workers = new WorkerPool({
    limits,
    cpuTime: 60,
    log: () => {},
    redact: (text) => text,
    signal: new AbortController().signal,
  });
});
afterEach(async () => {
  await workers.close();
  await closeSources();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const LATE = "out of time: detect did not end within 1 s";

test.each<[string, string, string]>([
  [
    "for a request that the limit of its source holds up: it names the setting",
    `await client.get("/b");`,
    `${LATE}; requests to main waited for max_per_minute = 1`,
  ],
  [
    "for several sources: each one that holds up requests",
    `await Promise.all([client.get("/b"), client.get("/c"), client.source("other").get("/b"), client.source("free").get("/silent")]);`,
    `${LATE}; requests to main waited for max_per_minute = 1; requests to other waited for max_per_minute = 1`,
  ],
  [
    "for another source than the one that holds up requests of other alarms",
    `await client.source("free").get("/silent");`,
    LATE,
  ],
  [
    "for nothing that it has requested",
    "await new Promise((done) => setTimeout(done, 20_000));",
    LATE,
  ],
])("an alarm runs out of time while it waits %s", async (_, body, expected) => {
  const main = makeSource({ baseUrl: server.url, maxPerMinute: 1 });
  const other = makeSource({ baseUrl: server.url, maxPerMinute: 1, name: "other" });
  const free = makeSource({ baseUrl: server.url, name: "free" });
  for (const source of [main, other]) await getJson(source, "/a");
  const alarmsEnd = new AbortController();
  const ofAnotherAlarm = main.request({ path: "/z", query: {}, signal: alarmsEnd.signal });
  const path = join(folder, "waits.mjs");
  writeFileSync(path, `export async function* detect(client) { ${body} }`);
  const outcome = await workers.detect({
    file: { name: "waits", path },
    params: {},
    sources: new Map([
      ["main", main],
      ["other", other],
      ["free", free],
    ]),
    now: 0,
    limits,
    ...NOTHING_STORED,
    paramsOf: () => ({}),
    decideDetails: () => () => true,
    stages: [],
    log: () => {},
  });
  expect(outcome).toMatchObject({ status: "failed", reasons: [expected] });
  alarmsEnd.abort(new Error("the other alarm has ended"));
  await expect(ofAnotherAlarm).rejects.toThrow("max_per_minute = 1");
});
