import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { writableFault } from "../../src/alarm/permissions.ts";
import type { Surroundings } from "../../src/config/config.ts";
import { ConfigError } from "../../src/config/load.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { readSources } from "../../src/source/registry.ts";
import type { OpenSource } from "../../src/source/source_kind.ts";
import { Authority, hasOpenssl } from "../support/certificates.ts";
import { startHttpProxy } from "../support/http_proxy.ts";
import { json } from "../support/http_server.ts";
import { BARE } from "../support/login.ts";

const folder = mkdtempSync(join(tmpdir(), "swf-alarms-http-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const AROUND: Surroundings = {
  ...BARE,
  folder,
  env: {
    TOKEN: "t0ken-1",
    LOGIN: "änn:pass:wörd ☂",
    NO_PASSWORD: "ann:",
    all_proxy: "http://127.0.0.1:9",
  },
  readText: (path) => readFileSync(path, "latin1"),
};

interface Sent {
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
}

const tick = new AbortController();
const open: OpenSource[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((source) => source.close()));
});

/** The sources of a configuration, opened for a tick with these limits. */
function sourcesOf(text: string, around: Partial<Surroundings> = {}) {
  const parsed = parseConfig(text, { ...AROUND, ...around });
  if (!parsed.ok) throw new Error(parsed.faults.join("\n"));
  const { engine, sources } = parsed.config;
  const facts = { timeout: engine.requestTimeout, maxConnections: engine.maxConnections };
  const more = { ...facts, signal: tick.signal, memory: { left: 1_000_000 } };
  const opened = [...readSources(sources)].map(([name, source]) => {
    return [name, source.open({ name, ...more })] as const;
  });
  open.push(...opened.map(([, source]) => source));
  return new Map(opened);
}

/** Requests a path from the only source of a configuration. */
async function ask(
  text: string,
  around: Partial<Surroundings> = {},
  path = "/x/",
): Promise<string> {
  const [source] = sourcesOf(text, around).values();
  if (source === undefined) throw new Error("the configuration has no source");
  return (await source.request({ path, query: {} })).body.toString();
}

async function listen(server: Server, where: string | number): Promise<number> {
  await new Promise<void>((resolve) => {
    if (typeof where === "string") server.listen(where, () => resolve());
    else server.listen(where, "127.0.0.1", () => resolve());
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** A service that answers everything, and what it was sent. */
function service(): { readonly sent: Sent[]; readonly answer: RequestListener } {
  const sent: Sent[] = [];
  return {
    sent,
    answer: ({ url = "", headers }, response) => {
      sent.push({ url, headers });
      json(response, {});
    },
  };
}

const NO_PROXY = { env: { ...AROUND.env, all_proxy: undefined } };

/** Both services have the same settings. */
describe.each(["[engine]", "[sources.other]"])("the service of %s", (table) => {
  const ROWS: readonly (readonly [string, string, object])[] = [
    ["nothing more", "", { authorization: undefined, "user-agent": "swf-alarms" }],
    ["a token", 'token_env = "TOKEN"', { authorization: "Bearer t0ken-1" }],
    [
      "a login in UTF-8, whose password has a colon",
      'login_env = "LOGIN"',
      { authorization: "Basic w6RubjpwYXNzOnfDtnJkIOKYgg==" },
    ],
    [
      "a login with an empty password",
      'login_env = "NO_PASSWORD"',
      { authorization: "Basic YW5uOg==" },
    ],
    [
      "headers, one of them a login",
      'headers = { X-One = "1", Authorization = "Negotiate a" }',
      { "x-one": "1", authorization: "Negotiate a" },
    ],
    ["a user agent", 'user_agent = "me (a@h)"', { "user-agent": "me (a@h)" }],
  ];
  test.each(ROWS)("is sent %s", async (_, settings, expected) => {
    const { sent, answer } = service();
    const port = await listen(createServer(answer), 0);
    await ask(`${table}\nbase_url = "http://127.0.0.1:${port}"\n${settings}`);
    const headers: { readonly [name: string]: unknown } = sent[0]?.headers ?? {};
    for (const [name, value] of Object.entries(expected)) expect(headers[name]).toBe(value);
  });

  test.each([
    ["", "/x/", "/x/"],
    [":/", "/x/", "/x/"],
    [":/api/v1", "x/?a=1", "/api/v1/x/?a=1"],
    [":/a:/b", "/x/", "/a:/b/x/"],
  ])(
    "is reached through a socket with the prefix %j, past any proxy",
    async (prefix, path, url) => {
      const { sent, answer } = service();
      const socket = join(folder, `é ${prefix.length}%20.sock`);
      await listen(createServer(answer), socket);
      await ask(`${table}\nbase_url = "unix://${socket}${prefix}"`, {}, path);
      expect(sent).toMatchObject([{ url, headers: { host: "localhost" } }]);
    },
  );

  test("is named by its socket if that cannot be used", async () => {
    const missing = join(folder, "missing.sock");
    const error = `the socket does not exist: connect ENOENT ${missing}, 4 attempts`;
    await expect(ask(`${table}\nbase_url = "unix://${missing}"`)).rejects.toThrow(error);
    const plain = join(folder, "plain");
    writeFileSync(plain, "");
    await expect(ask(`${table}\nbase_url = "unix://${plain}"`)).rejects.toThrow(
      `connection refused: connect ECONNREFUSED ${plain}`,
    );
  });

  test("cannot be asked for what is above its prefix", async () => {
    const text = `${table}\nbase_url = "unix:///run/a.sock:/api"`;
    await expect(ask(text, {}, "../admin")).rejects.toThrow("the path must be below /api/");
  });
});

test("the limits of [engine] are those of a service that has none of its own", async () => {
  const port = await listen(createServer(), 0);
  const base = `base_url = "http://127.0.0.1:${port}"`;
  const sources = sourcesOf(
    `[engine]\n${base}\nmax_connections = 2\nrequest_timeout = 0.1\n[sources.a]\n${base}\n[sources.b]\n${base}\nmax_connections = 9\nrequest_timeout = 0.2`,
  );
  const seen = await Promise.all(
    [...sources].map(async ([name, source]) => {
      const asked = source.request({ path: "/x/", query: {} });
      const reason = await asked.then(String, (error: Error) => error.message);
      return [name, source.maxConnections, reason];
    }),
  );
  const within = (seconds: number) => expect.stringContaining(`no response within ${seconds} s`);
  expect(seen).toEqual([
    ["main", 2, within(0.1)],
    ["a", 2, within(0.1)],
    ["b", 9, within(0.2)],
  ]);
});

describe.skipIf(!hasOpenssl())("an authority of one's own", () => {
  let authority: Authority;
  let other: Authority;
  beforeAll(() => {
    authority = new Authority();
    other = new Authority();
  });
  afterAll(() => {
    authority.remove();
    other.remove();
  });

  async function secured(): Promise<{ readonly base: string; readonly sent: Sent[] }> {
    const { sent, answer } = service();
    const server = createSecureServer(authority.issue("IP:127.0.0.1", 2), answer);
    const sockets = await listen(server, 0);
    return { base: `base_url = "https://127.0.0.1:${sockets}"`, sent };
  }

  test.each(["[engine]", "[sources.a]"])("is trusted by %s, which names it", async (table) => {
    const { base, sent } = await secured();
    writeFileSync(join(folder, "ca.pem"), readFileSync(authority.path));
    await ask(`${table}\n${base}\nca_file = "ca.pem"`, NO_PROXY);
    // The file may have more, and comments between them.
    const both = `# José\n${readFileSync(other.path)}\n# mine\n${readFileSync(authority.path)}`;
    writeFileSync(join(folder, "both.pem"), both, "latin1");
    await ask(`${table}\n${base}\nca_file = "both.pem"`, NO_PROXY);
    expect(sent).toHaveLength(2);
  });

  test("is trusted through a proxy, but not for the proxy itself", async () => {
    const { sent, answer } = service();
    const certificate = authority.issue("DNS:service.example", 2);
    const port = await listen(createSecureServer(certificate, answer), 0);
    const hosts = { "service.example:443": port };
    const text = `[sources.a]\nbase_url = "https://service.example"\nca_file = "${authority.path}"`;
    const plain = await startHttpProxy({ hosts });
    await ask(text, { env: { https_proxy: plain.url } });
    expect(sent).toMatchObject([{ url: "/x/" }]);
    const secure = await startHttpProxy({ hosts, tls: authority.issue("DNS:localhost", 2) });
    const https_proxy = secure.url.replace("127.0.0.1", "localhost");
    await expect(ask(text, { env: { https_proxy } })).rejects.toThrow("TLS certificate not");
    expect(secure.seen).toEqual([]);
  });

  test("is trusted by no other service, and is the only one that is", async () => {
    const { base, sent } = await secured();
    const refused = "TLS certificate not accepted";
    await expect(ask(`[sources.a]\n${base}`, NO_PROXY)).rejects.toThrow(refused);
    const text = `[sources.a]\n${base}\nca_file = "${other.path}"`;
    await expect(ask(text, NO_PROXY)).rejects.toThrow(refused);
    expect(sent).toEqual([]);
  });

  test.each([
    ["missing", undefined, /cannot read .*missing: /],
    ["empty", "", /empty has no certificate; it must have /],
    ["key", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----", /has no certificate/],
    [
      "broken",
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
      /the certificate 1 in .*broken cannot be read; replace it/,
    ],
  ])("a file that is %s is a fault of the configuration", (name, text, fault) => {
    if (text !== undefined) writeFileSync(join(folder, name), text);
    const config = `[sources.a]\nbase_url = "https://h"\nca_file = "${name}"`;
    const readText = (path: string): string => {
      if (text === undefined) throw new ConfigError(`cannot read ${path}: ENOENT`);
      return readFileSync(path, "latin1");
    };
    const parsed = parseConfig(config, { ...AROUND, readText });
    const expected = new RegExp(`^sources\\.a\\.ca_file: .*${fault.source}`);
    expect(parsed).toMatchObject({ ok: false, faults: [expect.stringMatching(expected)] });
  });

  test("a file that other users can write is refused", () => {
    const file = join(folder, "open.pem");
    writeFileSync(file, readFileSync(authority.path));
    chmodSync(file, 0o666);
    const parsed = parseConfig(`[sources.a]\nbase_url = "https://h"\nca_file = "open.pem"`, {
      ...AROUND,
      writableFault,
    });
    expect(parsed).toMatchObject({
      ok: false,
      faults: [expect.stringMatching(/^sources\.a\.ca_file: other users can write .*open\.pem/)],
    });
  });

  test("one that was removed since is an error, and not another trust", () => {
    const file = join(folder, "gone.pem");
    writeFileSync(file, readFileSync(authority.path));
    const text = `[sources.a]\nbase_url = "https://h"\nca_file = "gone.pem"`;
    const parsed = parseConfig(text, AROUND);
    if (!parsed.ok) throw new Error(parsed.faults.join());
    writeFileSync(file, "");
    expect(() => readSources(parsed.config.sources)).toThrow(/gone\.pem has no certificate/);
  });
});

test("what is secret about a service is known", () => {
  const text = `[engine]
base_url = "http://h"
token_env = "TOKEN"
[sources.a]
base_url = "http://h"
login_env = "LOGIN"
headers = { X-Api-Key = "key-1", Accept = "text/html" }
[sources.b]
base_url = "http://h"
headers = { Authorization = "Basic YW5uOmh1bnRlcjI=" }`;
  const parsed = parseConfig(text, AROUND);
  if (!parsed.ok) throw new Error(parsed.faults.join());
  const secrets = [...readSources(parsed.config.sources).values()].map((each) => each.secrets);
  expect(secrets).toEqual([
    ["t0ken-1"],
    ["änn:pass:wörd ☂", "pass:wörd ☂", "w6RubjpwYXNzOnfDtnJkIOKYgg==", "key-1"],
    ["Basic YW5uOmh1bnRlcjI=", "YW5uOmh1bnRlcjI=", "ann:hunter2", "hunter2"],
  ]);
});
