import { createConnection, type Server } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { busySite } from "../support/busy_site.ts";
import { Authority, type Certificate, hasOpenssl } from "../support/certificates.ts";
import { type HttpProxy, type ProxyOptions, startHttpProxy } from "../support/http_proxy.ts";
import type { ProcessResult } from "../support/process.ts";
import { at } from "../support/rows.ts";
import type { Site } from "../support/site.ts";

const [PASSWORD, LOGIN] = ["p@ss/w0rd", "ann:p@ss/w0rd"];
const TYPED = "ann:p%40ss%2Fw0rd@";

/** Does not wait for retries. */
const ASKS_ONCE = 'export const detect = (client) => client.request("/things/", { attempts: 1 });';

const port = (url: string): number => Number(new URL(url).port);

describe.skipIf(!hasOpenssl())("what only a proxy can reach", () => {
  let authority: Authority;
  beforeAll(() => {
    authority = new Authority();
  });
  afterAll(() => authority.remove());

  /** TLS in front of a server of this machine. */
  async function secured(to: string, certificate: Certificate): Promise<number> {
    const server: Server = createTlsServer({ ...certificate }, (socket) => {
      const inner = createConnection(port(to), "127.0.0.1");
      for (const each of [socket, inner]) each.on("error", () => each.destroy());
      socket.pipe(inner).pipe(socket);
    });
    server.on("tlsClientError", () => {});
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  interface World {
    readonly site: Site;
    readonly proxy: HttpProxy;
    tick(env: { readonly [name: string]: string }): Promise<ProcessResult>;
  }

  /** The service is `service.example`, SES is `https://mail.example`; no name server knows either. */
  async function world(
    scheme: "http" | "https",
    options: Partial<ProxyOptions> = {},
    names = "DNS:service.example,DNS:mail.example",
  ): Promise<World> {
    const baseUrl = `${scheme}://service.example/prod`;
    const more = { baseUrl, endpoint: "https://mail.example", engine: "request_timeout = 2" };
    const site = await busySite({});
    site.configure(more);
    const certificate = authority.issue(names, 2);
    const proxy = await startHttpProxy({
      hosts: {
        "service.example:80": port(site.source.url),
        "service.example:443": await secured(site.source.url, certificate),
        "mail.example:443": await secured(site.mail.url, authority.issue("DNS:mail.example", 2)),
      },
      ...options,
    });
    const trust = { NODE_EXTRA_CA_CERTS: authority.path };
    return {
      site,
      proxy,
      tick: async (env) => {
        const result = await site.command(["run"], { env: { ...trust, ...env } });
        expect(result.stderr + site.log()).not.toContain(PASSWORD);
        expect(result.stderr + site.log()).not.toContain("p%40ss");
        return result;
      },
    };
  }

  test.each([
    { scheme: "http", asks: /^GET http:\/\/service\.example\/prod\/things\/\?/ },
    { scheme: "https", asks: /^CONNECT service\.example:443$/ },
  ] as const)("is asked and mailed through it: $scheme", async ({ scheme, asks }) => {
    const { site, proxy, tick } = await world(scheme, { login: LOGIN });
    const value = proxy.url.replace("//", `//${TYPED}`);
    expect(await tick({ HTTP_PROXY: value, HTTPS_PROXY: value })).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
    expect(site.source.requests).toEqual([expect.stringMatching(/^\/prod\/things\/\?/)]);
    expect(site.mail.mails).toHaveLength(1);
    expect(proxy.seen).toEqual([expect.stringMatching(asks), "CONNECT mail.example:443"]);
  });

  test.each(["http", "https"] as const)("%s, with a login without a user", async (scheme) => {
    const { site, proxy, tick } = await world(scheme, { login: `:${PASSWORD}` });
    const value = proxy.url.replace("//", "//:p%40ss%2Fw0rd@");
    expect(await tick({ all_proxy: value })).toMatchObject({ code: 0, stderr: "" });
    expect(site.mail.mails).toHaveLength(1);
  });

  test.each(["http", "https"] as const)(
    "%s, through a proxy that speaks TLS itself",
    async (scheme) => {
      const tls = authority.issue("DNS:localhost", 2);
      const { site, proxy, tick } = await world(scheme, { login: LOGIN, tls });
      const { code, stderr } = await tick({
        all_proxy: proxy.url.replace("//127.0.0.1", `//${TYPED}localhost`),
      });
      expect(stderr).toBe("");
      expect(code).toBe(0);
      expect(site.mail.mails).toHaveLength(1);
    },
  );

  const bad: readonly (readonly [string, Partial<ProxyOptions>, RegExp])[] = [
    ["wants another login", { login: "ann:other" }, /requires a login: set it as .*407/],
    ["is down itself", { refuse: 503 }, /503/],
    ["does not reach the service", { hosts: {} }, /502/],
    ["never responds", { refuse: "silence" }, /no response within 2 s/],
  ];
  test.each(
    bad.flatMap(([sentence, options, says]) =>
      (["http", "https"] as const).map((scheme) => ({ sentence, scheme, options, says })),
    ),
  )("is named where it $sentence: $scheme", async ({ scheme, options, says }) => {
    const { site, proxy, tick } = await world(scheme, options);
    site.module("things.js", ASKS_ONCE);
    const value = proxy.url.replace("//", `//${TYPED}`);
    // Mail goes nowhere, so that the test is short.
    const { code, stderr } = await tick({ [`${scheme}_proxy`]: value, no_proxy: "mail.example" });
    expect(code).toBe(1);
    expect(stderr).toMatch(says);
    expect(stderr).toContain(`(through the proxy ${proxy.url})`);
    expect(site.source.requests).toEqual([]);
  });

  test("is named where it cannot be reached, and where the service behind it is another", async () => {
    const { site, proxy, tick } = await world("https", {}, "DNS:other.example");
    site.module("things.js", ASKS_ONCE);
    const other = await tick({ https_proxy: proxy.url });
    expect(other).toMatchObject({ code: 1 });
    expect(other.stderr).toMatch(
      /TLS certificate not accepted: .*does not match.*through the proxy/,
    );
    const gone = await tick({ https_proxy: "127.0.0.1:9" });
    expect(gone.stderr).toMatch(
      /connection refused: connect ECONNREFUSED 127\.0\.0\.1:9 \(through the proxy http:\/\/127\.0\.0\.1:9\)/,
    );
    expect(site.source.requests).toEqual([]);
  });

  test.each(bad.slice(0, 3))(
    "a mail that fails because the proxy %s says so",
    async (_, options, says) => {
      const { site, proxy, tick } = await world("http", options);
      site.configure({ endpoint: "https://mail.example" });
      const { code, stderr } = await tick({ HTTPS_PROXY: proxy.url });
      expect(code).toBe(1);
      expect(stderr).toMatch(says);
      expect(stderr).toContain(`(through the proxy ${proxy.url})`);
      const outcomes = (await site.entries("notification")).map(({ data }) => at(data, "outcome"));
      expect(outcomes).toEqual(["failed"]);
      // What was not sent is sent by the next tick, here past the proxy.
      site.configure({});
      expect(await tick({ HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url })).toMatchObject({
        code: 0,
      });
      expect(site.mail.mails).toHaveLength(1);
    },
  );

  test("a variable that cannot be used ends the tick, in the log too, before anything is sent", async () => {
    const { site, tick } = await world("http");
    for (const value of ["socks5://ann:hunter2222@127.0.0.1:1080", "http://ann:12#hunter2222@p"]) {
      const { code, stderr } = await tick({ ALL_PROXY: value });
      expect(code).toBe(2);
      expect(stderr).toMatch(/the environment variable ALL_PROXY: must be a URL such as /);
      expect(stderr + site.log()).not.toContain("hunter2222");
      expect(site.log()).toContain(" error 1 fault in the configuration ");
    }
    expect(site.source.requests).toEqual([]);
  });
});
