import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { httpPost, type PostTarget } from "../../src/channel/http_post.ts";
import { Authority, hasOpenssl } from "../support/certificates.ts";
import {
  answer,
  dribble,
  type FaultyOptions,
  type Misbehave,
  send,
  sendAndClose,
  sendAndReset,
  startFaultyServer,
} from "../support/faulty_server.ts";
import { startHttpProxy } from "../support/http_proxy.ts";
import { startServer } from "../support/http_server.ts";
import { PATIENTLY } from "../support/mails.ts";
import { runScript } from "../support/script.ts";

const HTTP_POST = fileURLToPath(new URL("../../src/channel/http_post.ts", import.meta.url));
const BODY = '{"text":"é漢😀"}';
const HEADERS = { "content-type": "application/json" };

function post(url: string, more: Partial<PostTarget> = {}, signal = PATIENTLY) {
  const target = { url: new URL(`${url}/hook?key=1`), proxy: undefined, timeout: 20, ...more };
  return httpPost(target, HEADERS, BODY, signal);
}

async function faulty(misbehave: Misbehave, options: FaultyOptions = {}) {
  const server = await startFaultyServer(misbehave, options);
  onTestFinished(() => server.close());
  return server;
}

/** A server that answers with the method, path, type and body of the request. */
async function echo() {
  const server = await startServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const { method, url, headers } = request;
    const { "content-type": type, "content-length": length } = headers;
    response.end([method, url, type, length, Buffer.concat(chunks)].join(" "));
  });
  onTestFinished(() => server.close());
  return server;
}
const ECHOED = `POST /hook?key=1 application/json ${Buffer.byteLength(BODY)} ${BODY}`;

test("the request arrives as it is, and its response is returned", async () => {
  const { url } = await echo();
  expect(await post(url)).toMatchObject({ status: 200, text: ECHOED });
});

const DELIVERED = { retryable: true, mayBeDelivered: true };
const UNSENT = { retryable: true, mayBeDelivered: false };
const CLOSED = expect.stringMatching(/^connection closed before the response was complete/);
const whole = answer("accepted");
const half = whole.subarray(0, whole.length - 3);

describe("what the service does", () => {
  test.each<readonly [string, Misbehave, object]>([
    ["a whole response", sendAndClose(whole), { status: 200, text: "accepted" }],
    ["one that is lost in the body", sendAndClose(half), { status: 200, text: "accep" }],
    ["one that is reset in the body", sendAndReset(half), { status: 200, text: "accep" }],
    ["one lost in its head", sendAndClose("HTTP/1.1 200"), { reason: CLOSED, ...DELIVERED }],
    ["no response", (socket: Socket) => void socket.end(), { reason: CLOSED, ...DELIVERED }],
    [
      "a reset",
      (socket: Socket) => void socket.resetAndDestroy(),
      { reason: CLOSED, ...DELIVERED },
    ],
    [
      "another protocol",
      sendAndClose("220 mail.example ESMTP\r\n"),
      {
        reason: expect.stringMatching(/^the response is not HTTP/),
        retryable: false,
        mayBeDelivered: true,
      },
    ],
    [
      "a redirect, which is not followed",
      sendAndClose(answer("", { location: "/other" }, "302 Found")),
      { status: 302, headers: expect.objectContaining({ location: "/other" }) },
    ],
    ["a long body", send(answer("x".repeat(100_000))), { status: 200, text: "x".repeat(4_000) }],
  ])("%s", async (_sentence, misbehave, expected) => {
    const server = await faulty(misbehave);
    expect(await post(server.url)).toMatchObject(expected);
    expect(server.requests).toHaveLength(1);
  });
});

describe("time", () => {
  test("the limit is for the whole exchange, however it is spent", async () => {
    const slow = "HTTP/1.1 200 OK\r\n";
    const cases: readonly (readonly [Misbehave, string, object])[] = [
      [() => {}, "http:", { reason: "no response within 2 s", ...DELIVERED }],
      [dribble(slow, "x: y\r\n"), "http:", { reason: "no response within 2 s", ...DELIVERED }],
      [dribble(`${slow}\r\n`, "x"), "http:", { status: 200, text: expect.stringMatching(/^x/) }],
      [() => {}, "https:", { reason: "no connection within 2 s", ...UNSENT }],
    ];
    await Promise.all(
      cases.map(async ([misbehave, scheme, expected]) => {
        const { url } = await faulty(misbehave);
        const result = await post(url.replace("http:", scheme), { timeout: 2 });
        expect(result).toMatchObject(expected);
      }),
    );
  });

  test("the signal ends it: before it began, and while it waits", async () => {
    const time = new AbortController();
    const server = await faulty(() => time.abort(new Error("the tick ended")));
    expect(await post(server.url, {}, time.signal)).toEqual({
      reason: "stopped before the response: the tick ended",
      ...DELIVERED,
    });
    expect(await post(server.url, {}, time.signal)).toEqual({
      reason: "stopped before the connection: the tick ended",
      ...UNSENT,
    });
    expect(server.requests).toHaveLength(1);
  });
});

describe("no connection: surely not sent", () => {
  test("nothing listens", async () => {
    const server = await startServer(() => {});
    await server.close();
    expect(await post(server.url)).toEqual({
      reason: expect.stringMatching(/^connection refused: /),
      ...UNSENT,
    });
  });

  test("no such host", async () => {
    expect(await post("http://no-such-host.invalid")).toMatchObject({ mayBeDelivered: false });
  });
});

describe.skipIf(!hasOpenssl())("TLS", () => {
  let authority: Authority;
  beforeAll(() => {
    authority = new Authority();
  });
  afterAll(() => authority.remove());

  test("a certificate that proves nothing is refused, whatever the environment says", async () => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    onTestFinished(() => void vi.unstubAllEnvs());
    const server = await faulty(sendAndClose(whole), { tls: authority.selfSigned() });
    const port = Number(new URL(server.url).port);
    const proxy = await startHttpProxy({ hosts: { "service.example:443": port } });
    const refused = {
      reason: expect.stringMatching(/^TLS certificate not accepted: /),
      retryable: false,
      mayBeDelivered: false,
    };
    expect(await post(server.url)).toEqual(refused);
    const tunnelled = await post("https://service.example", { proxy: new URL(proxy.url) });
    expect(tunnelled).toEqual(refused);
    expect(proxy.seen).toEqual(["CONNECT service.example:443"]);
    expect(server.requests).toEqual([]);
  });

  test("one that an authority of the host vouches for is accepted, also through a tunnel", async () => {
    const tls = authority.issue("IP:127.0.0.1,DNS:service.example", 2);
    const server = await faulty(sendAndClose(whole), { tls });
    const { port } = new URL(server.url);
    const proxy = await startHttpProxy({ hosts: { "service.example:443": Number(port) } });
    const script = `
      import { createJiti } from "jiti";
      const { httpPost } = await createJiti(import.meta.url).import(${JSON.stringify(HTTP_POST)});
      const signal = new AbortController().signal;
      const proxy = new URL("${proxy.url}");
      for (const to of [{ url: new URL("${server.url}") }, { url: new URL("https://service.example"), proxy }])
        console.log((await httpPost({ timeout: 20, ...to }, {}, "{}", signal)).text);
    `;
    const { stdout, stderr } = await runScript(script, { NODE_EXTRA_CA_CERTS: authority.path });
    expect({ stdout, stderr }).toEqual({ stdout: "accepted\naccepted\n", stderr: "" });
    expect(proxy.seen).toEqual(["CONNECT service.example:443"]);
  });

  test("a port that speaks no TLS", async () => {
    const { url } = await faulty(() => {}, { onConnect: (socket) => void socket.end("hello\r\n") });
    expect(await post(url.replace("http:", "https:"))).toMatchObject({ mayBeDelivered: false });
  });
});

describe("a proxy", () => {
  const login = "ann:p@ss/w0rd";
  const through = (url: string): URL => new URL(url.replace("//", "//ann:p%40ss%2Fw0rd@"));

  test("passes a plain request on", async () => {
    const { url } = await echo();
    const port = Number(new URL(url).port);
    const proxy = await startHttpProxy({ hosts: { "service.example:80": port }, login });
    const result = await post("http://service.example", { proxy: through(proxy.url) });
    expect(result).toMatchObject({ status: 200, text: ECHOED });
    expect(proxy.seen).toEqual(["POST http://service.example/hook?key=1"]);
  });

  test("that refuses the login is named in the reason; surely not sent", async () => {
    const proxy = await startHttpProxy({ hosts: {}, login });
    for (const scheme of ["https", "http"])
      expect(await post(`${scheme}://service.example`, { proxy: new URL(proxy.url) })).toEqual({
        reason: expect.stringMatching(/^the proxy requires a login/),
        retryable: false,
        mayBeDelivered: false,
      });
  });

  test("that does not respond: surely not sent", async () => {
    const proxy = await startHttpProxy({ hosts: {}, refuse: "silence" });
    const more = { proxy: new URL(proxy.url), timeout: 0.3 };
    expect(await post("https://service.example", more)).toMatchObject({
      reason: "no connection within 0.3 s",
      mayBeDelivered: false,
    });
  });
});
