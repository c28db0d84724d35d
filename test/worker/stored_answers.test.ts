import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FiringEvent, Remembered } from "../../src/core/model.ts";
import type { JsonValue } from "../../src/text/json.ts";
import { WorkerPool } from "../../src/worker/worker_pool.ts";
import { NOTHING_STORED } from "../support/client_facts.ts";
import { type WholeOutcome, wholeOutcome } from "../support/run_detect.ts";

let folder = "";
let workers: WorkerPool;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "swf-alarms-stored-"));
  workers = new WorkerPool({
    limits: { timeout: 30, memory: 256, detections: 100 },
    cpuTime: 60,
    log: () => {},
    redact: (text) => text,
    signal: new AbortController().signal,
  });
});
afterEach(async () => {
  await workers.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Stored {
  readonly previous?: () => Promise<Remembered<JsonValue> | undefined>;
  readonly firing?: readonly string[];
  readonly firingEvents?: () => Promise<readonly FiringEvent[]>;
}

async function detect(name: string, body: string, stored: Stored = {}): Promise<WholeOutcome> {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, `export async function* detect(client) { ${body} }`);
  const outcome = await workers.detect({
    file: { name, path },
    params: {},
    sources: new Map(),
    now: 0,
    limits: { timeout: 30, memory: 256, detections: 100 },
    ...NOTHING_STORED,
    ...stored,
    firing: () => stored.firing ?? [],
    paramsOf: () => ({}),
    decideDetails: () => () => true,
    stages: [],
    log: () => {},
  });
  return wholeOutcome(outcome);
}

/** A promise that the test keeps. */
function later<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

const TELLS = `const { value } = (await client.previous()) ?? {}; yield { dedupeKey: process.pid + " " + value };`;

test("a late answer to a module that has ended is not taken for one to the next module in its process", async () => {
  const late = later<Remembered<JsonValue>>();
  const own = later<Remembered<JsonValue>>();
  const asked = later<void>();
  const first = await detect(
    "a",
    "client.previous().catch(() => {}); yield { dedupeKey: process.pid };",
    {
      previous: () => late.promise,
    },
  );
  const second = detect("b", TELLS, {
    previous: () => {
      asked.resolve();
      return own.promise;
    },
  });
  await asked.promise;
  late.resolve({ at: 1, value: "of a" });
  await late.promise;
  own.resolve({ at: 1, value: "of b" });
  const { detections } = await second;
  expect(detections.map(({ dedupeKey }) => dedupeKey)).toEqual([
    `${first.detections[0]?.dedupeKey} of b`,
  ]);
});

test("what is stored is read once in a run, however often the module asks", async () => {
  let reads = 0;
  const previous = async () => {
    reads += 1;
    return { at: 1, value: reads };
  };
  const { detections } = await detect(
    "a",
    "for (let n = 0; n < 100; n++) await client.previous(); const { value } = await client.previous(); yield { dedupeKey: value };",
    { previous },
  );
  expect(reads).toBe(1);
  expect(detections).toMatchObject([{ dedupeKey: "1" }]);
});

test("an answer that cannot be read is a reason, and no fault of the module", async () => {
  const firingEvents = () => Promise.reject(new Error("the server is gone"));
  const { status, cause, reasons } = await detect("a", "await client.firingEvents();", {
    firingEvents,
  });
  const reason = "cannot read what is stored of the alarm: the server is gone";
  expect({ status, cause, reasons }).toEqual({
    status: "failed",
    cause: "source",
    reasons: [reason],
  });
});

test("keys come back as the module named them, values as they were", async () => {
  const event = { dedupeKey: "a\\u0000", since: 5, severity: "error", stage: undefined } as const;
  const value = { __proto__x: ["\0\ud800", 9007199254740991] };
  const { detections } = await detect(
    "a",
    `const { at, value } = await client.previous();
     const [{ dedupeKey, since, severity, stage, data }] = await client.firingEvents();
     yield { dedupeKey, data: { text: JSON.stringify({ at, value, since, severity, stage: stage ?? "none", data }) } };`,
    {
      previous: async () => ({ at: 1.5, value }),
      firingEvents: async () => [{ ...event, data: { metric: "5%" } }],
      firing: ["a\\u0000"],
    },
  );
  expect(detections[0]?.dedupeKey).toBe("a\\u0000");
  expect(JSON.parse(String(detections[0]?.data.text))).toEqual({
    at: 1.5,
    value,
    since: 5,
    severity: "error",
    stage: "none",
    data: { metric: "5%" },
  });
});

test("what is remembered again and again costs no more than what is remembered once", async () => {
  const code = "for (let n = 0; n < 2_000; n++) client.remember({ n, text: 'x'.repeat(100_000) });";
  const { status, memory } = await detect("a", code);
  expect(status).toBe("complete");
  expect(memory).toBe(JSON.stringify({ n: 1_999, text: "x".repeat(100_000) }));
});
