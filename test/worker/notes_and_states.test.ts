import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Outcome } from "../../src/core/model.ts";
import { WorkerPool } from "../../src/worker/worker_pool.ts";
import { NOTHING_STORED } from "../support/client_facts.ts";

const LIMITS = { timeout: 30, memory: 256, detections: 100 };

let folder = "";
let workers: WorkerPool;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "swf-alarms-notes-"));
  workers = new WorkerPool({
    limits: LIMITS,
    cpuTime: 60,
    log: () => {},
    redact: (text) => text.replace("s3cret", "***"),
    signal: new AbortController().signal,
  });
});
afterEach(async () => {
  await workers.close();
  rmSync(folder, { recursive: true, force: true });
});

type OnStates = Parameters<WorkerPool["detect"]>[0]["onStates"];

async function detect(body: string, onStates?: OnStates): Promise<Outcome> {
  const path = join(folder, "x.mjs");
  writeFileSync(path, `export async function* detect(client) { ${body} }`);
  return await workers.detect({
    ...NOTHING_STORED,
    file: { name: "x", path },
    params: {},
    sources: new Map(),
    now: 0,
    limits: LIMITS,
    paramsOf: () => ({}),
    decideDetails: () => () => true,
    stages: [],
    log: () => {},
    onStates,
  });
}

test("notes leave the outcome complete; each is there once, on one line, and only the first five", async () => {
  const { status, notes } = await detect(`
    client.note("the token is s3cret\\nhere");
    for (let count = 0; count < 2; count++) for (let n = 1; n < 9; n++) client.note(n);
    setTimeout(() => client.note("too late"), 0);`);
  expect({ status, notes }).toEqual({
    status: "complete",
    notes: ["the token is *** here", "1", "2", "3", "4", "and 4 more notes"],
  });
});

const STATES = `
  const verdict = (name, state) => ({ expectation: { name, want: name, within: 1 }, state });
  client.states("S1", [verdict("map", "met")]);
  client.states("S2", []);
  client.states("S1", [verdict("map", "late"), verdict("notice", "waiting")]);`;

test("the states of entities reach who asks for them", async () => {
  const seen: unknown[] = [];
  const { status } = await detect(STATES, (...states) => void seen.push(states));
  expect(status).toBe("complete");
  expect(seen).toEqual([
    ["S1", { map: "met" }],
    ["S2", {}],
    ["S1", { map: "late", notice: "waiting" }],
  ]);
});

test("nothing comes of them where nobody asks", async () => {
  const asked = await detect(STATES, () => {});
  const { seconds: _, ...quiet } = await detect(STATES);
  expect(asked).toMatchObject(quiet);
});
