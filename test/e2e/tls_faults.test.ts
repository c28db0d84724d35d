import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Authority, type Certificate, hasOpenssl } from "../support/certificates.ts";
import { answer, type FaultyServer, send, startFaultyServer } from "../support/faulty_server.ts";
import { insertAlarm } from "../support/rows.ts";
import { makeSite, type Site, THINGS } from "../support/site.ts";

const TOKEN = "t0p-s3cret-t0ken";
const HEALTHY = send(answer(JSON.stringify({ items: [], has_more: false, next_before_id: null })));

const FROM_SAFE = THINGS.replace("client.pages", 'client.source("safe").pages');

describe.skipIf(!hasOpenssl())("a service whose certificate proves nothing", () => {
  let authority: Authority;
  beforeAll(() => {
    authority = new Authority();
  });
  afterAll(() => authority.remove());

  /** A site whose alarm asks this service with a token, on a host that says not to verify. */
  async function siteAt(url: string): Promise<Site> {
    const site = await makeSite();
    site.configure({
      more: `[sources.safe]\nbase_url = ${JSON.stringify(url)}\ntoken_env = "SAFE_TOKEN"\n`,
    });
    site.module("things.js", FROM_SAFE);
    await insertAlarm(site, "things");
    return site;
  }

  async function serve(tls: Certificate): Promise<FaultyServer> {
    const server = await startFaultyServer(HEALTHY, { tls });
    onTestFinished(() => server.close());
    return server;
  }

  async function tick(site: Site) {
    const env = { NODE_EXTRA_CA_CERTS: authority.path, NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    return await site.command(["run"], { env: { ...env, SAFE_TOKEN: TOKEN } });
  }

  test("one that an authority of the host vouches for is asked", async () => {
    const server = await serve(authority.issue("IP:127.0.0.1", 2));
    const { code, stderr } = await tick(await siteAt(server.url));
    expect(stderr).not.toContain("swf-alarms:");
    expect(code).toBe(0);
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toContain(TOKEN);
  });

  const refused: readonly (readonly [string, () => Certificate, RegExp])[] = [
    [
      "nobody vouches for it",
      () => authority.selfSigned(),
      /: self-signed certificate|SELF_SIGNED/,
    ],
    ["it has expired", () => authority.issue("IP:127.0.0.1", -1), /certificate has expired/],
    ["it is another host's", () => authority.issue("DNS:other.example", 2), /does not match/],
  ];
  test.each(refused)("%s: it never sees the question", async (_sentence, certificate, says) => {
    const server = await serve(certificate());
    const { code, stderr } = await tick(await siteAt(server.url));
    const line = stderr.split("\n").find((text) => text.startsWith("swf-alarms: "));
    expect(line).toMatch(
      /^swf-alarms: source safe unreachable since .*; last: TLS certificate not accepted: .*; affected alarms: things$/,
    );
    expect(line).toMatch(says);
    expect(code).toBe(1);
    expect(server.requests).toEqual([]);
    expect(stderr).not.toContain(TOKEN);
  });

  test("plain HTTP where TLS is configured", async () => {
    const server = await startFaultyServer(() => {}, {
      onConnect: (socket) =>
        void socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    });
    onTestFinished(() => server.close());
    const site = await siteAt(server.url.replace("http:", "https:"));
    const { code, stderr } = await tick(site);
    expect(stderr).toMatch(
      /swf-alarms: source safe unreachable since [^\n]*TLS connection failed: [^\n]+\n/,
    );
    expect(code).toBe(1);
    expect(server.requests).toEqual([]);
  });
});
