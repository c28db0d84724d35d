import { createServer, type IncomingMessage } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { busySite } from "../support/busy_site.ts";
import { Authority, hasOpenssl } from "../support/certificates.ts";
import { json } from "../support/http_server.ts";
import { insertAlarm } from "../support/rows.ts";
import type { Site } from "../support/site.ts";

/** The list of the `things` module, and the headers of each request for it. */
function things(site: Site) {
  const seen: IncomingMessage["headers"][] = [];
  return {
    seen,
    answer: ({ headers }: IncomingMessage, response: Parameters<typeof json>[0]) => {
      seen.push(headers);
      json(response, { items: site.things, has_more: false, next_before_id: null });
    },
  };
}

test("a tick asks the main service through its socket, with its login, and names both where they fail", async () => {
  const site = await busySite({});
  const { seen, answer } = things(site);
  const server = createServer(answer);
  const socket = join(site.folder, "service.sock");
  const engine =
    'login_env = "LOGIN"\nuser_agent = "ops"\nmax_per_minute = 30\nrequest_timeout = 5';
  site.configure({ baseUrl: `unix://${socket}:/prod`, engine });
  // A proxy has no part in it.
  const env = { LOGIN: "ann:pa55word", all_proxy: "http://127.0.0.1:9", no_proxy: "127.0.0.1" };
  const down = await site.command(["run"], { env });
  expect(down.code).toBe(1);
  expect(down.stderr).toContain(`the socket does not exist: connect ENOENT ${socket}`);
  expect(down.stderr).not.toContain("proxy");
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(() => void server.close());
  expect(await site.command(["run"], { env })).toMatchObject({ code: 0, stderr: "" });
  expect(seen).toMatchObject([
    {
      host: "localhost",
      "user-agent": "ops",
      authorization: `Basic ${Buffer.from("ann:pa55word").toString("base64")}`,
    },
  ]);
  const unset = await site.command(["run"], { env: { ...env, LOGIN: "" } });
  expect(unset.code).toBe(2);
  expect(unset.stderr).toContain("engine.login_env: the environment variable LOGIN is not set");
});

describe.skipIf(!hasOpenssl())("a service with an authority of its own", () => {
  let authority: Authority;
  beforeAll(() => {
    authority = new Authority();
  });
  afterAll(() => authority.remove());

  test("is trusted by the source that names the authority, and by no other", async () => {
    const site = await busySite({});
    const { seen, answer } = things(site);
    const server = createSecureServer(authority.issue("IP:127.0.0.1", 2), answer);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const base = `base_url = "https://127.0.0.1:${port}"`;
    site.configure({
      more: `[sources.own]\n${base}\nca_file = "${authority.path}"\n[sources.plain]\n${base}`,
    });
    for (const name of ["own", "plain"]) {
      site.module(
        `${name}.js`,
        `export const SOURCES = ["${name}"];
         export async function* detect(client) { await client.source("${name}").get("/x/"); }`,
      );
      await insertAlarm(site, name);
    }
    const { code, stderr } = await site.command(["run"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/source plain unreachable .*TLS certificate not accepted/);
    expect(stderr).not.toContain("own");
    expect(seen).toHaveLength(1);
  });
});
