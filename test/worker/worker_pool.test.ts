import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DetectLimits } from "../../src/core/model.ts";
import { WorkerPool } from "../../src/worker/worker_pool.ts";
import { type WholeOutcome, wholeOutcome } from "../support/run_detect.ts";

const LIMITS: DetectLimits = { timeout: 30, memory: 256, detections: 100 };
/** What a module's process is, told by its only detection. */
const TELLS = `export const detect = () => [{ dedupeKey: process.pid }];`;

let folder = "";
let tick = new AbortController();
let workers: WorkerPool;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "swf-alarms-workers-"));
  tick = new AbortController();
  workers = new WorkerPool({
    limits: LIMITS,
    cpuTime: 60,
    log: () => {},
    redact: (text) => text,
    signal: tick.signal,
  });
});
afterEach(async () => {
  await workers.close();
  rmSync(folder, { recursive: true, force: true });
});

async function detect(
  name: string,
  text: string,
  limits: Partial<DetectLimits> = {},
  firing: readonly string[] = [],
  log: () => void = () => {},
): Promise<WholeOutcome> {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, text);
  const outcome = await workers.detect({
    file: { name, path },
    params: {},
    sources: new Map(),
    now: 0,
    limits: { ...LIMITS, ...limits },
    firing: () => firing,
    paramsOf: () => ({}),
    decideDetails: () => () => true,
    log,
  });
  return wholeOutcome(outcome);
}

/** Numbers of the processes that they ran in. */
function pidsOf(outcomes: readonly WholeOutcome[]): readonly (string | undefined)[] {
  return outcomes.map(({ detections }) => detections[0]?.dedupeKey);
}

describe("a process", () => {
  test("that a module leaves as it was runs the next one", async () => {
    const [first, second] = pidsOf([await detect("a", TELLS), await detect("b", TELLS)]);
    expect(first).toBeDefined();
    expect(second).toBe(first);
  });

  test("that has loaded a module runs it before those that it would have to load", async () => {
    const ended: string[] = [];
    await detect("a", TELLS);
    await Promise.all(
      ["a", "b", "a"].map(async (name) => {
        await detect(name, TELLS);
        ended.push(name);
      }),
    );
    expect(ended).toEqual(["a", "a", "b"]);
  });

  test("is left as it was by one that yields many at once, too", async () => {
    const many = `export const detect = () => Array.from({ length: 300 }, (_, dedupeKey) => ({ dedupeKey: dedupeKey || process.pid }));`;
    const [first, second] = pidsOf([
      await detect("a", many, { detections: 1000 }),
      await detect("b", TELLS),
    ]);
    expect(second).toBe(first);
  });

  test.each([
    ["changes a global", "Array.prototype.extra = 1;"],
    ["leaves a timer", "setInterval(() => {}, 1000);"],
    ["leaves a listener", 'process.on("SIGUSR2", () => {});'],
    ["throws behind its back", "Promise.reject(new Error());"],
  ])("in which a module %s runs no other", async (_, text) => {
    const [first, second] = pidsOf([
      await detect(
        "a",
        `export const detect = () => { ${text} return [{ dedupeKey: process.pid }]; };`,
      ),
      await detect("b", TELLS),
    ]);
    expect(first).toBeDefined();
    expect(second).not.toBe(first);
  });

  test("has the memory limit of its alarm", async () => {
    const [first, second] = pidsOf([
      await detect("a", TELLS),
      await detect("b", TELLS, { memory: 300 }),
    ]);
    expect(second).not.toBe(first);
  });

  test("gets the keys of its alarm's active events on request", async () => {
    const asks = `export async function* detect(client) { for (const dedupeKey of await client.firing()) yield { dedupeKey }; }`;
    expect(await detect("a", asks, {}, ["task:1", "task:2"])).toMatchObject({
      status: "complete",
      detections: [{ dedupeKey: "task:1" }, { dedupeKey: "task:2" }],
    });
  });

  test("is one of at most sixteen, however many alarms wait", async () => {
    const waits = `export const detect = async () => { await new Promise((done) => setTimeout(done, 300)); return [{ dedupeKey: process.pid }]; };`;
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => detect(`a${index}`, waits)),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(Array(20).fill("complete"));
    expect(new Set(pidsOf(outcomes)).size).toBeLessThanOrEqual(16);
  });
});

test("what a module yielded long before it dies has arrived, however much", async () => {
  const dies = `export async function* detect() {
    for (let at = 0; at < 150; at++) yield { dedupeKey: at };
    await new Promise((done) => setTimeout(done, 300));
    process.kill(process.pid, "SIGKILL");
    await new Promise(() => {});
  }`;
  const { status, detections } = await detect("dies", dies, { detections: 1000 });
  expect(status).toBe("failed");
  expect(detections).toHaveLength(150);
});

describe("what one module does to its process is not held against the next", () => {
  const later = `export const detect = () => { setTimeout(() => process.exit(1), 100).unref(); return []; };`;
  const slow = `export const detect = async () => { await new Promise((done) => setTimeout(done, 1000)); return [{ dedupeKey: "b" }]; };`;

  test("a process that ends under it: it runs again in one of its own", async () => {
    expect(await detect("a", later)).toMatchObject({ status: "complete" });
    expect(await detect("b", slow)).toMatchObject({
      status: "complete",
      detections: [{ dedupeKey: "b" }],
    });
  });

  test("but its own end is its own", async () => {
    const exits = `export function* detect() { yield { dedupeKey: "a" }; process.exit(3); }`;
    expect(await detect("b", TELLS)).toMatchObject({ status: "complete" });
    expect(await detect("a", exits)).toMatchObject({
      status: "failed",
      cause: "module",
      reasons: ["the module exited the process with code 3"],
      detections: [{ dedupeKey: "a" }],
    });
  });
});

describe("when the tick's time is up", () => {
  const over = new Error("out of time: the tick's 2 s were over");

  test("what runs is ended; what it had yielded counts", async () => {
    const hangs = `export async function* detect(client) { yield { dedupeKey: "a" }; client.log("now"); await new Promise(() => {}); }`;
    const outcome = await detect("hangs", hangs, {}, [], () => tick.abort(over));
    expect(outcome).toMatchObject({
      status: "failed",
      reasons: [over.message],
      detections: [{ dedupeKey: "a" }],
    });
  });

  test("what has not begun says so", async () => {
    tick.abort(over);
    expect(await detect("a", TELLS)).toMatchObject({
      status: "failed",
      reasons: [`${over.message}; detect was not started`],
    });
    expect(await workers.load({ name: "a", path: join(folder, "a.mjs") })).toEqual({
      ok: false,
      error: `did not load ${join(folder, "a.mjs")}: ${over.message}`,
    });
  });
});
