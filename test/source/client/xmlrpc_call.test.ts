import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeClient } from "../../../src/source/client/alarm_client.ts";
import type { CallOptions } from "../../../src/source/client/client.ts";
import type { HttpSource } from "../../../src/source/http/http_source.ts";
import { readCall } from "../../../src/source/xmlrpc/read_call.ts";
import { writeAnswer, writeFault } from "../../../src/source/xmlrpc/write_answer.ts";
import { CLIENT_FACTS } from "../../support/client_facts.ts";
import { startServer, type TestServer } from "../../support/http_server.ts";
import { closeSources, makeSource } from "../../support/sources.ts";

let server: TestServer;
/** What the service has received. */
let heard: {
  url: string | undefined;
  method: string | undefined;
  type: string | undefined;
  body: string;
}[];
/** How it answers, one after the other; the last one stays. */
let answers: { readonly status?: number; readonly body: string }[];

beforeAll(async () => {
  server = await startServer(() => {});
});
beforeEach(() => {
  heard = [];
  answers = [{ body: writeAnswer({ statecode: 1 }) }];
  server.answer = async (request, response) => {
    const { url, method, headers } = request;
    heard.push({ url, method, type: headers["content-type"], body: await text(request) });
    const { status = 200, body = "" } = (answers.length > 1 ? answers.shift() : answers[0]) ?? {};
    response.writeHead(status, {
      "content-type": status === 200 ? "text/xml" : "text/html",
      date: "Fri, 15 Jan 2027 08:00:00 GMT",
    });
    response.end(body);
  };
});
afterEach(closeSources);
afterAll(() => server.close());

function watch(settings: Partial<Parameters<typeof makeSource>[0]> = {}) {
  const reasons: (readonly [reason: string, scope: string | undefined])[] = [];
  const baseUrl = `${server.url}/RPC2`;
  const source: HttpSource = makeSource({ name: "box", kind: "xmlrpc", baseUrl, ...settings });
  const client = makeClient(
    {
      ...CLIENT_FACTS,
      sources: new Map([["box", source]]),
      now: 0,
      onIncomplete: (reason, scope) => void reasons.push([reason, scope]),
    },
    "box",
  );
  return { client, source, reasons };
}

describe("a call", () => {
  test("is a POST to the address itself, and its value comes with the service's time", async () => {
    const { client, reasons } = watch();
    const params = ["a&b", 0, { deep: [true, null] }];
    const outcome = await client.call<{ statecode: number }>("supervisor.getState", params);
    expect(outcome).toEqual({ ok: true, value: { statecode: 1 }, date: 1_800_000_000 });
    // The claimed type compiles.
    expect(outcome.ok && outcome.value.statecode + 1).toBe(2);
    expect(heard).toMatchObject([{ url: "/RPC2", method: "POST", type: "text/xml" }]);
    expect(readCall(heard[0]?.body ?? "")).toEqual({ method: "supervisor.getState", params });
    expect(reasons).toEqual([]);
  });

  test("that the service answers with a fault is not a failed request", async () => {
    answers = [{ body: writeFault(10, "BAD_NAME: x") }];
    const { client, source, reasons } = watch();
    expect(await client.call("supervisor.getProcessInfo", ["x"])).toEqual({
      ok: false,
      kind: "fault",
      code: 10,
      reason: "BAD_NAME: x",
    });
    expect(reasons).toEqual([]);
    expect(source.counts).toEqual({ requests: 1, succeeded: 1, lastError: undefined });
  });

  test("is sent again like a GET, and as often as it says", async () => {
    answers = [{ status: 503, body: "busy" }, { body: writeAnswer("up") }];
    const { client, reasons } = watch();
    expect(await client.call("a")).toMatchObject({ ok: true, value: "up" });
    expect(reasons).toEqual([]);
    answers = [{ status: 503, body: "busy" }];
    expect(await client.call("a", [], { attempts: 1 })).toMatchObject({
      ok: false,
      kind: "status",
    });
    expect(heard).toHaveLength(3);
  });
});

describe("a failed call is a value and recorded", () => {
  test.each<
    readonly [sentence: string, answer: (typeof answers)[number], kind: string, reason: string]
  >([
    ["no login", { status: 401, body: "no" }, "status", "status 401 no; check the login"],
    [
      "a wrong address",
      { status: 404, body: "no" },
      "response",
      "status 404, but not from the service itself: text/html no; check base_url",
    ],
    ["an empty body", { body: "" }, "response", "status 200, but not XML-RPC: the body is empty"],
    [
      "a sign-in page",
      { body: "<html><title>Sign in</title></html>" },
      "response",
      'status 200, but not XML-RPC (the root is html, not methodResponse): HTML page "Sign in"',
    ],
    ["cut XML", { body: writeAnswer([1, 2, 3]).slice(0, -40) }, "response", "unclosed tag"],
  ])("%s", async (_, answer, kind, reason) => {
    answers = [answer];
    const { client, source, reasons } = watch();
    const outcome = await client.call("supervisor.getState");
    expect(outcome).toMatchObject({ ok: false, kind, code: undefined });
    const message = outcome.ok ? "" : outcome.reason;
    expect(message).toMatch(/^POST supervisor\.getState from box: /);
    expect(message).toContain(reason);
    expect(reasons).toEqual([[message, undefined]]);
    expect(source.counts).toMatchObject({ requests: 1, succeeded: 0 });
  });

  test("a response that does not come in time", async () => {
    server.answer = () => {};
    const { client, reasons } = watch();
    const outcome = await client.call("a.b", [], { timeout: 0.05, attempts: 1, scope: "box:" });
    const reason = "POST a.b from box: no response within 0.05 s";
    expect(outcome).toEqual({ ok: false, kind: "timeout", code: undefined, reason });
    expect(reasons).toEqual([[reason, "box:"]]);
  });

  test("a socket that is gone", async () => {
    const { client } = watch({ socketPath: "/no/such/supervisor.sock" });
    const outcome = await client.call("a.b", [], { attempts: 1 });
    expect(outcome).toMatchObject({
      kind: "connection",
      reason: expect.stringContaining(
        "POST a.b from box: the socket does not exist: connect ENOENT /no/such/supervisor.sock",
      ),
    });
  });
});

test("calls that fail for some entities do not stop the others: what worked is called again", async () => {
  const { client } = watch();
  answers = [{ body: writeAnswer("up") }];
  await client.call("a.works");
  server.answer = async (request, response) => {
    const works = (await text(request)).includes("a.works");
    response.writeHead(works ? 200 : 500, { "content-type": "text/xml" });
    response.end(writeAnswer("up"));
  };
  const outcomes = [];
  for (let id = 0; id < 12; id++)
    outcomes.push(await client.call("a.fails", [id], { attempts: 1 }));
  expect(outcomes.map((outcome) => outcome.ok || outcome.kind)).toEqual(Array(12).fill("status"));
});

describe("a wrong argument is an error of the module", () => {
  // Whatever a module without types passes.
  const odd = <T>(value: unknown): T => JSON.parse(JSON.stringify({ value })).value;
  const circular: unknown[] = [];
  circular.push(circular);

  test.each<
    readonly [method: string, params: readonly unknown[], options: CallOptions, reason: string]
  >([
    ["", [], {}, 'the method is "", not a name such as "supervisor.getState"'],
    ["a b", [], {}, 'the method is "a b"'],
    ["a: b", [], {}, 'the method is "a: b"'],
    [odd(5), [], {}, "the method is 5"],
    ["a", odd("x"), {}, 'the parameters of a are "x", not a list such as ["x"]'],
    ["a", [undefined], {}, "the parameters of a are not JSON values: [0] is undefined"],
    ["a", [() => {}], {}, "the parameters of a are not JSON values: [0] is a function"],
    ["a", [{ b: Number.NaN }], {}, "the parameters of a are not JSON values: [0].b is NaN"],
    ["a", [new Date(0)], {}, "[0] is an instance of Date"],
    ["a", circular, {}, "[0] is a part of itself"],
    ["a", ["\0"], {}, "the parameters of a have the character U+0000, which XML cannot contain"],
    ["a", [{ "\ud800": 1 }], {}, "the character U+D800"],
    ["a", ["x".repeat(2 ** 20)], {}, "the limit is 1 MiB"],
    ["a", [], odd(null), "the options are null, not an object such as { timeout: 5 }"],
    ["a", [], odd({ atempts: 1 }), 'call has no option "atempts" (did you mean attempts?)'],
    ["a", [], odd({ query: {} }), 'call has no option "query"'],
    ["a", [], { attempts: 11 }, "attempts is 11; it must be a whole number from 1 to 10"],
    ["a", [], { scope: "" }, 'scope is ""'],
  ])("%j %j %j", async (method, params, options, reason) => {
    const { client, reasons } = watch();
    await expect(client.call(method, params, options)).rejects.toThrow(reason);
    expect(reasons).toEqual([[expect.stringContaining(reason), undefined]]);
    expect(heard).toEqual([]);
  });

  test("and so is another method of the client", async () => {
    const { client } = watch();
    await expect(client.get("/x/")).rejects.toThrow("get is not for the source");
  });
});
