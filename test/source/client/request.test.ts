import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeClient } from "../../../src/source/client/alarm_client.ts";
import type { AlarmClient, RequestOptions } from "../../../src/source/client/client.ts";
import { FetchError } from "../../../src/source/fetch_error.ts";
import type { HttpSource } from "../../../src/source/http/http_source.ts";
import { CLIENT_FACTS } from "../../support/client_facts.ts";
import { json, startServer, type TestServer } from "../../support/http_server.ts";
import { closeSources, makeSource } from "../../support/sources.ts";

/** What the server has received. */
interface Heard {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly type: string | undefined;
  readonly accept: string | undefined;
  readonly body: string;
}

let server: TestServer;
let heard: Heard[];
beforeAll(async () => {
  server = await startServer(() => {});
});
beforeEach(() => {
  server.requests.length = 0;
  heard = [];
  server.answer = async (request, response) => {
    await hear(request);
    json(response, { ok: true });
  };
});
afterEach(closeSources);
afterAll(() => server.close());

async function hear(request: IncomingMessage): Promise<Heard> {
  const { method, url, headers } = request;
  const body = await text(request);
  const one = { method, url, type: headers["content-type"], accept: headers.accept, body };
  heard.push(one);
  return one;
}

interface Watched {
  readonly client: AlarmClient;
  readonly source: HttpSource;
  /** Why the module did not see everything, with the scope. */
  readonly reasons: (readonly [reason: string, scope: string | undefined])[];
}

function watch(source = makeSource({ baseUrl: server.url })): Watched {
  const reasons: (readonly [string, string | undefined])[] = [];
  const client = makeClient({
    ...CLIENT_FACTS,
    sources: new Map([["main", source]]),
    now: 0,
    onIncomplete: (reason, scope) => void reasons.push([reason, scope]),
  });
  return { client, source, reasons };
}

describe("a request", () => {
  test("without options is a GET, and its value comes with the service's time", async () => {
    server.answer = (_request, response) => {
      response.setHeader("date", "Fri, 15 Jan 2027 08:00:00 GMT");
      json(response, { rate: 0.5 });
    };
    const { client, reasons } = watch();
    const outcome = await client.request<{ rate: number }>("/x/", { query: { days: 1 } });
    expect(outcome).toEqual({ ok: true, status: 200, value: { rate: 0.5 }, date: 1_800_000_000 });
    // The claimed type compiles.
    expect(outcome.ok && outcome.value.rate + 1).toBe(1.5);
    expect(server.requests).toEqual(["/x/?days=1"]);
    expect(reasons).toEqual([]);
  });

  test.each<[sentence: string, options: RequestOptions, sent: Partial<Heard>]>([
    ["asks for JSON", {}, { method: "GET", accept: "application/json", type: undefined, body: "" }],
    ["asks for any text", { as: "text" }, { method: "GET", accept: "*/*" }],
    [
      "with POST sends a question as JSON",
      { method: "POST", body: { query: "{ sites }", variables: { days: 1, none: null } } },
      {
        method: "POST",
        accept: "application/json",
        type: "application/json",
        body: '{"query":"{ sites }","variables":{"days":1,"none":null}}',
      },
    ],
    [
      "with POST sends a text as it is",
      { method: "POST", body: "sites = é", as: "text" },
      { method: "POST", accept: "*/*", type: "text/plain; charset=utf-8", body: "sites = é" },
    ],
    [
      "with POST sends the content type that is named",
      { method: "POST", body: "{ sites }", type: "application/graphql", query: { a: 1 } },
      { url: "/x/?a=1", type: "application/graphql", body: "{ sites }" },
    ],
    ["with POST needs no body", { method: "POST" }, { method: "POST", type: undefined, body: "" }],
    ["with POST can send null", { method: "POST", body: null }, { body: "null" }],
  ])("%s", async (_sentence, options, sent) => {
    const { client } = watch();
    expect(await client.request("/x/", options)).toMatchObject({ ok: true, status: 200 });
    expect(heard).toEqual([expect.objectContaining(sent)]);
  });

  test("the headers of a source do not change what is asked for", async () => {
    const source = makeSource({
      baseUrl: server.url,
      headers: { Accept: "text/html", "Content-Type": "text/html" },
    });
    await watch(source).client.request("/x/", { method: "POST", body: [1] });
    expect(heard).toMatchObject([{ accept: "application/json", type: "application/json" }]);
  });
});

describe("as text", () => {
  test.each<[sentence: string, body: string | Buffer, value: string]>([
    ["lines of CSV", "site,rate\nBNL,0.5\n", "site,rate\nBNL,0.5\n"],
    ["metrics", "# HELP up\nup 1\n", "# HELP up\nup 1\n"],
    ["nothing", "", ""],
    ["a byte order mark is left out", "\ufeffa,b", "a,b"],
    ["JSON is not parsed", '{"id": 1e999}', '{"id": 1e999}'],
  ])("%s", async (_sentence, body, value) => {
    server.answer = (_request, response) => response.end(body);
    const { client, reasons } = watch();
    const outcome = await client.request("/x/", { as: "text" });
    expect(outcome).toMatchObject({ ok: true, value });
    // The type is that of a text, without a claim.
    expect(outcome.ok && outcome.value.length).toBe(value.length);
    expect(reasons).toEqual([]);
  });

  test("what is not UTF-8 is a failure", async () => {
    server.answer = (_request, response) => response.end(Buffer.from("caf\xe9", "latin1"));
    expect(await watch().client.request("/x/", { as: "text" })).toMatchObject({
      ok: false,
      kind: "response",
      status: 200,
      reason: "GET /x/ from main: status 200, but the body is not valid UTF-8",
    });
  });
});

describe("a failure is a value, and recorded", () => {
  const page = "<html><title>Log in</title>";
  test.each<
    [sentence: string, answer: TestServer["answer"], expected: object, reason: RegExp | string]
  >([
    [
      "an error of the service, with its body",
      (_request, response) => json(response, { error: "days must be >= 1" }, 400),
      { kind: "status", status: 400, body: '{"error":"days must be >= 1"}' },
      'GET /x/ from main: status 400 {"error":"days must be >= 1"}',
    ],
    [
      "a body that is not JSON, with that body",
      (_request, response) => response.end(page),
      { kind: "response", status: 200, body: page },
      'GET /x/ from main: status 200, but not JSON: HTML page "Log in"',
    ],
    [
      "a body that only begins like JSON",
      (_request, response) => response.end('{"items": ['),
      { kind: "response", status: 200, body: '{"items": [' },
      'GET /x/ from main: status 200, but not JSON: {"items": [',
    ],
    [
      "no response in time",
      () => {},
      { kind: "timeout", status: undefined, body: "" },
      "GET /x/ from main: no response within 0.05 s",
    ],
    [
      "a connection that breaks",
      (request) => void request.socket.destroy(),
      { kind: "connection", status: undefined, body: "" },
      /^GET \/x\/ from main: connection closed before the response was complete: /,
    ],
    [
      "a proxy's 404",
      (_request, response) => {
        response.writeHead(404, { "content-type": "text/html" });
        response.end("<html><title>Not Found</title>");
      },
      { kind: "response", status: undefined, body: "<html><title>Not Found</title>" },
      'GET /x/ from main: status 404, but not from the service itself: text/html HTML page "Not Found"; check base_url, and any proxy in front of it',
    ],
    [
      "a long body of an error is cut",
      (_request, response) => json(response, "x".repeat(100_000), 400),
      { kind: "status", status: 400, body: `"${"x".repeat(16 * 1024 - 1)}` },
      /^GET \/x\/ from main: status 400 "x+/,
    ],
  ])("%s", async (_sentence, answer, expected, reason) => {
    server.answer = answer;
    const { client, reasons } = watch();
    const isLate = "kind" in expected && expected.kind === "timeout";
    const timeout = isLate ? 0.05 : undefined;
    const outcome = await client.request("/x/", { attempts: 1, timeout, scope: "task:" });
    const recorded = outcome.ok ? "" : outcome.reason;
    expect(outcome).toEqual({ ok: false, ...expected, reason: recorded });
    if (typeof reason === "string") expect(recorded).toBe(reason);
    else expect(recorded).toMatch(reason);
    expect(reasons).toEqual([[recorded, "task:"]]);
  });

  test("the service's own 404 is a value, and nothing is missing", async () => {
    server.answer = (_request, response) => json(response, { error: "Task 9 not found" }, 404);
    const { client, reasons } = watch();
    expect(await client.request("/tasks/9/", { query: { a: 1 } })).toEqual({
      ok: false,
      kind: "status",
      status: 404,
      body: '{"error":"Task 9 not found"}',
      reason: 'GET /tasks/9/?a=1 from main: status 404 {"error":"Task 9 not found"}',
    });
    expect(reasons).toEqual([]);
  });

  test("a proxy's 404 is an error of find too, and is not sent again", async () => {
    server.answer = (_request, response) => {
      response.writeHead(404, { "content-type": "text/html" });
      response.end("<html><title>Not Found</title>");
    };
    const { client, reasons } = watch();
    await expect(client.find("/tasks/9/")).rejects.toMatchObject({
      name: "FetchError",
      kind: "response",
      status: undefined,
      body: "<html><title>Not Found</title>",
    });
    expect(reasons).toEqual([[expect.stringContaining("not from the service itself"), undefined]]);
    expect(server.requests).toHaveLength(1);
  });

  test("a 404 in a type of the service's other responses is its own", async () => {
    server.answer = (_request, response, url) => {
      response.writeHead(url.pathname === "/none" ? 404 : 200, { "content-type": "text/plain" });
      response.end("no such site");
    };
    const { client, reasons } = watch();
    expect((await client.request("/none", { as: "text" })).ok).toBe(false);
    expect(reasons).toHaveLength(1);
    await client.request("/some", { as: "text" });
    expect(await client.request("/none", { as: "text", attempts: 2 })).toMatchObject({
      kind: "status",
      status: 404,
    });
    expect(reasons).toHaveLength(1);
  });
});

describe("a wrong argument is an error that is recorded, and no request", () => {
  const post = { method: "POST" };
  test.each<[sentence: string, args: readonly unknown[], says: string]>([
    ["an unknown option", ["/x/", { methd: "POST" }], 'no option "methd" (did you mean method?)'],
    ["options that are a text", ["/x/", "POST"], 'the options are "POST"'],
    ["options that are null", ["/x/", null], "the options are null"],
    ["another method", ["/x/", { method: "PUT" }], 'method is "PUT"; it must be "GET" or "POST"'],
    ["a method in small letters", ["/x/", { method: "post" }], 'method is "post"'],
    ["a body with GET", ["/x/", { body: {} }], "a GET has no body"],
    ["a body with an explicit GET", ["/x/", { method: "GET", body: {} }], "a GET has no body"],
    [
      "a type without a body",
      ["/x/", { ...post, type: "a/b" }],
      "type is the content type of a body",
    ],
    ["a type on two lines", ["/x/", { ...post, body: 1, type: "a/b\r\nx: y" }], 'type is "a/b'],
    ["another form", ["/x/", { as: "csv" }], 'as is "csv"; it must be "json" or "text"'],
    ["no time", ["/x/", { timeout: 0 }], "timeout is 0"],
    ["a negative time", ["/x/", { timeout: -1 }], "timeout is -1"],
    ["a time without end", ["/x/", { timeout: Number.POSITIVE_INFINITY }], "timeout is Infinity"],
    ["a time that is not a number", ["/x/", { timeout: "5" }], 'timeout is "5"'],
    ["no attempt", ["/x/", { attempts: 0 }], "attempts is 0"],
    ["eleven attempts", ["/x/", { attempts: 11 }], "attempts is 11"],
    ["half an attempt", ["/x/", { attempts: 1.5 }], "attempts is 1.5"],
    ["an empty scope", ["/x/", { scope: "" }], 'scope is ""'],
    ["a scope that is not a text", ["/x/", { scope: 7 }], "scope is 7"],
    [
      "a body with a Date",
      ["/x/", { ...post, body: { at: new Date(0) } }],
      "not a JSON value: at is",
    ],
    ["a body with NaN", ["/x/", { ...post, body: [Number.NaN] }], "not a JSON value: [0] is NaN"],
    [
      "a body over 1 MiB",
      ["/x/", { ...post, body: "é".repeat(2 ** 19 + 1) }],
      "the body has 1048578 bytes; the limit is 1 MiB",
    ],
    ["a query that would be lost", ["/x/", { query: new URLSearchParams("a=1") }], "the query is"],
    ["a query that is null", ["/x/", { query: null }], "the query is null"],
    ["a path that is not there", [undefined], "the path is undefined"],
  ])("%s", async (_sentence, args, says) => {
    const { client, reasons } = watch();
    const error: unknown = await Promise.resolve(Reflect.apply(client.request, client, args)).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(FetchError);
    expect(String(error)).toContain(says);
    expect(reasons).toEqual([[error instanceof Error ? error.message : "", undefined]]);
    expect(server.requests).toEqual([]);
  });

  test("a body of just 1 MiB is sent", async () => {
    const body = "x".repeat(2 ** 20);
    await watch().client.request("/x/", { method: "POST", body });
    expect(heard).toMatchObject([{ body }]);
  });
});

describe("attempts", () => {
  const busy: TestServer["answer"] = (_request, response) => json(response, {}, 503);

  test("a POST is sent once", async () => {
    server.answer = busy;
    const { reason } = await failed(watch().client, { method: "POST", body: {} });
    expect(reason).toBe("POST /x/ from main: status 503 {}");
    expect(server.requests).toHaveLength(1);
  });

  test("a POST is sent as often as the module says", async () => {
    server.answer = async (request, response) => {
      const { body } = await hear(request);
      json(response, { body }, heard.length < 3 ? 503 : 200);
    };
    const { client, reasons } = watch();
    const asked = client.request("/x/", { method: "POST", body: "a question", attempts: 3 });
    expect(await asked).toMatchObject({ ok: true, value: { body: "a question" } });
    expect(heard.map(({ body }) => body)).toEqual(Array(3).fill("a question"));
    expect(reasons).toEqual([]);
  });

  test("a GET too", async () => {
    server.answer = busy;
    const { reason } = await failed(watch().client, { attempts: 2 });
    expect(reason).toBe("GET /x/ from main: status 503 {}, 2 attempts");
    expect(server.requests).toHaveLength(2);
  });

  async function failed(client: AlarmClient, options: RequestOptions): Promise<{ reason: string }> {
    const outcome = await client.request("/x/", options);
    if (outcome.ok) throw new Error("it did not fail");
    return outcome;
  }
});

describe("what is shared between alarms", () => {
  test("a GET, unless it is read in another way", async () => {
    const source = makeSource({ baseUrl: server.url });
    const [one, another] = [watch(source).client, watch(source).client];
    await one.request("/x/");
    await another.request("/x/", { method: "GET", as: "json" });
    await another.get("/x/");
    expect(server.requests).toHaveLength(1);
    const ways: readonly RequestOptions[] = [{ as: "text" }, { timeout: 5 }, { attempts: 5 }];
    for (const options of ways) {
      await one.request("/x/", options);
      await another.request("/x/", options);
    }
    expect(server.requests).toHaveLength(4);
  });

  test("no POST: the same one is another question", async () => {
    const source = makeSource({ baseUrl: server.url });
    const options = { method: "POST", body: { query: "{ sites }" } } as const;
    await watch(source).client.request("/x/", options);
    await Promise.all([1, 2].map(() => watch(source).client.request("/x/", options)));
    expect(server.requests).toHaveLength(3);
    // Of the service as a whole it is one request.
    expect(source.counts).toMatchObject({ requests: 1, succeeded: 1 });
    await watch(source).client.request("/x/", { ...options, body: { query: "{ jobs }" } });
    expect(source.counts).toMatchObject({ requests: 2, succeeded: 2 });
  });
});

describe("a service and its entities are told apart", () => {
  /** Answers about the list, and about entities unless they are sick. */
  function serve(isSick: (path: string) => boolean, fail: TestServer["answer"]): void {
    server.answer = (request, response, url) => {
      if (isSick(url.pathname)) fail(request, response, url);
      else json(response, { path: url.pathname });
    };
  }
  const late: TestServer["answer"] = (_request, response) => json(response, {}, 504);
  const silent: TestServer["answer"] = () => {};
  const SICK = Array.from({ length: 8 }, (_, at) => `/clients/${at}`);
  const once = { attempts: 1 };

  test.each<[sentence: string, fail: TestServer["answer"], options: RequestOptions]>([
    ["answer 504", late, once],
    ["do not answer in time", silent, { timeout: 0.05 }],
  ])("eight entities that %s do not stop the ninth", async (_sentence, fail, options) => {
    serve((path) => SICK.includes(path), fail);
    const { client, source, reasons } = watch();
    await client.get("/clients/");
    for (const path of SICK) expect((await client.request(path, options)).ok).toBe(false);
    expect(await client.request("/clients/8")).toMatchObject({ ok: true });
    expect(reasons).toHaveLength(8);
    // Then what worked was repeated, once, past the cache.
    expect(server.requests).toEqual(["/clients/", ...SICK, "/clients/", "/clients/8"]);
    expect(source.counts).toMatchObject({ requests: 10, succeeded: 2 });
    await client.get("/clients/");
    expect(server.requests).toHaveLength(11);
  });

  test("nor do dozens of them, side by side, the healthy ones between them", async () => {
    const isSick = (path: string) => /[02468]$/.test(path);
    serve(isSick, late);
    const { client } = watch();
    await client.get("/clients/list");
    const paths = Array.from({ length: 60 }, (_, at) => `/clients/${at}`);
    const outcomes = await Promise.all(paths.map((path) => client.request(path, once)));
    expect(outcomes.map(({ ok }) => ok)).toEqual(paths.map((path) => !isSick(path)));
  });

  test("what is repeated is the newest GET that worked, as it was sent", async () => {
    serve((path) => SICK.includes(path), late);
    const { client } = watch();
    await client.get("/clients/");
    await client.request("/metrics", { as: "text", query: { a: 1 } });
    await client.request("/search", { method: "POST", body: {} });
    for (const path of SICK) await client.request(path, once);
    expect(server.requests.slice(3)).toEqual([...SICK, "/metrics?a=1"]);
  });

  test("one that dies a second time is found out as well", async () => {
    let answerSlow = (): void => {};
    server.answer = (_request, response, url) => {
      if (url.pathname !== "/slow" || server.requests.includes("/1/0"))
        return json(response, {}, 503);
      answerSlow = () => json(response, {});
    };
    const { client } = watch();
    const failEight = async (round: number) => {
      for (let at = 0; at < 8; at++) await client.request(`/${round}/${at}`, once);
    };
    const slow = client.request("/slow");
    await expect.poll(() => server.requests).toEqual(["/slow"]);
    await failEight(0);
    expect(await client.request("/more")).toMatchObject({ kind: "circuit open" });
    answerSlow();
    expect((await slow).ok).toBe(true);
    await failEight(1);
    expect(await client.request("/evenmore")).toMatchObject({ kind: "circuit open" });
    expect(server.requests.filter((path) => path === "/slow")).toHaveLength(2);
  });

  test("a service that dies gets no more requests, and one probe", async () => {
    let isDead = false;
    serve(() => isDead, late);
    const { client, source } = watch();
    await client.get("/clients/");
    isDead = true;
    const paths = Array.from({ length: 100 }, (_, at) => `/clients/${at}`);
    const outcomes = await Promise.all(paths.map((path) => client.request(path, once)));
    const kinds = outcomes.map((outcome) => (outcome.ok ? "ok" : outcome.kind));
    expect(new Set(kinds)).toEqual(new Set(["status", "circuit open"]));
    // Four are sent side by side, so up to three more may be running at the eighth error.
    const failed = kinds.filter((kind) => kind === "status").length;
    expect(failed).toBeLessThanOrEqual(11);
    expect(server.requests).toHaveLength(1 + failed + 1);
    expect(server.requests.filter((path) => path === "/clients/")).toHaveLength(2);
    expect(source.counts).toMatchObject({ requests: 1 + failed, succeeded: 1 });
    expect(await client.request("/more")).toMatchObject({
      kind: "circuit open",
      body: "",
      reason: expect.stringMatching(
        /^GET \/more from main: not sent: main failed \d+ times in a row/,
      ),
    });
  });
});
