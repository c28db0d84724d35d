import { writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parseStatuses } from "../../alarms/lib/http_expected.ts";
import { testAlarm } from "../../src/testing.ts";
import type { JsonObject } from "../../src/text/json.ts";
import { Authority, type Certificate, hasOpenssl } from "../support/certificates.ts";
import { type Answer, startServer, type TestServer } from "../support/http_server.ts";
import { loadAlarm, runAlarm } from "./run_alarm.ts";

const ALARM = "http_endpoints";
const NOW = Math.floor(Date.now() / 1000);

async function run(endpoints: readonly JsonObject[], params: JsonObject = {}) {
  return await runAlarm({
    alarm: ALARM,
    params: { endpoints: [...endpoints], ...params },
    sources: {},
    now: NOW,
  });
}

test("it needs no source, and is not configured until it has endpoints", async () => {
  const { params, sources } = await loadAlarm(ALARM);
  expect([sources, params.endpoints?.required]).toEqual([[], true]);
});

describe("the statuses that are right", () => {
  const rows: readonly [sentence: string, text: string, status: number, isRight: boolean | null][] =
    [
      ["one is right", "200", 200, true],
      ["another is not", "200", 204, false],
      ["the first of a range is right", "200-299", 200, true],
      ["the last of a range is right", "200-299", 299, true],
      ["the one after a range is not", "200-299", 300, false],
      ["one of several is right", "200, 401-403", 403, true],
      ["one between several is not", "200, 401-403", 400, false],
      ["nothing is no status", "", 200, null],
      ["a word is no status", "ok", 200, null],
      ["a class is no status", "2xx", 200, null],
      ["a range with an open end is none", "200-", 200, null],
    ];
  test.each(rows)("%s", (_, text, status, isRight) => {
    expect(parseStatuses(text)?.(status) ?? null).toBe(isRight);
  });
});

describe("an endpoint", () => {
  let server: TestServer;
  let refused: string;
  beforeAll(async () => {
    server = await startServer((request, response, url) => answer(request, response, url));
    const gone = await startServer(() => {});
    refused = gone.url;
    await gone.close();
  });
  afterAll(() => server.close());

  const answer: Answer = (_, response, { pathname }) => {
    if (pathname === "/slow") return;
    if (pathname === "/half") return void response.writeHead(200).write("the beginning");
    if (pathname === "/broken") {
      response.writeHead(200, { "content-length": 100 });
      response.write("the beginning", () => response.destroy());
    } else if (pathname === "/moved")
      response.writeHead(302, { location: "https://login.example.org/?next=x" }).end();
    else if (pathname === "/endless") {
      const part = Buffer.alloc(65_536, ".");
      const more = (): void => {
        while (response.write(part));
        response.once("drain", more);
      };
      more();
    } else response.writeHead(pathname === "/down" ? 503 : 200).end("service is\x1b up, größer");
  };

  type Row = readonly [sentence: string, path: string, row: JsonObject, subject: RegExp | null];
  const rows: readonly Row[] = [
    ["is quiet while it answers 200", "/", {}, null],
    ["is quiet with its text", "/", { text: "up, größer" }, null],
    [
      "is reported without its text",
      "/",
      { text: "ready" },
      /^web: status 200 without the text "ready"$/,
    ],
    ["is reported with another status", "/down", {}, /^web: status 503, expected 200$/],
    ["may be expected to fail", "/down", { status: "500-599" }, null],
    [
      "is reported if it redirects, also to a page that works",
      "/moved",
      {},
      /^web: status 302 to https:\/\/login\.example\.org\/\?next=x, expected 200$/,
    ],
    ["may be expected to redirect", "/moved", { status: "302" }, null],
    ["is reported if it is silent", "/slow", { seconds: 0.2 }, /^web: no answer within 0.2 s$/],
    [
      "is reported if its answer does not end",
      "/half",
      { seconds: 0.5 },
      /^web: (status 200, but no whole|no) answer within 0.5 s$/,
    ],
    [
      "is reported if its answer breaks off",
      "/broken",
      {},
      /^web: status 200, but no whole answer: connection closed/,
    ],
    ["is quiet with an answer of any length", "/endless", {}, null],
    [
      "is searched for its text up to a limit",
      "/endless",
      { text: "up" },
      /^web: status 200 without the text "up" in its first 1 MiB$/,
    ],
  ];
  test.each(rows)("%s", async (_, path, row, subject) => {
    const outcome = await run([{ name: "web", url: server.url + path, ...row }]);
    expect(outcome).toMatchObject({ status: "complete", scopes: new Map() });
    const [found, ...more] = outcome.detections;
    expect(more).toEqual([]);
    if (subject === null) expect(found).toBeUndefined();
    else {
      expect(found?.dedupeKey).toBe("endpoint:web:answer");
      expect(found?.subject).toMatch(subject);
    }
  });

  test("says what was seen, and not the login in its URL", async () => {
    const url = new URL("/down?token=secret", server.url);
    url.username = "me";
    url.password = "secret";
    const { detections, levels } = await run([{ name: "web", url: url.href, severity: "error" }]);
    expect(levels.get("endpoint:web:answer")).toEqual({ severity: "error" });
    expect(detections).toMatchObject([
      {
        body: expect.stringMatching(
          /\/down: status 503 in \d+\.\d\d s\n\nservice is {2}up, größer$/,
        ),
        data: { metric: "503", url: `${server.url}/down` },
      },
    ]);
    expect(JSON.stringify(detections)).not.toContain("secret");
  });

  const failures: readonly [sentence: string, url: () => string, reason: string][] = [
    ["that refuses the connection", () => refused, "connection refused: "],
    [
      "whose name does not exist",
      () => "http://nowhere.invalid/",
      "(host name not found|DNS lookup failed): ",
    ],
    [
      "that does not speak TLS",
      () => server.url.replace("http:", "https:"),
      "TLS connection failed: ",
    ],
  ];
  test.each(failures)("%s is reported", async (_, url, reason) => {
    const outcome = await run([{ name: "web", url: url() }]);
    expect(outcome.status).toBe("complete");
    expect(outcome.detections).toMatchObject([{ data: { metric: "no answer" } }]);
    expect(outcome.detections[0]?.subject).toMatch(new RegExp(`^web: no answer: ${reason}`));
  });

  test("costs only itself: of a hundred the silent ones are reported", async () => {
    const endpoints = Array.from({ length: 100 }, (_, index) => ({
      name: `web${index}`,
      url: server.url + (index % 10 === 0 ? "/down" : "/"),
    }));
    const { status, detections } = await run(endpoints);
    expect(status).toBe("complete");
    const failing = endpoints.filter((_, index) => index % 10 === 0);
    expect(detections.map(({ dedupeKey }) => dedupeKey)).toEqual(
      failing.map(({ name }) => `endpoint:${name}:answer`),
    );
  });
});

test("its requests are its own, and leave the outcome of a tick complete", async () => {
  const server = await startServer((_, response) => response.writeHead(503).end());
  onTestFinished(() => server.close());
  const outcome = await testAlarm(new URL("../../alarms/http_endpoints.ts", import.meta.url), {
    params: { endpoints: [{ name: "web", url: server.url }] },
  });
  expect(outcome).toMatchObject({
    status: "complete",
    reasons: [],
    detections: [{ dedupeKey: "endpoint:web:answer", subject: "web: status 503, expected 200" }],
  });
});

test("every row that is wrong is named, before anything is asked", async () => {
  const server = await startServer((_, response) => response.end());
  onTestFinished(() => server.close());
  const outcome = await run([
    { name: "a", url: server.url },
    { name: "a", url: server.url, status: "2xx", certificate_days: 3 },
    { name: "b", url: "ftp://example.org/" },
    { name: "c", url: "example.org" },
  ]);
  expect(outcome).toMatchObject({ status: "failed", detections: [] });
  expect(outcome.reasons.join()).toContain(
    'endpoints[1].name: "a" is there twice; use another name; ' +
      'endpoints[1].status: must be like "200", "200-299" or "200,401", found "2xx"; ' +
      "endpoints[1].certificate_days: is for https; http has no certificate; " +
      'endpoints[2].url: must be a URL with http:// or https://, found "ftp://example.org/"; ' +
      'endpoints[3].url: must be a URL with http:// or https://, found "example.org"',
  );
  expect(server.requests).toEqual([]);
});

describe.skipIf(!hasOpenssl())("a certificate", () => {
  let authority: Authority;
  beforeAll(() => {
    authority = new Authority();
  });
  afterAll(() => authority.remove());

  async function startSecure(certificate: Certificate): Promise<string> {
    const server = createServer(certificate, (_, response) => response.end("ok"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("no port");
    return `https://127.0.0.1:${address.port}/`;
  }
  const ofAuthority = () => ({ ca_file: authority.path });

  test("of an authority that is not known is reported", async () => {
    const url = await startSecure(authority.issue("IP:127.0.0.1", 90));
    const { detections } = await run([{ name: "web", url }]);
    expect(detections[0]?.subject).toMatch(/^web: no answer: TLS certificate not accepted: /);
  });

  test("that is right for long is quiet", async () => {
    const url = await startSecure(authority.issue("IP:127.0.0.1", 90));
    const outcome = await run([{ name: "web", url, certificate_days: 30 }], ofAuthority());
    expect(outcome).toMatchObject({ status: "complete", detections: [] });
  });

  test("that expires soon is reported by itself", async () => {
    const url = await startSecure(authority.issue("IP:127.0.0.1", 10));
    const { detections } = await run([{ name: "web", url, certificate_days: 30 }], ofAuthority());
    expect(detections).toMatchObject([{ dedupeKey: "endpoint:web:certificate" }]);
    expect(detections[0]?.subject).toMatch(/^web: the certificate expires in (9|10) days, \d{4}-/);
  });

  test("that has expired, or is for another host, is reported as no answer", async () => {
    const [expired, other] = await Promise.all([
      startSecure(authority.issue("IP:127.0.0.1", -1)),
      startSecure(authority.issue("DNS:other.example.org", 90)),
    ]);
    const rows = [
      { name: "expired", url: expired, certificate_days: 30 },
      { name: "other", url: other },
    ];
    const outcome = await run(rows, ofAuthority());
    expect(outcome.detections.map(({ subject }) => subject)).toEqual([
      expect.stringMatching(/^expired: no answer: TLS certificate not accepted: .*expired/),
      expect.stringMatching(/^other: no answer: TLS certificate not accepted: .*altnames/),
    ]);
    // An event about its last days stays, and nobody is told twice.
    expect([outcome.status, [...outcome.scopes.keys()]]).toEqual([
      "complete",
      ["endpoint:expired:"],
    ]);
  });

  test("an authority's file that is none is an error of the alarm", async () => {
    const file = join(tmpdir(), `swf-alarms-no-ca-${process.pid}.pem`);
    writeFileSync(file, "none");
    for (const ca_file of [file, `${file}.gone`]) {
      const outcome = await run([{ name: "web", url: "https://127.0.0.1:1/" }], { ca_file });
      expect(outcome).toMatchObject({ status: "failed", detections: [] });
      expect(outcome.reasons[0]).toMatch(
        /ca_file: .*\.pem.* has no certificate that can be read \(cause: /,
      );
    }
  });
});
