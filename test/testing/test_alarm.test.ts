import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  type AlarmTest,
  type TestRequest,
  type TestResponse,
  testAlarm,
} from "../../src/testing.ts";

/** A module with this `detect`, and what stands before it. */
function write(detect: string, before = "", file = "my_alarm.ts"): string {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-testing-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, file);
  const client = file.endsWith(".ts") ? "client: AlarmClient, params: any" : "client, params";
  const types = file.endsWith(".ts") ? 'import type { AlarmClient } from "swf-alarms";\n' : "";
  writeFileSync(
    path,
    `${types}${before}\nexport async function* detect(${client}) {\n${detect}\n}\n`,
  );
  return path;
}

const LIST = `
  for await (const { id, severity } of client.pages("/tasks/", { days: 7 }))
    yield { dedupeKey: "task:" + id, severity };`;
const TASK_1 = { items: [{ id: 1 }], has_more: false, next_before_id: null };
const PARAMS = `export const PARAMS = {
  limit: { type: "number", required: true, description: "a" },
  days: { type: "integer", default: 7, description: "b" },
};`;

describe("the outcome", () => {
  test("has each detection as it is recorded", async () => {
    const module = write(
      `
      yield { dedupeKey: "a" };
      yield { dedupeKey: "b", subject: "S", body: "B", data: { n: 1 }, recipients: ["@shift"], severity: "error", stage: "late" };
      yield { dedupeKey: "c\\0", severity: "grave" };
      yield { dedupeKey: "d", clear: "it is over" };`,
      'export const STAGES = ["early", "late"];',
    );
    const bare = { subject: "a", body: "", data: {}, recipients: [] };
    expect(await testAlarm(module)).toEqual({
      status: "complete",
      reasons: [],
      detections: [
        { dedupeKey: "a", ...bare },
        {
          dedupeKey: "b",
          subject: "S",
          body: "B",
          data: { n: 1 },
          recipients: ["@shift"],
          severity: "error",
          stage: "late",
        },
        { dedupeKey: "c\0", ...bare, subject: expect.stringMatching(/^c/) },
      ],
      clears: [{ dedupeKey: "d", clear: "it is over" }],
      notes: [expect.stringContaining("grave")],
      scopes: [],
      memory: undefined,
      requests: [],
      log: [],
    });
  });

  test.each<readonly [string, string, AlarmTest, object]>([
    ["what it logs", 'client.log("one"); client.log("two");', {}, { log: ["one", "two"] }],
    ["what it remembers", "client.remember({ n: 1 });", {}, { memory: { n: 1 } }],
    [
      "what it remembered before",
      "const { at, value } = await client.previous(); client.remember([at, value]);",
      { previous: { at: 5, value: { n: 1 } } },
      { memory: [5, { n: 1 }] },
    ],
    [
      "that it remembered nothing before",
      "client.remember(await client.previous() === undefined);",
      {},
      { memory: true },
    ],
    ["the time in seconds", "client.remember(client.now);", { now: 5 }, { memory: 5 }],
    [
      "the time as a text",
      "client.remember(client.now);",
      { now: "2026-08-20T12:00:00Z" },
      { memory: Date.UTC(2026, 7, 20, 12) / 1000 },
    ],
    [
      "the keys of active events",
      "client.remember(await client.firing());",
      { firing: ["a", { dedupeKey: "b\0" }] },
      { memory: ["a", "b\0"] },
    ],
    [
      "active events",
      "client.remember(await client.firingEvents());",
      { now: 9, firing: ["a", { dedupeKey: "b", since: 3, severity: "info", data: { n: 1 } }] },
      {
        memory: [
          { dedupeKey: "a", since: 9, data: {} },
          { dedupeKey: "b", since: 3, severity: "info", data: { n: 1 } },
        ],
      },
    ],
    [
      "that something was not seen",
      'client.incomplete("half of it");',
      {},
      { status: "partial", reasons: ["half of it"] },
    ],
    [
      "that it throws",
      'yield { dedupeKey: "a" }; throw new Error("no luck");',
      {},
      {
        status: "failed",
        reasons: [expect.stringMatching(/^detect threw Error: no luck .*my_alarm\.ts:4/)],
        detections: [{ dedupeKey: "a" }],
      },
    ],
    [
      "that it takes too long",
      "for (;;);",
      { limits: { timeout: 1 } },
      { status: "failed", reasons: [expect.stringContaining("did not end within 1 s")] },
    ],
    [
      "that it detects more than `[engine]` allows by default",
      "for (let n = 0; n <= 100_000; n++) yield { dedupeKey: n };",
      {},
      { status: "failed", reasons: [expect.stringContaining("more than 100000 detections")] },
    ],
    [
      "that it exits",
      "process.exit(3);",
      {},
      { status: "failed", reasons: ["the module exited the process with code 3"] },
    ],
    [
      "that a source is not configured",
      'await client.source("other").get("/");',
      {},
      {
        status: "failed",
        reasons: expect.arrayContaining([
          expect.stringContaining('the source "other" is not configured'),
        ]),
      },
    ],
  ])("says %s", async (_, detect, given, expected) => {
    expect(await testAlarm(write(detect), given)).toMatchObject(expected);
  });

  test("is that of a module in JavaScript too, by its URL", async () => {
    const module = write("yield { dedupeKey: typeof params };", "", "plain.mjs");
    for (const url of [pathToFileURL(module), pathToFileURL(module).href])
      expect(await testAlarm(url)).toMatchObject({ detections: [{ dedupeKey: "object" }] });
  });
});

describe("services", () => {
  test("answer with a list, and what they receive is in the outcome", async () => {
    const outcome = await testAlarm(write(LIST), { responses: { "/tasks/": TASK_1 } });
    expect(outcome).toMatchObject({
      status: "complete",
      detections: [{ dedupeKey: "task:1" }],
      requests: [
        { source: "main", method: "GET", path: "/tasks/", query: { days: "7", limit: "200" } },
      ],
    });
  });

  test("answer with one page after the other", async () => {
    const responses = {
      "/tasks/": { items: [{ id: 2 }], has_more: true, next_before_id: 2 },
      "/tasks/?before_id=2": TASK_1,
    };
    const { status, detections } = await testAlarm(write(LIST), { responses });
    expect(status).toBe("complete");
    expect(detections.map(({ dedupeKey }) => dedupeKey)).toEqual(["task:2", "task:1"]);
  });

  test("need no page that the module does not reach", async () => {
    const first = `for await (const { id } of client.pages("/tasks/")) { yield { dedupeKey: id }; break; }`;
    const tasks = { items: [{ id: 2 }], has_more: true, next_before_id: 2 };
    const other = { status: 400, body: "not needed" };
    const responses = { "/tasks/": tasks, "/tasks/?before_id=2": other };
    const outcome = await testAlarm(write(first), { responses });
    expect(outcome).toMatchObject({ status: "complete", detections: [{ dedupeKey: "2" }] });
  });

  test("have names, and those of SOURCES are there without responses", async () => {
    const module = write(
      `yield { dedupeKey: (await client.source("a").get("x/y")).key };`,
      'export const SOURCES = ["a", "b"];',
    );
    const outcome = await testAlarm(module, { responses: { a: { "x/y": { key: "k" } } } });
    expect(outcome).toMatchObject({
      status: "complete",
      detections: [{ dedupeKey: "k" }],
      requests: [{ source: "a", path: "/x/y" }],
    });
  });

  test("that have no such thing say so", async () => {
    const module = write('yield { dedupeKey: String(await client.find("/tasks/1/")) };');
    const outcome = await testAlarm(module, { responses: { "/tasks/1/": { status: 404 } } });
    expect(outcome).toMatchObject({ status: "complete", detections: [{ dedupeKey: "undefined" }] });
  });

  test.each<readonly [string, object | string, string]>([
    ["a status", { status: 400, body: "no" }, "status 400 no"],
    ["a status that a tick would send again", { status: 503, body: "out" }, "status 503 out"],
    [
      "a 404 that is not their own",
      { status: 404, body: "<p>" },
      "status 404, but not from the service itself: text/plain <p>; check base_url, and any proxy in front of it",
    ],
    ["a page to log in", "<html>Log in</html>", "status 200, but not JSON: <html>Log in</html>"],
  ])("that fail with %s make the outcome fail, and are asked once", async (_, response, reason) => {
    const outcome = await testAlarm(write(LIST), { responses: { "/tasks/": response } });
    expect(outcome).toMatchObject({
      status: "failed",
      reasons: [`GET /tasks/?days=7&limit=200 from main: ${reason}`],
      requests: [{}],
    });
  });

  test("whose connection breaks are asked once", async () => {
    const outcome = await testAlarm(write(LIST), { responses: { "/tasks/": Response.error() } });
    expect(outcome).toMatchObject({
      status: "failed",
      reasons: [
        expect.stringMatching(/ from main: connection closed before the response was complete/),
      ],
      requests: [{}],
    });
  });

  test.each<readonly [string, string, TestResponse, unknown]>([
    [
      "a text",
      '"/x", { as: "text" }',
      "up 1\n",
      { ok: true, status: 200, value: "up 1\n", date: 5 },
    ],
    [
      "an answer to a POST",
      '"/x", { method: "POST", body: { query: "{ a }" } }',
      ({ body }) => ({ data: body }),
      { ok: true, status: 200, value: { data: { query: "{ a }" } }, date: 5 },
    ],
    [
      "a failure",
      '"/x", { attempts: 3, scope: "x" }',
      { status: 503, body: "out" },
      {
        ok: false,
        kind: "status",
        status: 503,
        body: "out",
        reason: "GET /x from main: status 503 out",
      },
    ],
  ])("give client.request %s", async (_, call, response, expected) => {
    const module = write(`client.remember(await client.request(${call}));`);
    const outcome = await testAlarm(module, { responses: { "/x": response }, now: 5 });
    expect(outcome).toMatchObject({ status: "complete", memory: expected, requests: [{}] });
  });

  test("leave a gap under a prefix", async () => {
    const module = write(`
      await client.request("/a", { scope: "host:a" });
      client.incomplete("b is off", "host:b");
      yield { dedupeKey: "host:b:disk" };`);
    const outcome = await testAlarm(module, { responses: { "/a": { status: 400, body: "no" } } });
    expect(outcome).toMatchObject({
      status: "complete",
      scopes: [
        { prefix: "host:a", reason: "GET /a from main: status 400 no", isReported: false },
        { prefix: "host:b", reason: "b is off", isReported: true },
      ],
    });
  });

  test("that never answer are late", async () => {
    const silent = () => new Promise(() => {});
    const given = { responses: { "/tasks/": silent }, requestTimeout: 0.2 };
    expect((await testAlarm(write(LIST), given)).reasons).toEqual([
      "GET /tasks/?days=7&limit=200 from main: no response within 0.2 s",
    ]);
  });
});

describe("a spool", () => {
  const READS = `
    for await (const { event, serial, at, payload } of client.source("events").pages())
      yield { dedupeKey: event, data: { serial, at, payload } };`;
  const SOURCES = 'export const SOURCES = ["events"];';

  test("has the lines of the test, as if a listener had written them just now", async () => {
    const events = [{ event: "A" }, { event: "B", at: 900, payload: "x" }, { event: "C" }];
    const outcome = await testAlarm(write(READS, SOURCES), { now: 1000, responses: { events } });
    expect(outcome).toMatchObject({ status: "complete", reasons: [], notes: [] });
    expect(outcome.detections.map(({ dedupeKey, data }) => ({ dedupeKey, ...data }))).toEqual([
      { dedupeKey: "A", serial: 0, at: 1000, payload: "" },
      { dedupeKey: "B", serial: 1, at: 900, payload: "x" },
      { dedupeKey: "C", serial: 2, at: 1000, payload: "" },
    ]);
  });

  test("may have no line, and lines of several supervisors", async () => {
    const module = write(READS, SOURCES);
    expect(await testAlarm(module, { responses: { events: [] } })).toMatchObject({
      status: "complete",
      detections: [],
    });
    const events = [
      { event: "A", origin: "a:1", at: 0 },
      { event: "B", origin: "b:1", at: 0 },
      { event: "C", origin: "a:1", at: 0 },
    ];
    const { status, detections } = await testAlarm(module, { now: 1000, responses: { events } });
    expect(status).toBe("complete");
    expect(detections.map(({ data }) => data.serial)).toEqual([0, 0, 1]);
  });

  test("with a line that is none is an error of the test", async () => {
    const events = [{ event: "A" }, { event: "B", serial: "1" }];
    await expect(testAlarm(write(READS, SOURCES), { responses: { events } })).rejects.toThrow(
      /^responses: events\[1\] is \{"event":"B","serial":"1"\}, not a line of a spool, such as/,
    );
  });
});

describe("the parameters", () => {
  test("are checked, and have their defaults", async () => {
    const module = write("client.remember(params);", PARAMS);
    expect((await testAlarm(module, { params: { limit: 2 } })).memory).toEqual({
      limit: 2,
      days: 7,
    });
  });

  test.each([
    ["is missing", {}, "parameter limit has no value"],
    ["has another type", { limit: "2" }, 'parameter limit: must be a number, found "2"'],
    ["is mistyped", { limit: 2, dasy: 3 }, "unknown parameter dasy (did you mean days?)"],
    ["is unknown", { limit: 2, x: 3 }, "unknown parameter x (known: limit, days)"],
  ])("one that %s fails the test", async (_, params, message) => {
    const module = write("", PARAMS);
    await expect(testAlarm(module, { params })).rejects.toThrow(
      `testAlarm: params of my_alarm: ${message}`,
    );
  });
});

describe("a test that is wrong", () => {
  test("sends a request that has no response: the error names it, and the line of the test", async () => {
    const error: unknown = await testAlarm(write(LIST), { responses: { "/task/": TASK_1 } }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      message: expect.stringMatching(
        /^detect sent GET \/tasks\/\?days=7&limit=200 to main, which is not in responses \(did you mean "\/task\/"\?\)\. Add responses: \{ "\/tasks\/": … \};/,
      ),
      stack: expect.stringContaining("test_alarm.test.ts"),
    });
  });

  test("sends one even where the module catches the error", async () => {
    const module = write('try { await client.get("/a/"); } catch {}');
    await expect(testAlarm(module)).rejects.toThrow("detect sent GET /a/ to main");
  });

  test("has a function that throws", async () => {
    const thrown = new TypeError("no luck");
    const responses = {
      "/tasks/": () => {
        throw thrown;
      },
    };
    await expect(testAlarm(write(LIST), { responses })).rejects.toMatchObject({
      message: "responses: GET /tasks/ of main: no luck",
      cause: { cause: thrown },
    });
  });

  test.each<readonly [string, () => unknown, AlarmTest | object, RegExp]>([
    [
      "a file that is not there",
      () => "/no/such.ts",
      {},
      /^testAlarm: there is no file \/no\/such\.ts; write testAlarm\(new URL\("\.\/my_alarm\.ts", import\.meta\.url\)/,
    ],
    ["a folder", () => tmpdir(), {}, /^testAlarm: there is no file /],
    [
      "the module itself",
      () => ({ detect() {} }),
      {},
      /^testAlarm takes the file of a module, not \{"detect":"\[function\]"\}; write/,
    ],
    [
      "a module without detect",
      () => write("", "export const detect = 1;", "x.mjs"),
      {},
      /cannot load .*x\.mjs: .*detect/,
    ],
    [
      "a module that throws",
      () => write("", 'throw new Error("at once");'),
      {},
      /cannot load .*my_alarm\.ts: at once/,
    ],
    [
      "an unknown option",
      () => write(""),
      { response: {} },
      /^testAlarm: unknown option response \(did you mean responses\?\)$/,
    ],
    [
      "a memory that JSON cannot hold",
      () => write(""),
      { previous: { at: 0, value: { day: new Date(0) } } },
      /^testAlarm: previous\.value is not a JSON value: day is /,
    ],
    [
      "an unknown limit",
      () => write(""),
      { limits: { timout: 1 } },
      /^testAlarm: unknown limit timout \(did you mean timeout\?\)$/,
    ],
    [
      "a time that is none",
      () => write(""),
      { now: "noon" },
      /^testAlarm: now is "noon"; write epoch seconds, or a UTC time such as/,
    ],
    [
      "responses of a source that are none",
      () => write(""),
      { responses: { tasks: [1] } },
      /^responses: tasks has no slash/,
    ],
  ])("has %s", async (_, module, given, message) => {
    // As a test in JavaScript may call it.
    const untyped = (...args: unknown[]) => Reflect.apply(testAlarm, undefined, args);
    await expect(untyped(module(), given)).rejects.toThrow(message);
  });
});

describe("calls of an XML-RPC service", () => {
  const module = () =>
    write(
      `
      const box = client.source("box");
      const state = await box.call("supervisor.getState");
      const name = await box.call("supervisor.getProcessInfo", ["a<b", 1], { scope: "box:" });
      yield { dedupeKey: "box", data: { state, name } };`,
      'export const SOURCES = ["box"];',
    );

  test("return a value, or what a function makes of their parameters", async () => {
    const now = 1_800_000_000;
    const outcome = await testAlarm(module(), {
      now,
      responses: {
        box: {
          "supervisor.getState()": "up",
          "supervisor.getProcessInfo()": ({ path, body }: TestRequest) => ({ path, body }),
        },
      },
    });
    expect(outcome).toMatchObject({
      status: "complete",
      reasons: [],
      detections: [
        {
          data: {
            state: { ok: true, value: "up", date: now },
            name: { ok: true, value: { path: "supervisor.getProcessInfo", body: ["a<b", 1] } },
          },
        },
      ],
      requests: [
        { source: "box", method: "POST", path: "supervisor.getState", query: {}, body: [] },
        { source: "box", path: "supervisor.getProcessInfo", body: ["a<b", 1] },
      ],
    });
  });

  const fault = { faultCode: 10, faultString: "BAD_NAME" };
  test.each<readonly [sentence: string, response: TestResponse, name: object, scopes: number]>([
    ["a fault", fault, { kind: "fault", code: 10, reason: "BAD_NAME" }, 0],
    ["a status", { status: 500 }, { kind: "status" }, 1],
    ["a body as it comes", { status: 200, body: "<html>" }, { kind: "response" }, 1],
    ["a connection that breaks", () => Response.error(), { kind: "connection" }, 1],
  ])("may end in %s", async (_, response, name, scopes) => {
    const responses = {
      box: { "supervisor.getState()": {}, "supervisor.getProcessInfo()": response },
    };
    const outcome = await testAlarm(module(), { responses });
    expect(outcome).toMatchObject({ status: "complete", detections: [{ data: { name } }] });
    expect(outcome.scopes).toHaveLength(scopes);
  });

  test("that have no response make the test fail", async () => {
    const responses = { box: { "supervisor.getStatus()": {} } };
    await expect(testAlarm(module(), { responses })).rejects.toThrow(
      'detect called supervisor.getState of box, which is not in responses (did you mean "supervisor.getStatus()"?). Add responses: { box: { "supervisor.getState()": … } }.',
    );
  });

  test("cannot return what is no JSON value", async () => {
    const responses = { box: { "supervisor.getState()": new Map() } };
    await expect(testAlarm(module(), { responses })).rejects.toThrow(
      "responses: POST supervisor.getState of box: not a value that XML-RPC has: the value is an instance of Map",
    );
  });
});
