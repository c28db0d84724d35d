import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FetchError } from "../../../src/source/fetch_error.ts";
import type { HttpSource } from "../../../src/source/http/http_source.ts";
import { startFaultyServer } from "../../support/faulty_server.ts";
import { type Answer, json, startServer, type TestServer } from "../../support/http_server.ts";
import { closeSources, getJson, makeSource } from "../../support/sources.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer(() => {});
});
beforeEach(() => {
  server.requests.length = 0;
  server.answer = (_request, response) => json(response, { ok: true });
});
afterEach(closeSources);
afterAll(() => server.close());

/** The one FetchError of a question, with the promises that hold for all of them. */
async function failure(source: HttpSource, path = "/x/", query = {}): Promise<FetchError> {
  const error: unknown = await getJson(source, path, query, false).then(
    (value) => new Error(`no failure, but ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof FetchError)) throw error;
  expect(error.message).toMatch(/^GET [^\r\n]* from main: [^\r\n]+$/);
  expect(error.message.length).toBeLessThan(400);
  return error;
}

/** Answers with a text as it is. */
function raw(status: number, type: string, body: string | Buffer, headers: object = {}): Answer {
  return (_request, response) => {
    response.writeHead(status, { "content-type": type, ...headers });
    response.end(body);
  };
}

describe("the service's clock", () => {
  const AT = "Fri, 15 Jan 2027 08:00:00 GMT";
  test.each<[string, readonly [number, string | undefined][], number | undefined]>([
    ["the Date of a response", [[200, AT]], 1_800_000_000],
    ["also of an error", [[404, AT]], 1_800_000_000],
    [
      "the newest one: a cache may send older ones",
      [
        [200, AT],
        [200, "Fri, 15 Jan 2027 07:00:00 GMT"],
      ],
      1_800_000_000,
    ],
    ["none in a response without one", [[200, undefined]], undefined],
    ["none that is not a date", [[200, "-5"]], undefined],
    ["none that is a number", [[200, "1800000000"]], undefined],
  ])("%s", async (_, responses, expected) => {
    const source = makeSource({ baseUrl: server.url });
    for (const [n, [status, date]] of responses.entries()) {
      server.answer = (_request, response) => {
        response.sendDate = false;
        if (date !== undefined) response.setHeader("date", date);
        json(response, {}, status);
      };
      await getJson(source, `/${n}/`, {}, true);
    }
    expect(source.date).toBe(expected);
  });
});

describe("responses", () => {
  test.each([
    ["an object", { items: [], next: null }],
    ["a list", [1, "x", null]],
    ["a text", "x"],
    ["a number", 0],
    ["false", false],
    ["null", null],
    ["other scripts, in many chunks", { text: "é漢😀".repeat(50_000) }],
  ])("JSON of every kind: %s", async (_sentence, value) => {
    server.answer = (_request, response) => json(response, value);
    expect(await getJson(makeSource({ baseUrl: server.url }), "/x/", {}, false)).toEqual(value);
  });

  test("JSON counts whatever the content type says", async () => {
    server.answer = raw(200, "text/html", ' {"ok": 1}\n');
    expect(await getJson(makeSource({ baseUrl: server.url }), "/x/", {}, false)).toEqual({ ok: 1 });
  });

  test.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
  ])("compressed with %s, which was offered", async (encoding, pack) => {
    const value = { text: "é".repeat(100_000) };
    let offered: string | undefined;
    server.answer = (request, response) => {
      offered = String(request.headers["accept-encoding"]);
      const headers = { "content-encoding": encoding };
      raw(
        200,
        "application/json",
        pack(JSON.stringify(value)),
        headers,
      )(request, response, new URL(server.url));
    };
    expect(await getJson(makeSource({ baseUrl: server.url }), "/x/", {}, false)).toEqual(value);
    expect(offered).toContain(encoding);
  });
});

/** The statuses and bodies of the API and its proxy, as the wire contract records them. */
const RECORDED: readonly (readonly [string, number, string, string, number, string])[] = [
  [
    "400: the page is too large",
    400,
    "application/json",
    '{"error": "limit must be <= 200"}',
    1,
    'status 400 {"error": "limit must be <= 200"}',
  ],
  [
    "400: not an integer",
    400,
    "application/json",
    '{"error": "days must be an integer"}',
    1,
    "status 400",
  ],
  ["400: too small", 400, "application/json", '{"error": "days must be >= 1"}', 1, "status 400"],
  [
    "404: no such task",
    404,
    "application/json",
    '{"error": "Task 999 not found"}',
    1,
    'status 404 {"error": "Task 999 not found"}',
  ],
  [
    "403: a wrong token",
    403,
    "application/json",
    '{"detail": "Invalid token."}',
    1,
    'status 403 {"detail": "Invalid token."}; check the login, token and headers of this source',
  ],
  [
    "401: anonymous",
    401,
    "application/json",
    '{"detail": "Authentication credentials were not provided."}',
    1,
    "status 401",
  ],
  ["405: GET only", 405, "application/json", '{"error": "GET only"}', 1, "status 405"],
  [
    "500: the panda database is not configured",
    500,
    "text/html",
    "Server Error (500)",
    4,
    "status 500 Server Error (500), 4 attempts",
  ],
  [
    "500: the database does not respond; the line break is not passed on",
    500,
    "application/json",
    '{"error": "connection to server at \\"pandadb01\\" failed: timeout expired\n"}',
    4,
    'failed: timeout expired "}, 4 attempts',
  ],
  [
    "502: the tunnel is down",
    502,
    "application/json",
    '{"error": "Cannot reach swf-monitor (tunnel down?)"}',
    4,
    "(tunnel down?)",
  ],
  [
    "502: the proxy's own time is up",
    502,
    "application/json",
    '{"error": "The read operation timed out"}',
    4,
    "The read operation timed out",
  ],
  [
    "502: a body that is not even JSON",
    502,
    "application/json",
    '{"error": "bad "quoted" text"}',
    4,
    'bad "quoted" text',
  ],
  [
    "502: the proxy met a login page",
    502,
    "text/plain",
    "Upstream swf-monitor returned 302 redirecting to /swf-monitor/accounts/login/?next=...",
    4,
    "status 502 Upstream swf-monitor returned 302 redirecting to /swf-monitor/accounts/login/",
  ],
  [
    "503: the title of Apache's page",
    503,
    "text/html; charset=iso-8859-1",
    "<!DOCTYPE HTML ...><title>503 Service Unavailable</title>",
    4,
    'status 503 HTML page "503 Service Unavailable", 4 attempts',
  ],
  [
    "504: Apache's queue",
    504,
    "text/html; charset=iso-8859-1",
    "<title>504 Gateway Timeout</title>",
    4,
    'status 504 HTML page "504 Gateway Timeout", 4 attempts',
  ],
  // Not recorded, but a service may well do these.
  ["410 with an empty body", 410, "text/plain", "", 1, "status 410"],
  [
    "200 with a login page",
    200,
    "text/html",
    "<html><title>Log in</title>",
    1,
    'status 200, but not JSON: HTML page "Log in"',
  ],
  ["200 with nothing", 200, "application/json", "", 1, "status 200, but not JSON"],
  ["202 with JSON", 202, "application/json", "{}", 1, "status 202 {}; check base_url"],
  ["204", 204, "application/json", "", 1, "status 204; check base_url"],
  ["205", 205, "application/json", "", 1, "status 205; check base_url"],
  ["300 without a location", 300, "text/plain", "a b", 1, "status 300 a b; check base_url"],
  ["304", 304, "text/plain", "", 1, "status 304; check base_url, and any cache or proxy"],
  ["407", 407, "text/plain", "", 1, "status 407; the proxy or the network requires a login"],
  ["408", 408, "text/plain", "", 4, "status 408, 4 attempts"],
  ["421", 421, "text/plain", "", 1, "status 421; check base_url"],
  ["423", 423, "text/plain", "", 4, "status 423, 4 attempts"],
  ["425", 425, "text/plain", "", 4, "status 425, 4 attempts"],
  ["429", 429, "text/plain", "", 4, "status 429, 4 attempts"],
  ["501", 501, "text/plain", "", 1, "status 501; check base_url"],
  ["505", 505, "text/plain", "", 1, "status 505; check base_url"],
  ["507", 507, "text/plain", "", 4, "status 507, 4 attempts"],
  ["508", 508, "text/plain", "", 1, "status 508"],
  ["509", 509, "text/plain", "", 4, "status 509, 4 attempts"],
  ["511", 511, "text/plain", "", 1, "status 511; the proxy or the network requires a login"],
  ["520 of Cloudflare", 520, "text/plain", "", 4, "status 520, 4 attempts"],
  ["527 of Cloudflare", 527, "text/plain", "", 4, "status 527, 4 attempts"],
  ["500 with a megabyte", 500, "text/plain", "x".repeat(2 ** 20), 4, "status 500 xxx"],
];

describe("unusable statuses and bodies", () => {
  const failures = new Map<string, FetchError>();
  const attempts = new Map<string, number>();
  // All at once, because the retries of each take seconds; each from a source of its own.
  beforeAll(async () => {
    const refusing = await startServer((request, response, url) => {
      const [sentence = "", status = 0, type = "", body = ""] =
        RECORDED[Number(url.pathname.slice(1))] ?? [];
      attempts.set(sentence, (attempts.get(sentence) ?? 0) + 1);
      raw(status, type, body)(request, response, url);
    });
    await Promise.all(
      RECORDED.map(async ([sentence], index) => {
        const source = makeSource({ baseUrl: refusing.url });
        failures.set(sentence, await failure(source, `/${index}`));
      }),
    );
    await refusing.close();
  });

  test.each(RECORDED)("%s", (sentence, _status, _type, _body, tries, reason) => {
    expect(failures.get(sentence)?.message).toContain(reason);
    expect(attempts.get(sentence)).toBe(tries);
  });
});

describe("redirects", () => {
  test.each([301, 302, 303, 307, 308])(
    "%d is not followed, and its target is named",
    async (status) => {
      const target = await startServer((_request, response) => json(response, { stolen: true }));
      server.answer = raw(status, "text/html", "", { location: `${target.url}/login/?next=/x/` });
      const source = makeSource({ baseUrl: server.url, authorization: "Bearer secret" });
      const { message } = await failure(source);
      expect(message).toContain(`${status} redirect to ${target.url}/login/?next=/x/`);
      expect(message).toContain("base_url");
      expect(target.requests).toEqual([]);
      expect(server.requests).toEqual(["/x/"]);
      await target.close();
    },
  );

  test("one without a location is an error too", async () => {
    server.answer = raw(302, "text/html", "");
    const { message } = await failure(makeSource({ baseUrl: server.url }));
    expect(message).toContain("status 302; check base_url");
  });
});

describe("bodies", () => {
  const MIB = 2 ** 20;
  test.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
  ])(
    "a few kilobytes of %s that decompress to more than 32 MiB are an error",
    async (encoding, pack) => {
      const bomb = pack(Buffer.alloc(33 * MIB, 0x20));
      expect(bomb.length).toBeLessThan(MIB);
      server.answer = raw(200, "application/json", bomb, { "content-encoding": encoding });
      const { message } = await failure(makeSource({ baseUrl: server.url }));
      expect(message).toContain("the body is over 32 MiB");
      expect(server.requests).toHaveLength(1);
    },
  );

  test("a body without end is an error, and its connection is closed", async () => {
    let closed: Promise<unknown> | undefined;
    server.answer = (_request, response) => {
      closed = once(response, "close");
      const chunk = Buffer.alloc(MIB, 0x20);
      const pour = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on("drain", pour);
      pour();
    };
    const { message } = await failure(makeSource({ baseUrl: server.url }));
    expect(message).toContain("the body is over 32 MiB");
    await closed;
  });

  test("a body just below the limit is accepted", async () => {
    const text = "x".repeat(32 * MIB - 2);
    server.answer = raw(200, "application/json", gzipSync(`"${text}"`), {
      "content-encoding": "gzip",
    });
    expect(await getJson(makeSource({ baseUrl: server.url }), "/x/", {}, false)).toBe(text);
  });

  const whole = gzipSync(JSON.stringify({ items: ["x".repeat(10_000)] }));
  test.each([
    ["breaks off", "gzip", whole.subarray(0, whole.length - 9)],
    ["is empty", "gzip", Buffer.alloc(0)],
    ["is not compressed at all", "gzip", Buffer.from('{"items": []}')],
    ["is compressed in another way", "br", whole],
    ["is compressed with something else", "zstd", whole],
    ["is compressed twice", "gzip, gzip", gzipSync(whole)],
  ])("a compressed body that %s is an error", async (_sentence, encoding, body) => {
    server.answer = raw(200, "application/json", body, { "content-encoding": encoding });
    await failure(makeSource({ baseUrl: server.url }));
  });

  test("a byte order mark is not part of the text", async () => {
    server.answer = raw(200, "application/json", '\ufeff{"ok": 1}');
    expect(await getJson(makeSource({ baseUrl: server.url }), "/x/")).toEqual({ ok: 1 });
  });

  test.each([
    ["Latin-1", Buffer.from('["é"]', "latin1"), "the body is not valid UTF-8"],
    ["UTF-16", Buffer.from('\ufeff["é"]', "utf16le"), "the body is not valid UTF-8"],
    ["UTF-16 of plain letters", Buffer.from('["e"]', "utf16le").swap16(), "not JSON"],
  ])("a body in %s is an error, whatever the content type says", async (name, body, reason) => {
    server.answer = raw(200, `application/json; charset=${name}`, body);
    const { message } = await failure(makeSource({ baseUrl: server.url }));
    expect(message).toContain(reason);
  });

  test("a body that cannot be decompressed is not waited for", async () => {
    let closed: Promise<unknown> | undefined;
    server.answer = (_request, response) => {
      closed = once(response, "close");
      response.writeHead(200, { "content-encoding": "zstd" });
      response.write(Buffer.alloc(MIB));
    };
    // Far longer than the test may take: only giving up the body closes the connection.
    const source = makeSource({ baseUrl: server.url, timeout: 3600 });
    await failure(source);
    await closed;
  });
});

describe("connections that break", () => {
  /** Fails in the middle of the body as often as the test says; then answers. */
  const breaking = (times: number, encoding?: string): Answer => {
    const body = JSON.stringify({ items: ["x".repeat(100_000)] });
    return (_request, response) => {
      if (server.requests.length > times) return json(response, { ok: true });
      response.writeHead(200, {
        "content-type": "application/json",
        ...(encoding === undefined ? {} : { "content-encoding": encoding }),
      });
      const bytes = encoding === undefined ? Buffer.from(body) : gzipSync(body);
      response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
    };
  };

  test.each([
    ["plain", undefined],
    ["packed", "gzip"],
  ])(
    "in the middle of a %s body: another attempt gets the response",
    async (_sentence, encoding) => {
      server.answer = breaking(1, encoding);
      expect(await getJson(makeSource({ baseUrl: server.url }), "/x/", {}, false)).toEqual({
        ok: true,
      });
      expect(server.requests).toHaveLength(2);
    },
  );

  test("again and again: an error after four attempts", async () => {
    server.answer = breaking(99);
    const { message } = await failure(makeSource({ baseUrl: server.url }));
    expect(message).toContain("4 attempts");
    expect(server.requests).toHaveLength(4);
  });

  test("before the response: another attempt gets it", async () => {
    server.answer = (request, response) => {
      if (server.requests.length > 1) json(response, { ok: true });
      else request.socket.destroy();
    };
    expect(await getJson(makeSource({ baseUrl: server.url }), "/x/", {}, false)).toEqual({
      ok: true,
    });
  });

  test.each([
    ["closed", (socket: Socket) => void socket.destroy()],
    ["reset", (socket: Socket) => void socket.resetAndDestroy()],
  ])(
    "a kept one that is %s as the next question comes: another attempt",
    async (_sentence, end) => {
      const used = new Set<Socket>();
      server.answer = (request, response) => {
        if (used.has(request.socket)) return end(request.socket);
        used.add(request.socket);
        json(response, { ok: true });
      };
      const source = makeSource({ baseUrl: server.url });
      await getJson(source, "/first");
      expect(await getJson(source, "/second")).toEqual({ ok: true });
      expect(server.requests).toEqual(["/first", "/second", "/second"]);
    },
  );

  test("connection refused: an error after four attempts", async () => {
    const gone = await startServer(() => {});
    await gone.close();
    const { message } = await failure(makeSource({ baseUrl: gone.url }));
    expect(message).toMatch(/ECONNREFUSED.*4 attempts/);
  });

  test("a host name that does not exist is named", async () => {
    const { message } = await failure(makeSource({ baseUrl: "http://no-such-host.invalid" }));
    expect(message).toContain("no-such-host.invalid");
  });

  test("a service that does not speak HTTP is an error", async () => {
    const rude = createServer((socket: Socket) => {
      socket.on("error", () => {}).resume();
      socket.end("SSH-2.0-OpenSSH_9.2\r\n");
    });
    await new Promise<void>((resolve) => rude.listen(0, "127.0.0.1", resolve));
    const address = rude.address();
    const port = typeof address === "object" ? address?.port : undefined;
    await failure(makeSource({ baseUrl: `http://127.0.0.1:${port}` }));
    await new Promise((resolve) => rude.close(resolve));
  });
});

describe("retries", () => {
  const afterOne =
    (status: number, headers: object): Answer =>
    (request, response, url) => {
      if (server.requests.length > 1) json(response, { ok: true });
      else raw(status, "text/plain", "busy", headers)(request, response, url);
    };

  test.each([
    ["429 that asks for no wait", 429, { "retry-after": "0" }],
    ["429 that asks for a second", 429, { "retry-after": "1" }],
    ["429 that says nothing", 429, {}],
    [
      "503 that asks until a date that has passed",
      503,
      { "retry-after": new Date(0).toUTCString() },
    ],
    ["500", 500, {}],
  ])("%s, then the response", async (_sentence, status, headers) => {
    server.answer = afterOne(status, headers);
    expect(await getJson(makeSource({ baseUrl: server.url }), "/x/", {}, false)).toEqual({
      ok: true,
    });
    expect(server.requests).toEqual(["/x/", "/x/"]);
  });

  test("the service's retry-after is respected", async () => {
    const times: number[] = [];
    server.answer = (request, response, url) => {
      times.push(performance.now());
      afterOne(429, { "retry-after": "2" })(request, response, url);
    };
    await getJson(makeSource({ baseUrl: server.url }), "/x/", {}, false);
    const [first = 0, second = 0] = times;
    // Never sooner, however fast or slow the machine; timers may fire a millisecond early.
    expect(second - first).toBeGreaterThan(1_990);
  });

  test.each([429, 503])("%d with a retry-after of an hour is not waited for", async (status) => {
    server.answer = raw(status, "text/plain", "busy", { "retry-after": "3600" });
    const { message } = await failure(makeSource({ baseUrl: server.url }));
    expect(message).toContain(`status ${status} busy; retry-after 3600 s is too long`);
    expect(server.requests).toHaveLength(1);
  });
});

describe("time", () => {
  const silent: readonly (readonly [string, Answer])[] = [
    ["never responds", () => {}],
    [
      "sends a head and then nothing",
      (_request, response) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.flushHeaders();
      },
    ],
    [
      "sends a byte now and then, for ever",
      (_request, response) => {
        response.writeHead(200, { "content-type": "application/json" });
        const timer = setInterval(() => response.write(" "), 20);
        response.on("close", () => clearInterval(timer));
      },
    ],
  ];
  test.each(silent)("a server that %s is given up without a retry", async (_sentence, answer) => {
    server.answer = answer;
    const { message } = await failure(makeSource({ baseUrl: server.url, timeout: 0.3 }));
    expect(message).toContain("no response within 0.3 s");
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    ["is given up", 0.3, 3_600_000, "no response within 0.3 s"],
    ["is given up at the end of the tick", 3600, 300, "the tick ended before the response"],
  ])("a server that never completes the connection %s", async (_, timeout, ends, says) => {
    const silent = await startFaultyServer(() => {});
    const tick = new AbortController();
    const timer = setTimeout(() => tick.abort(), ends);
    const baseUrl = silent.url.replace("http:", "https:");
    const { message } = await failure(makeSource({ baseUrl, timeout }, tick.signal));
    expect(message).toContain(says);
    clearTimeout(timer);
    await silent.close();
  });

  test("a limit that is not a whole number of milliseconds holds", async () => {
    server.answer = () => {};
    const { message } = await failure(makeSource({ baseUrl: server.url, timeout: 0.3001 }));
    expect(message).toContain("no response within 0.3001 s");
  });

  test("the end of the tick ends a request", async () => {
    const tick = new AbortController();
    server.answer = () => tick.abort(new Error("the tick has ended"));
    const source = makeSource({ baseUrl: server.url, timeout: 3600 }, tick.signal);
    expect((await failure(source)).message).toContain("the tick ended before the response");
  });

  test("the end of the tick ends the wait before a retry", async () => {
    const tick = new AbortController();
    server.answer = (request, response, url) => {
      raw(503, "text/plain", "busy", { "retry-after": "30" })(request, response, url);
      response.on("finish", () => setImmediate(() => tick.abort()));
    };
    const source = makeSource({ baseUrl: server.url }, tick.signal);
    expect((await failure(source)).message).toMatch(/the tick ended before/);
    expect(server.requests).toHaveLength(1);
  });

  test("after the end of the tick nothing is sent", async () => {
    const source = makeSource({ baseUrl: server.url }, AbortSignal.abort());
    await failure(source);
    expect(server.requests).toEqual([]);
  });
});

describe("what is sent", () => {
  const sent = async (settings: Partial<Parameters<typeof makeSource>[0]>) => {
    let headers: NodeJS.Dict<string | string[]> = {};
    let rawHeaders: readonly string[] = [];
    let method: string | undefined;
    server.answer = (request, response) => {
      ({ headers, rawHeaders, method } = request);
      json(response, {});
    };
    await getJson(makeSource({ baseUrl: server.url, ...settings }), "/x/", {}, false);
    return { headers, method, names: rawHeaders.filter((_, index) => index % 2 === 0) };
  };

  test("a GET that asks for JSON, in the engine's name, and with no token", async () => {
    const { headers, method } = await sent({});
    expect(method).toBe("GET");
    expect(headers).toMatchObject({ accept: "application/json", "user-agent": "swf-alarms" });
    expect(headers.authorization).toBeUndefined();
    expect(headers.cookie).toBeUndefined();
  });

  test("a user agent, a token and headers of the source's own", async () => {
    const { headers } = await sent({
      userAgent: "swf-alarms (ops@host.example)",
      authorization: "Bearer t0ken",
      headers: { "x-remote-user": "alarms", "x-empty": "" },
    });
    expect(headers).toMatchObject({
      "user-agent": "swf-alarms (ops@host.example)",
      authorization: "Bearer t0ken",
      "x-remote-user": "alarms",
      "x-empty": "",
      accept: "application/json",
    });
  });

  test.each([
    ["User-Agent", "user-agent", "mine"],
    ["Accept", "accept", "application/json"],
    ["Accept-Encoding", "accept-encoding", "gzip, deflate, br"],
    ["Authorization", "authorization", "Bearer t0ken"],
  ])("a configured %s is not sent beside the engine's own", async (name, lower, value) => {
    const { headers, names } = await sent({
      headers: { [name]: "mine" },
      authorization: "Bearer t0ken",
    });
    expect(names.filter((sentName) => sentName.toLowerCase() === lower)).toHaveLength(1);
    expect(headers[lower]).toBe(value);
  });

  const TOKEN = "t0p-s3cret-t0ken";
  test("a token that is not a valid header is an error that does not show it", async () => {
    const source = makeSource({
      baseUrl: server.url,
      authorization: `Bearer ${TOKEN}\r\nHost: evil.example`,
    });
    const { message } = await failure(source);
    expect(message).not.toContain(TOKEN);
    expect(server.requests).toEqual([]);
  });
});

describe("paths", () => {
  test.each([
    ["", "/api/panda/tasks/", "/api/panda/tasks/"],
    ["/", "api/panda/tasks/", "/api/panda/tasks/"],
    ["/prod", "/api/panda/tasks/", "/prod/api/panda/tasks/"],
    ["/prod///", "///api/panda/tasks/", "/prod/api/panda/tasks/"],
    ["/prod", "", "/prod/"],
    ["/prod", "a/../b/", "/prod/b/"],
    ["/prod", "tasks/é 漢/", "/prod/tasks/%C3%A9%20%E6%BC%A2/"],
    ["/prod", "tasks/#frag", "/prod/tasks/"],
  ])("base %j and path %j request %s", async (base, path, asked) => {
    await getJson(makeSource({ baseUrl: server.url + base }), path, {}, false);
    expect(server.requests).toEqual([asked]);
  });

  test("a query in the path and a separate one are both sent", async () => {
    await getJson(makeSource({ baseUrl: server.url }), "/x/?a=1&b=%26", { c: "d e" }, false);
    expect(server.requests).toEqual(["/x/?a=1&b=%26&c=d+e"]);
  });

  test.each([
    "../admin/",
    "/../admin/",
    "a/../../admin/",
    "..",
    "%2e%2e/admin/",
    ".%2E/admin/",
    "..\\admin\\",
    "a\\..\\..\\admin",
    "\t../admin/",
    ".\n./admin/",
  ])("a path that leaves the base is an error: %j", async (path) => {
    const source = makeSource({ baseUrl: `${server.url}/prod` });
    const { message } = await failure(source, path);
    expect(message).toContain("the path must be below /prod/");
    expect(server.requests).toEqual([]);
  });

  test("a path that only begins like the base is outside of it", async () => {
    await failure(makeSource({ baseUrl: `${server.url}/prod` }), "../production/");
    expect(server.requests).toEqual([]);
  });

  test.each([
    ["a URL", (url: string) => `${url}/x/`],
    ["a URL without a scheme", (url: string) => url.replace("http:", "")],
    ["a user name that looks like the base", (url: string) => url.replace("http://", "@")],
    ["backslashes", (url: string) => url.replace("http://", "\\\\")],
  ])("a path that is %s never leads to another host", async (_sentence, path) => {
    const other = await startServer((_request, response) => json(response, { stolen: true }));
    const source = makeSource({ baseUrl: `${server.url}/prod`, authorization: "Bearer t" });
    await getJson(source, path(other.url), {}, false).catch(() => {});
    expect(other.requests).toEqual([]);
    for (const asked of server.requests) expect(asked).toMatch(/^\/prod\//);
    await other.close();
  });
});

describe("one request per URL", () => {
  test("requested side by side, one after the other and in another order, it is sent once", async () => {
    const source = makeSource({ baseUrl: server.url });
    await Promise.all([
      getJson(source, "/x/", { a: 1, b: "2" }, false),
      getJson(source, "x/", { b: 2, a: "1", c: undefined }, false),
      getJson(source, "/x/", { b: "2", a: 1, c: null }, true),
    ]);
    await getJson(source, "/x/", { a: 1, b: 2 }, false);
    await getJson(source, "/x/#part", { a: 1, b: 2 }, false);
    expect(server.requests).toEqual(["/x/?a=1&b=2"]);
  });

  test("another path, query or source is another request", async () => {
    const source = makeSource({ baseUrl: server.url });
    await getJson(source, "/x/", {}, false);
    await getJson(source, "/x", {}, false);
    await getJson(source, "/x/", { a: "" }, false);
    await getJson(makeSource({ baseUrl: server.url }), "/x/", {}, false);
    expect([...server.requests].sort()).toEqual(["/x", "/x/", "/x/", "/x/?a="]);
  });

  test("every caller gets a copy of its own", async () => {
    server.answer = (_request, response) => json(response, { items: [{ id: 1 }] });
    const source = makeSource({ baseUrl: server.url });
    const [first, second] = await Promise.all([
      getJson(source, "/x/", {}, false),
      getJson(source, "/x/", {}, false),
    ]);
    expect(first).toEqual(second);
    if (typeof first !== "object" || first === null || Array.isArray(first))
      throw new Error("the response is not an object");
    first.items = "changed by one alarm";
    expect(second).toEqual({ items: [{ id: 1 }] });
    expect(await getJson(source, "/x/", {}, false)).toEqual({ items: [{ id: 1 }] });
  });

  test("a failed request is sent once as well, and every caller gets the error", async () => {
    server.answer = raw(404, "application/json", '{"error": "gone"}');
    const source = makeSource({ baseUrl: server.url });
    const messages = [await failure(source), await failure(source)].map(({ message }) => message);
    expect(messages[0]).toBe(messages[1]);
    expect(await getJson(source, "/x/", {}, true)).toBeUndefined();
    expect(server.requests).toEqual(["/x/"]);
  });

  test.each([400, 403, 410, 500])("allow404 accepts only a 404, not %d", async (status) => {
    server.answer = raw(status, "text/plain", "status 404", { "retry-after": "3600" });
    const source = makeSource({ baseUrl: server.url });
    await expect(getJson(source, "/x/", {}, true)).rejects.toThrow(FetchError);
  });
});

describe("gentle to the service", () => {
  test("at most four requests run side by side at one source, and all get a response", async () => {
    const waiting: (() => void)[] = [];
    let underWay = 0;
    let most = 0;
    server.answer = (_request, response, url) => {
      most = Math.max(most, ++underWay);
      waiting.push(() => {
        underWay--;
        json(response, { path: url.pathname });
      });
      // No response before four requests are there: a fifth would have come by then.
      if (waiting.length === 4) setTimeout(() => waiting.splice(0).map((answer) => answer()), 50);
    };
    const source = makeSource({ baseUrl: server.url });
    const paths = Array.from({ length: 12 }, (_, index) => `/${index}`);
    const answers = await Promise.all(paths.map((path) => getJson(source, path, {}, false)));
    expect(answers).toEqual(paths.map((path) => ({ path })));
    expect(most).toBe(4);
  });

  test("connections are used again", async () => {
    const sockets = new Set<Socket>();
    server.answer = (request, response) => {
      sockets.add(request.socket);
      json(response, {});
    };
    const source = makeSource({ baseUrl: server.url });
    for (let count = 0; count < 20; count++) await getJson(source, `/${count}`, {}, false);
    expect(sockets.size).toBe(1);
    await Promise.all(
      Array.from({ length: 40 }, (_, index) => getJson(source, `/more/${index}`, {}, false)),
    );
    expect(sockets.size).toBeLessThanOrEqual(4);
  });

  test("closing the source ends its requests and closes its connections", async () => {
    const source = makeSource({ baseUrl: server.url, timeout: 3600 });
    const closed = new Promise((resolve) => {
      server.answer = (request) => {
        request.socket.once("close", resolve);
        void source.close();
      };
    });
    await failure(source);
    await closed;
  });
});
