import { describe, expect, test } from "vitest";
import { json } from "../support/http_server.ts";
import { makeSite } from "../support/site.ts";

/** What an author does wrong, the module, its outcome, and the reasons that `alarm try` prints below that. */
type Row = [what: string, module: string, outcome: "failed" | "partial", reasons: string[]];

/** Tries a module. Its path in a text is MINE. */
async function tryModule(text: string, engine = "", ...args: readonly string[]) {
  const site = await makeSite({ engine });
  site.source.answer = (_, response, url) => {
    if (url.pathname === "/list/") json(response, [{ key: "a" }]);
    else json(response, { items: [{ key: "a" }], has_more: false, next_before_id: null });
  };
  site.module("mine.mjs", text);
  const { code, stdout, stderr } = await site.command(["alarm", "try", "mine", ...args]);
  const path = `${site.alarmsDir}/mine.mjs`;
  const lines = stdout.replaceAll(path, "MINE").split("\n");
  const at = lines.findIndex((line) => line.startsWith("outcome "));
  const below = lines.slice(at + 1);
  const end = below.findIndex((line) => !line.startsWith("  "));
  return {
    code,
    outcome: lines[at]?.replace(/:.*/, ""),
    reasons: below.slice(0, end).map((line) => line.trimStart()),
    stderr,
  };
}

async function expectErrors([, text, outcome, reasons]: Row, engine?: string): Promise<void> {
  expect(await tryModule(text, engine)).toEqual({
    code: 1,
    outcome: `outcome ${outcome}`,
    reasons,
    stderr: "",
  });
}

const NOTHING = "export function* detect() {}";

describe("an export", () => {
  test.each<Row>([
    [
      "that is misspelt",
      `export const TITEL = "x";\n${NOTHING}`,
      "failed",
      ["MINE: it exports TITEL (did you mean TITLE?)"],
    ],
    [
      "in lower case",
      `export const params = {};\n${NOTHING}`,
      "failed",
      ["MINE: it exports params (did you mean PARAMS?)"],
    ],
    [
      "detect that is misspelt",
      "export function* detekt() {}",
      "failed",
      [
        "MINE: it must export a function detect(client, params), found undefined; it exports detekt (did you mean detect?)",
      ],
    ],
    [
      "detect as the default",
      "export default function* () {}",
      "failed",
      [
        "MINE: it must export a function detect(client, params), found undefined; it exports default (did you mean detect?)",
      ],
    ],
    [
      "PARAMS with an unknown type",
      `export const PARAMS = { days: { type: "int", description: "how far back" } };\n${NOTHING}`,
      "failed",
      [expect.stringMatching(/^MINE: PARAMS\.days: type must be one of number, .*, found "int"$/)],
    ],
    [
      "NETWORK with another value",
      `export const NETWORK = true;\n${NOTHING}`,
      "failed",
      [
        'MINE: NETWORK must be "own" (the module answers for requests that it makes without the client), or be left out, found true',
      ],
    ],
  ])("%s", async (...row) => expectErrors(row));
});

describe("an import", () => {
  test.each<Row>([
    [
      "of a file that is not there",
      `import { a } from "./lib/a.ts";\n${NOTHING}`,
      "failed",
      ["cannot load MINE: Cannot find module './lib/a.ts' (a regular file) imported from MINE"],
    ],
    [
      "of a package that is not there",
      `import pad from "left-pad";\n${NOTHING}`,
      "failed",
      [
        "cannot load MINE: Cannot find package 'left-pad' imported from MINE; install it in a node_modules folder beside the file or above it",
      ],
    ],
    [
      "of a misspelt helper",
      `import { parseUTC } from "swf-alarms";\n${NOTHING}`,
      "failed",
      [
        "cannot load MINE: The requested module 'swf-alarms' does not provide an export named 'parseUTC' (did you mean parseUtc?)",
      ],
    ],
    [
      "of a type as if it were a value",
      `import { AlarmClient } from "swf-alarms";\n${NOTHING}`,
      "failed",
      [
        "cannot load MINE: The requested module 'swf-alarms' does not provide an export named 'AlarmClient'; it exports FetchError, Track, age, checkGraph, duration, expectedSet, explainConnection, follow, horizon, judge, leftLookBack, parseUtc, replay, toDot, utcMinute, utcSecond, wilsonLower, and types, for which write \"import type\"",
      ],
    ],
    [
      "of a misspelt file of the shipped library",
      `import { parseTask } from "swf-alarms/lib/panda_tasks";\n${NOTHING}`,
      "failed",
      [
        expect.stringMatching(
          /^cannot load MINE: cannot find "swf-alarms\/lib\/panda_tasks", imported from MINE; the package has in swf-alarms\/lib\/ .*\bpanda_task,/,
        ),
      ],
    ],
  ])("%s", async (...row) => expectErrors(row));
});

describe("a missing await", () => {
  const RUNNING =
    "a request was still running when detect ended; await each one, and limit its time with the option timeout of client.request";
  const LOST = 'write "for await" for client.pages, and "await" for any other call of the client';
  test.each<Row>([
    [
      "before a request whose response is read",
      `export async function* detect(client) {
  const tasks = client.get("/list/");
  for (const task of tasks) yield { dedupeKey: task.key };
}`,
      "failed",
      [
        RUNNING,
        `detect threw TypeError: tasks is not iterable (at Object.detect (MINE:3:22)); ${LOST}`,
      ],
    ],
    [
      "before a request whose response has no such field then",
      `export async function* detect(client) {
  const task = client.get("/list/");
  if (task.failed) yield { dedupeKey: task.key };
}`,
      "partial",
      [RUNNING],
    ],
    [
      "in a loop over pages",
      `export async function* detect(client) {
  for (const task of client.pages("/things/")) yield { dedupeKey: task.key };
}`,
      "failed",
      [
        `detect threw TypeError: client.pages is not a function or its return value is not iterable (at Object.detect (MINE:2:29)); ${LOST}`,
      ],
    ],
    [
      "before a call that fails",
      `export async function* detect() {
  check();
}
async function check() {
  throw new Error("no luck");
}`,
      "partial",
      ["unhandled error in the module: no luck (at check (MINE:5:9)); is an await missing?"],
    ],
    [
      "before what is yielded",
      `export function* detect(client) {
  yield client.get("/list/");
}`,
      "partial",
      [
        'yielded a detection whose dedupeKey is undefined; it must be a string that names the entity, such as "task:123"',
        RUNNING,
      ],
    ],
  ])("%s", async (...row) => expectErrors(row));
});

describe("a parameter", () => {
  const DAYS = `export const PARAMS = { days: { type: "integer", required: true, min: 1, description: "how far back" } };\n${NOTHING}`;
  test.each([
    [
      "of another type",
      "days=many",
      'swf-alarms: parameter days: must be an integer, found "many"',
    ],
    ["out of its range", "days=0", "swf-alarms: parameter days: must be at least 1, found 0"],
    ["with a misspelt name", "dais=1", "swf-alarms: unknown parameter dais (did you mean days?)"],
  ])("%s", async (_, given, error) => {
    const result = await tryModule(DAYS, "", "--param", given);
    expect(result).toEqual({ code: 2, outcome: undefined, reasons: [], stderr: `${error}\n` });
  });

  test("that is required and not given", async () => {
    await expectErrors(["", DAYS, "failed", ["not configured: parameter days has no value"]]);
  });
});

describe("detect", () => {
  test.each<Row>([
    [
      "throws",
      `export function* detect() {
  throw new Error("no disk on node 7");
}`,
      "failed",
      ["detect threw Error: no disk on node 7 (at Object.detect (MINE:2:9))"],
    ],
    [
      "reads a field of nothing",
      `export async function* detect(client) {
  const response = await client.get("/list/");
  yield { dedupeKey: response.task.key };
}`,
      "failed",
      [
        "detect threw TypeError: Cannot read properties of undefined (reading 'key') (at Object.detect (MINE:3:36))",
      ],
    ],
    [
      "throws in Node's own code",
      `export function* detect() {
  JSON.parse("{");
}`,
      "failed",
      [expect.stringMatching(/^detect threw SyntaxError: .* \(at Object\.detect \(MINE:2:8\)\)$/)],
    ],
    [
      "returns nothing",
      "export async function detect() {}",
      "failed",
      [
        "detect returned undefined; it must be a generator (function*) or return a list of detections",
      ],
    ],
    [
      "reads a list that does not page",
      `export async function* detect(client) {
  for await (const task of client.pages("/list/")) yield { dedupeKey: task.key };
}`,
      "failed",
      [expect.stringMatching(/^GET \/list\/ from main: page 1: .*; use client\.get$/)],
    ],
    [
      "uses fetch",
      `export async function* detect() {
  const response = await fetch("https://service.example/");
}`,
      "failed",
      [
        'detect threw TypeError: fetch is not available to alarms; use client.request, or export NETWORK = "own" and report each failure with client.incomplete (at Object.detect (MINE:2:26))',
      ],
    ],
    [
      "connects without the client",
      `import { get } from "node:http";
export async function* detect() {
  await new Promise((resolve) => get("http://127.0.0.1:1/").on("error", resolve));
}`,
      "partial",
      [
        'the module connected to 127.0.0.1:1 without the client, so the engine does not see what fails; use client.request, or export NETWORK = "own" and report each failure with client.incomplete',
      ],
    ],
    [
      "asks an unknown source",
      `export async function* detect(client) {
  await client.source("gracedb").get("superevents/");
}`,
      "failed",
      [
        'detect threw Error: the source "gracedb" is not configured (known: main); add [sources.gracedb] with its base_url (at Object.detect (MINE:2:16))',
      ],
    ],
    [
      "asks for an address",
      `export async function* detect(client) {
  await client.get("https://service.example/list/");
}`,
      "failed",
      [
        'detect threw Error: the path is the address "https://service.example/list/"; write the path alone, and client.source(name).get for the service of [sources.<name>] (at Object.detect (MINE:2:16))',
      ],
    ],
    [
      "asks with a query that is a text",
      `export async function* detect(client) {
  await client.get("/list/", "days=1");
}`,
      "failed",
      [
        'detect threw Error: the query is "days=1", not an object such as { days: 1 } (at Object.detect (MINE:2:16))',
      ],
    ],
    [
      "asks with a query whose value is a list",
      `export async function* detect(client) {
  await client.get("/list/", { status: ["a", "b"] });
}`,
      "failed",
      [
        'detect threw Error: status in the query is ["a","b"], not a string, number or boolean (at Object.detect (MINE:2:16))',
      ],
    ],
    [
      "exits",
      "export function* detect() { process.exit(1); }",
      "failed",
      ["the module exited the process with code 1"],
    ],
  ])("%s", async (...row) => expectErrors(row));

  test.each<Row>([
    [
      "never ends",
      "export function* detect() { while (true) {} }",
      "failed",
      [
        "out of time: detect did not end within 2 s; it blocked the event loop; worker killed; look for a loop that does not end",
      ],
    ],
    [
      "waits for ever",
      "export async function* detect() { await new Promise(() => {}); }",
      "failed",
      ["out of time: detect did not end within 2 s"],
    ],
  ])("%s", async (...row) => expectErrors(row, "alarm_timeout = 2"));
});

describe("a detection", () => {
  test.each<Row>([
    [
      "without a dedupeKey",
      'export function* detect() { yield { subject: "x" }; }',
      "partial",
      [
        'yielded a detection whose dedupeKey is undefined; it must be a string that names the entity, such as "task:123"',
      ],
    ],
    [
      "with a misspelt one",
      'export function* detect() { yield { dedupe_key: "x" }; }',
      "partial",
      ["yielded a detection with the key dedupe_key (did you mean dedupeKey?)"],
    ],
    [
      "that is a text",
      'export function* detect() { yield "x"; }',
      "partial",
      [expect.stringMatching(/^yielded "x"; a detection is \{ dedupeKey, .*ends an event$/)],
    ],
  ])("%s", async (...row) => expectErrors(row));
});
