import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ModuleFile } from "../../src/alarm/discover.ts";
import type { DetectLimits } from "../../src/core/model.ts";
import { resolveParams } from "../../src/core/params.ts";
import type { SharedSource } from "../../src/source/share.ts";
import { writeAnswer } from "../../src/source/xmlrpc/write_answer.ts";
import { WorkerPool } from "../../src/worker/worker_pool.ts";
import { NOTHING_STORED } from "../support/client_facts.ts";
import { json, startServer, type TestServer } from "../support/http_server.ts";
import { textResponse } from "../support/responses.ts";
import { type WholeOutcome, wholeOutcome } from "../support/run_detect.ts";
import { closeSources, makeSource } from "../support/sources.ts";

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

interface Given {
  readonly limits?: Partial<DetectLimits>;
  /** Keys of the alarm's active events. */
  readonly firing?: readonly string[];
  readonly log?: (message: string) => void;
  readonly request?: SharedSource["request"];
  readonly kind?: SharedSource["kind"];
  readonly stages?: readonly string[];
}

function write(name: string, text: string): ModuleFile {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, text);
  return { name, path };
}

async function detect(name: string, text: string, given: Given = {}): Promise<WholeOutcome> {
  const { limits, firing = [], log = () => {}, request, kind = "http", stages = [] } = given;
  const outcome = await workers.detect({
    file: write(name, text),
    params: {},
    sources: new Map(request && [["main", { kind, maxConnections: 4, request }]]),
    now: 0,
    limits: { ...LIMITS, ...limits },
    ...NOTHING_STORED,
    firing: () => firing,
    paramsOf: ({ params }) => resolveParams(params, {}).params,
    decideDetails: () => () => true,
    stages,
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

  test("that has loaded what reads XML runs the next one", async () => {
    const calls = `export const detect = async (client) => {
      const { value } = await client.call("a.b");
      return [{ dedupeKey: process.pid + value }];
    };`;
    const request = async () => textResponse(writeAnswer(""));
    const [first, second] = pidsOf([
      await detect("a", calls, { request, kind: "xmlrpc" }),
      await detect("b", TELLS),
    ]);
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
      await detect("a", many, { limits: { detections: 1000 } }),
      await detect("b", TELLS),
    ]);
    expect(second).toBe(first);
  });

  test.each([
    ["leaves a timer", "setInterval(() => {}, 1000);"],
    ["leaves a loop", "setImmediate(function again() { setImmediate(again); });"],
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
      await detect("b", TELLS, { limits: { memory: 300 } }),
    ]);
    expect(second).not.toBe(first);
  });

  test("gets the keys of its alarm's active events on request", async () => {
    const asks = `export async function* detect(client) { for (const dedupeKey of await client.firing()) yield { dedupeKey }; }`;
    expect(await detect("a", asks, { firing: ["task:1", "task:2"] })).toMatchObject({
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
  const { status, detections } = await detect("dies", dies, { limits: { detections: 1000 } });
  expect(status).toBe("failed");
  expect(detections).toHaveLength(150);
});

describe("what a module says of an entity arrives:", () => {
  test("its severity and its stage", async () => {
    const text = `export const detect = () => [
      { dedupeKey: "a", severity: "error", stage: "initial" },
      { dedupeKey: "b", severity: "high" },
    ];`;
    const { levels, notes } = await detect("levels", text, { stages: ["initial"] });
    expect([...levels]).toEqual([["a", { severity: "error", stage: "initial" }]]);
    expect(notes).toEqual([expect.stringContaining('"b" has the severity "high"')]);
  });

  test("that its event has ended, in the order of the yields, also if the module dies", async () => {
    const text = `export function* detect() {
      for (let at = 0; at < 150; at++) yield { dedupeKey: at };
      yield { dedupeKey: "a", clear: "late by\\n120 s" };
      yield { dedupeKey: 149, clear: "is detected" };
      process.kill(process.pid, "SIGKILL");
      for (;;);
    }`;
    const outcome = await detect("clears", text, { limits: { detections: 1000 } });
    expect(outcome.status).toBe("failed");
    expect(outcome.detections).toHaveLength(150);
    expect([...outcome.clears]).toEqual([["a", "late by 120 s"]]);
    expect(outcome.notes).toEqual([expect.stringContaining('"149" is detected and cleared')]);
  });

  test("but no more clears than detections are allowed", async () => {
    const text = `export function* detect() {
      for (const dedupeKey of ["a", "b"]) yield { dedupeKey };
      for (const dedupeKey of ["c", "d", "c"]) yield { dedupeKey, clear: "x" };
      for (;;);
    }`;
    const outcome = await detect("floods", text, { limits: { detections: 2 } });
    expect(outcome).toMatchObject({
      status: "failed",
      reasons: [
        "detect yielded more than 2 clears; if that is expected, raise max_detections in the alarm's row or in [engine]",
      ],
    });
    expect([...outcome.clears.keys()]).toEqual(["c", "d"]);
  });
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

/** A module that counts its runs in a file, and then does this. */
function counted(then: string): string {
  return `import { appendFileSync } from "node:fs";
${PARAMS}
export async function* detect(client, { keys }) {
  appendFileSync(${JSON.stringify(join(folder, "runs"))}, "x");
  ${then}
}`;
}
const PARAMS = `export const PARAMS = { keys: { type: "list", default: ["a"].concat("b"), description: "x" } };`;

function runs(): number {
  return readFileSync(join(folder, "runs"), "utf8").length;
}

describe("in a process that another module has used, detect", () => {
  const unreachable = () => Promise.reject(new Error("status 502"));
  const answers = async () => textResponse("{}");
  const page = async () => textResponse("<html>");
  const yields = 'yield { dedupeKey: "a" };';
  const ends = 'yield { dedupeKey: "a", clear: "x" };';
  test.each<[string, number, string, Given]>([
    ["that detects all that is active", 1, yields, { firing: ["a"] }],
    ["that opens", 1, yields, {}],
    ["that clears", 2, yields, { firing: ["a", "b"] }],
    ["that says that an active event has ended", 2, ends, { firing: ["a"] }],
    ["that says so of what is not active", 1, ends, {}],
    [
      "whose request fails, and that ends an active event",
      2,
      `${ends} await client.get("/");`,
      { request: unreachable, firing: ["a"] },
    ],
    ["that throws", 2, 'throw new Error("own");', {}],
    ["that is incomplete by its own word", 2, 'client.incomplete("own");', {}],
    ["that is so for some keys", 2, 'client.incomplete("own", "a");', { firing: ["a"] }],
    [
      "whose request fails, for some keys",
      1,
      'await client.request("/", { scope: "a" });',
      { request: unreachable, firing: ["a"] },
    ],
    [
      "whose request fails, for others than one that clears",
      2,
      'await client.request("/", { scope: "a" });',
      { request: unreachable, firing: ["a", "b"] },
    ],
    ["that needs too long", 2, "await new Promise(() => {});", { limits: { timeout: 0.5 } }],
    ["whose request fails", 1, 'await client.get("/");', { request: unreachable }],
    [
      "whose request fails unseen",
      1,
      'await client.get("/").catch(() => {});',
      { request: unreachable, firing: ["b"] },
    ],
    ["whose response is not JSON", 1, 'await client.get("/");', { request: page }],
    [
      "whose response it cannot read",
      2,
      'JSON.parse = () => { throw 1; }; await client.get("/");',
      { request: answers },
    ],
    [
      "that waits too long for a response",
      1,
      'await client.get("/");',
      { request: () => new Promise(() => {}), limits: { timeout: 0.5 } },
    ],
  ])("%s runs %i times", async (_, times, then, given) => {
    await detect("first", TELLS);
    await detect("counted", counted(then), given);
    expect(runs()).toBe(times);
  });

  test("runs once if it is the first, whatever becomes of it", async () => {
    await workers.load(write("counted", counted("")));
    expect(await detect("counted", counted(""), { firing: ["a"] })).toMatchObject({
      status: "complete",
    });
    expect(runs()).toBe(1);
  });

  test("has its own parameters when it runs again, and the process is not used further", async () => {
    await workers.load(
      write("changes", "Array.prototype.concat = () => []; export const detect = () => [];"),
    );
    const text = counted("for (const dedupeKey of keys) yield { dedupeKey };");
    const lines: string[] = [];
    const log = (line: string) => void lines.push(line);
    expect(await detect("counted", text, { firing: ["a"], log })).toMatchObject({
      status: "complete",
      detections: [{ dedupeKey: "a" }, { dedupeKey: "b" }],
    });
    expect(lines).toEqual([
      expect.stringMatching(/^ran again in a process of its own, .*changes\.mjs/),
    ]);
    const joins = `export const detect = () => [].concat({ dedupeKey: String(process.pid) });`;
    expect((await detect("joins", joins)).detections).toHaveLength(1);
  });

  describe("that runs again after it has asked", () => {
    /** Yields what it was told in this run, and remembers which run that was. */
    const asks = (how: string) =>
      counted(`${how}
      client.remember(process.pid);
      yield { dedupeKey: process.pid, subject: JSON.stringify(answers) };`);
    const QUESTION = `{ method: "POST", body: { query: "{ sites }" } }`;

    /** A source that numbers its answers, and an alarm that runs twice because it clears. */
    async function askTwice(how: string): Promise<WholeOutcome> {
      const source = makeSource({ baseUrl: server.url });
      const request = source.request.bind(source);
      await detect("first", TELLS);
      const outcome = await detect("asks", asks(how), { firing: ["gone"], request });
      expect(runs()).toBe(2);
      return outcome;
    }

    let server: TestServer;
    beforeEach(async () => {
      server = await startServer((_request, response) => json(response, server.requests.length));
    });
    afterEach(async () => {
      await closeSources();
      await server.close();
    });

    test("with POST: the service is asked once, and both runs get the same answers", async () => {
      const how = `const answers = [];
        for (const _ of [1, 2]) answers.push((await client.request("/graphql", ${QUESTION})).value);`;
      const outcome = await askTwice(how);
      expect(outcome).toMatchObject({
        status: "complete",
        detections: [{ subject: "[1,2]" }],
        requests: { count: 2, bytes: 2 },
      });
      expect(server.requests).toEqual(["/graphql", "/graphql"]);
    });

    test("with GET: it is asked once, too", async () => {
      const how = `const answers = [await client.get("/a"), (await client.request("/b", { as: "text" })).value];`;
      expect(await askTwice(how)).toMatchObject({ detections: [{ subject: '[1,"2"]' }] });
      expect(server.requests).toEqual(["/a", "/b"]);
    });

    test("with a POST that fails: it has failed in both runs", async () => {
      server.answer = (_request, response) => json(response, server.requests.length, 503);
      const how = `const { ok, ...answers } = await client.request("/graphql", ${QUESTION});
        yield { dedupeKey: "gone", clear: "over" };`;
      expect(await askTwice(how)).toMatchObject({
        status: "partial",
        reasons: ["POST /graphql from main: status 503 1"],
        detections: [{ subject: expect.stringContaining('"status":503,"body":"1"') }],
      });
      expect(server.requests).toHaveLength(1);
    });

    test("what the first run remembered is dropped", async () => {
      const { memory, detections } = await askTwice("const answers = [];");
      expect(detections.map(({ dedupeKey }) => dedupeKey)).toEqual([memory]);
    });
  });

  test("of a second alarm with the same module runs again, too", async () => {
    const remembers = `const seen = new Set(); export const detect = () => ["a"].filter((key) => !seen.has(key) && seen.add(key)).map((dedupeKey) => ({ dedupeKey }));`;
    for (const _ of ["one alarm", "another"])
      expect(await detect("a", remembers, { firing: ["a"] })).toMatchObject({
        status: "complete",
        detections: [{ dedupeKey: "a" }],
      });
  });

  test("that runs again logs what it has not logged", async () => {
    await detect("first", TELLS);
    const lines: string[] = [];
    const log = (line: string) => void lines.push(line);
    const says = `client.log("same"); client.log("same"); client.log(process.pid);`;
    await detect("counted", counted(says), { firing: ["a"], log });
    expect(lines).toEqual([
      "same",
      "same",
      expect.stringMatching(/^\d+$/),
      expect.stringMatching(/^\d+$/),
    ]);
  });

  test("that runs again has all the text that a tick may have", { timeout: 60_000 }, async () => {
    await detect("first", TELLS);
    const much = `for (let at = 0; at < 3_500; at++) yield { dedupeKey: at, body: "x".repeat(50_000) };`;
    expect(
      await detect("counted", counted(much), { firing: ["a"], limits: { detections: 10_000 } }),
    ).toMatchObject({ status: "complete" });
    expect(runs()).toBe(2);
  });
});

test("a module that another one keeps from loading is loaded in a process of its own", async () => {
  await workers.load(
    write("freezes", "Object.freeze(Object.prototype); export const detect = () => [];"),
  );
  const classic = `function Task() {} Task.prototype.toString = () => "a"; export const detect = () => [];`;
  expect(await workers.load(write("classic", classic))).toMatchObject({ ok: true });
});

describe("when the tick's time is up", () => {
  const over = new Error("out of time: the tick's 2 s were over");

  test("what runs is ended; what it had yielded counts", async () => {
    const hangs = `export async function* detect(client) { yield { dedupeKey: "a" }; client.log("now"); await new Promise(() => {}); }`;
    const outcome = await detect("hangs", hangs, { log: () => tick.abort(over) });
    expect(outcome).toMatchObject({
      status: "failed",
      reasons: [over.message],
      detections: [{ dedupeKey: "a" }],
    });
  });

  test("what it ends while it runs again clears nothing", async () => {
    await detect("first", TELLS);
    const tells = counted(`yield { dedupeKey: "a" }; client.remember(1); client.log(process.pid);`);
    let lines = 0;
    const log = (): void => {
      lines += 1;
      if (lines === 2) tick.abort(over);
    };
    expect(await detect("counted", tells, { firing: ["b"], log })).toMatchObject({
      status: "partial",
      reasons: [
        `nothing clears, because detect could not run in a process of its own: ${over.message}`,
      ],
      detections: [{ dedupeKey: "a" }],
      memory: undefined,
    });
    expect(runs()).toBe(2);
  });

  test("nor does a clear that it yielded count", async () => {
    await detect("first", TELLS);
    const ends = `client.log(process.pid); client.incomplete("own"); yield { dedupeKey: "a", clear: "x" };`;
    let lines = 0;
    const log = (): void => {
      lines += 1;
      if (lines === 2) tick.abort(over);
    };
    const outcome = await detect("counted", counted(ends), { firing: ["a"], log });
    expect(outcome).toMatchObject({
      status: "partial",
      reasons: ["own", expect.stringMatching(/^nothing clears, because detect could not run/)],
    });
    expect(outcome.clears.size).toBe(0);
    expect(runs()).toBe(2);
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
