import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LoadedModule } from "../../src/alarm/alarm_module.ts";
import { WorkerPool } from "../../src/worker/worker_pool.ts";
import { NOTHING_STORED } from "../support/client_facts.ts";
import { json, startServer, type TestServer } from "../support/http_server.ts";
import { type WholeOutcome, wholeOutcome } from "../support/run_detect.ts";

const UNDICI = createRequire(import.meta.url).resolve("undici");
const LIMITS = { timeout: 30, memory: 256, detections: 100 };

const folder = mkdtempSync(join(tmpdir(), "swf-alarms-network-"));
const unixSocket = join(folder, "service.sock");
const local = createServer((socket) => socket.end());
let server: TestServer;
let port = "";
let udp: Socket;
let udpPort = 0;
let datagrams = 0;
beforeAll(async () => {
  server = await startServer((_, response) => json(response, ["ok"]));
  ({ port } = new URL(server.url));
  udp = createSocket("udp4").on("message", () => {
    datagrams += 1;
  });
  udp.bind(0, "127.0.0.1");
  local.listen(unixSocket);
  await Promise.all([once(udp, "listening"), once(local, "listening")]);
  udpPort = udp.address().port;
});
afterAll(async () => {
  await server.close();
  udp.close();
  local.close();
  rmSync(folder, { recursive: true, force: true });
});

let count = 0;

/** Runs modules one after the other, in one process where each leaves it as it was. */
async function run(...texts: readonly string[]) {
  const pool = new WorkerPool({
    limits: LIMITS,
    cpuTime: 60,
    log: () => {},
    redact: (text) => text,
    signal: new AbortController().signal,
  });
  const outcomes: WholeOutcome[] = [];
  const loads: LoadedModule[] = [];
  try {
    for (const text of texts) {
      count += 1;
      const file = { name: `m${count}`, path: join(folder, `m${count}.mjs`) };
      writeFileSync(file.path, filled(text));
      loads.push(await pool.load(file));
      const outcome = await pool.detect({
        file,
        params: {},
        sources: new Map(),
        now: 0,
        limits: LIMITS,
        ...NOTHING_STORED,
        firing: () => [],
        paramsOf: () => ({}),
        decideDetails: () => () => true,
        stages: [],
        log: () => {},
      });
      outcomes.push(wholeOutcome(outcome));
    }
  } finally {
    await pool.close();
  }
  return { outcomes, loads };
}

/** The text with the places of the services, which are known only now. */
function filled(text: string): string {
  return text
    .replaceAll("UNDICI", UNDICI)
    .replaceAll("UNIX", unixSocket)
    .replaceAll("UDP", String(udpPort))
    .replaceAll("PORT", port);
}

/** A module that yields what it got, and never fails. */
function asking(ask: string, head = ""): string {
  return `${head}
  export async function* detect() {
    let got;
    try { got = await (async () => { ${ask} })(); } catch (error) { got = "failed: " + error.message; }
    yield { dedupeKey: String(got) };
  }`;
}

const OWN = 'export const NETWORK = "own";';
const ONCE = 'import { once } from "node:events";';
const HTTP_GET = `const { get } = await import("node:http");
  return new Promise((resolve, reject) => get("http://127.0.0.1:PORT/", (response) => { response.resume(); response.on("end", () => resolve(response.statusCode)); }).on("error", reject));`;

function reason(target: string): string {
  return `the module connected to ${filled(target)} without the client, so the engine does not see what fails; use client.request, or export NETWORK = "own" and report each failure with client.incomplete`;
}

describe("a request past the client", () => {
  const rows: [string, string, string, string][] = [
    ["by node:http", HTTP_GET, "127.0.0.1:PORT", "200"],
    [
      "by node:http to a service that is not there",
      'const { get } = await import("node:http"); return new Promise((resolve) => get("http://[::1]:1/").on("error", () => resolve("refused")));',
      "[::1]:1",
      "refused",
    ],
    [
      "by node:http over a Unix socket",
      'const { get } = await import("node:http"); return new Promise((resolve) => get({ socketPath: "UNIX" }).on("error", () => resolve("no HTTP")));',
      '"UNIX"',
      "no HTTP",
    ],
    [
      "by node:https",
      'const { get } = await import("node:https"); return new Promise((resolve) => get("https://127.0.0.1:PORT/").on("error", () => resolve("no TLS")));',
      "127.0.0.1:PORT",
      "no TLS",
    ],
    [
      "by node:http2",
      'const { connect } = await import("node:http2"); return new Promise((resolve) => connect("http://127.0.0.1:PORT").on("error", () => resolve("HTTP 1")));',
      "127.0.0.1:PORT",
      "HTTP 1",
    ],
    [
      "by node:net",
      'const { connect } = await import("node:net"); await once(connect(PORT, "127.0.0.1"), "connect"); return "connected";',
      "127.0.0.1:PORT",
      "connected",
    ],
    [
      "by a socket that connects later",
      'const { Socket } = await import("node:net"); await once(new Socket().connect("PORT", "127.0.0.1"), "connect"); return "connected";',
      "127.0.0.1:PORT",
      "connected",
    ],
    [
      "by node:net to this host",
      'const { connect } = await import("node:net"); return new Promise((resolve) => connect(1).on("error", () => resolve("refused")));',
      "localhost:1",
      "refused",
    ],
    [
      "by node:tls",
      'const { connect } = await import("node:tls"); return new Promise((resolve) => connect(PORT, "127.0.0.1").on("error", () => resolve("no TLS")));',
      "127.0.0.1:PORT",
      "no TLS",
    ],
    [
      "by require",
      `const { createRequire } = await import("node:module"); const http = createRequire("/")("http"); await once(http.get("http://127.0.0.1:PORT/"), "response"); return "came";`,
      "127.0.0.1:PORT",
      "came",
    ],
    [
      "by a package of its own",
      'const { request } = (await import("UNDICI")).default; const { statusCode, body } = await request("http://127.0.0.1:PORT/"); await body.dump(); return statusCode;',
      "127.0.0.1:PORT",
      "200",
    ],
    [
      "in a datagram",
      'const { createSocket } = await import("node:dgram"); const socket = createSocket("udp4"); await new Promise((resolve) => socket.send("x", UDP, "127.0.0.1", resolve)); socket.close(); return "sent";',
      "127.0.0.1:UDP",
      "sent",
    ],
    [
      "in a part of a text, as a datagram",
      'const { createSocket } = await import("node:dgram"); const socket = createSocket("udp4"); await new Promise((resolve) => socket.send("xyz", 1, 2, UDP, "127.0.0.1", resolve)); socket.close(); return "sent";',
      "127.0.0.1:UDP",
      "sent",
    ],
    [
      "in a datagram of a connected socket",
      'const { createSocket } = await import("node:dgram"); const socket = createSocket("udp4"); socket.connect(UDP, "127.0.0.1"); await once(socket, "connect"); await new Promise((resolve) => socket.send("x", resolve)); socket.close(); return "sent";',
      "127.0.0.1:UDP",
      "sent",
    ],
  ];
  // Node 20 has no WebSocket.
  if ("WebSocket" in globalThis)
    rows.push([
      "by WebSocket",
      'return new Promise((resolve) => new WebSocket("ws://127.0.0.1:PORT/").addEventListener("error", () => resolve("refused")));',
      "127.0.0.1:PORT",
      "refused",
    ]);

  test.each(rows)("%s makes the outcome partial, and is sent", async (_, ask, target, got) => {
    const { outcomes } = await run(asking(ask, ONCE));
    expect(outcomes).toMatchObject([
      { status: "partial", reasons: [reason(target)], detections: [{ dedupeKey: got }] },
    ]);
  });

  test.each(rows)("%s is the module's own affair if it says so", async (_, ask, __, got) => {
    const { outcomes } = await run(asking(ask, `${ONCE}\n${OWN}`));
    expect(outcomes).toMatchObject([
      { status: "complete", reasons: [], detections: [{ dedupeKey: got }] },
    ]);
  });

  test("datagrams arrive", () => expect(datagrams).toBeGreaterThan(0));

  test("to several services names each one once", async () => {
    const { outcomes } = await run(
      asking(
        'const { connect } = await import("node:net"); for (const port of [1, 2, 1]) await new Promise((resolve) => connect(port).on("error", resolve));',
      ),
    );
    expect(outcomes[0]?.reasons).toEqual([reason("localhost:1"), reason("localhost:2")]);
  });

  const atTop = `import { get } from "node:http";
    export const code = await new Promise((resolve) => get("http://127.0.0.1:PORT/", (response) => { response.resume(); resolve(response.statusCode); }));
    export const detect = () => [{ dedupeKey: String(code) }];`;

  test("while the module is loaded counts for each outcome", async () => {
    const { loads, outcomes } = await run(atTop);
    expect(loads).toMatchObject([{ ok: true }]);
    expect(outcomes).toMatchObject([
      {
        status: "partial",
        reasons: [reason("127.0.0.1:PORT")],
        detections: [{ dedupeKey: "200" }],
      },
    ]);
    expect((await run(`${OWN}${atTop}`)).outcomes[0]?.status).toBe("complete");
  });

  test("over a connection that another module left open is noticed too", async () => {
    const { outcomes } = await run(asking(HTTP_GET, OWN), asking(HTTP_GET));
    expect(outcomes.map(({ status }) => status)).toEqual(["complete", "partial"]);
  });

  test("of one module is not held against the next one", async () => {
    const { outcomes } = await run(asking(HTTP_GET), asking('return "quiet";'));
    expect(outcomes.map(({ status }) => status)).toEqual(["partial", "complete"]);
  });
});

describe("what is not a request", () => {
  test.each([
    ["printing", 'console.log("x"); console.error("y"); return "done";'],
    [
      "a child process",
      'const { execFileSync } = await import("node:child_process"); return execFileSync("echo", ["done"]).toString().trim();',
    ],
    [
      "waiting for a connection",
      'const { createServer } = await import("node:net"); const server = createServer().listen(0); await once(server, "listening"); server.close(); return "done";',
    ],
  ])("%s leaves the outcome complete", async (_, ask) => {
    const { outcomes } = await run(asking(ask, ONCE));
    expect(outcomes).toMatchObject([{ status: "complete", detections: [{ dedupeKey: "done" }] }]);
  });
});

describe("fetch", () => {
  const FETCH =
    'const response = await fetch("http://127.0.0.1:PORT/"); return (await response.json()).join();';
  const NONE =
    'fetch is not available to alarms; use client.request, or export NETWORK = "own" and report each failure with client.incomplete';

  test("is Node's own for a module that answers for its requests", async () => {
    const { outcomes } = await run(asking(FETCH, OWN));
    expect(outcomes).toMatchObject([{ status: "complete", detections: [{ dedupeKey: "ok" }] }]);
  });

  test("is an error for others, also if they catch it, and in the process of such a module", async () => {
    const asked = server.requests.length;
    const { outcomes } = await run(asking(FETCH, OWN), asking(FETCH));
    expect(outcomes[1]).toMatchObject({
      status: "partial",
      reasons: [NONE],
      detections: [{ dedupeKey: `failed: ${NONE}` }],
    });
    expect(server.requests.length).toBe(asked + 1);
  });

  test("is an error while a module is loaded", async () => {
    const { loads } = await run(
      `${OWN} await fetch("http://127.0.0.1:PORT/"); export const detect = () => [];`,
    );
    expect(loads[0]).toMatchObject({
      ok: false,
      error: expect.stringContaining(
        "fetch is not available while a module is loaded; call client.request in detect",
      ),
    });
  });
});
