import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttps } from "node:https";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext, TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { busySite } from "../support/busy_site.ts";
import { at } from "../support/rows.ts";
import type { Site } from "../support/site.ts";

/** What people set when a certificate is in their way, and forget. */
const WEAKENED = { NODE_TLS_REJECT_UNAUTHORIZED: "0" };

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

describe.skipIf(!hasOpenssl)("a server that nobody vouches for", () => {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const identity = () => ({ key: readFileSync(key), cert: readFileSync(cert) });

  beforeAll(() => {
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
    const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    execFileSync("openssl", ["req", ...kind, ...subject, "-keyout", key, "-out", cert], {
      stdio: "ignore",
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Speaks TLS as Postgres does, and keeps what it is told inside. */
  async function startPostgres(): Promise<{ readonly port: number; readonly heard: Buffer[] }> {
    const heard: Buffer[] = [];
    const port = await listen(
      createServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", () => {
          socket.write("S");
          const tls = new TLSSocket(socket, {
            isServer: true,
            secureContext: createSecureContext(identity()),
          });
          tls.on("error", () => {});
          tls.on("data", (chunk) => {
            heard.push(chunk);
            tls.destroy();
          });
        });
      }),
    );
    return { port, heard };
  }

  test("is told no database login where verify-full is asked for, whatever the environment says", async () => {
    const site = await busySite({});
    const { port, heard } = await startPostgres();
    const dsn = (mode: string): string =>
      `postgresql://ann:hunter2@127.0.0.1:${port}/db?sslmode=${mode}`;
    site.configure({ dsn: dsn("verify-full") });
    for (const env of [{}, WEAKENED]) {
      const result = await site.command(["run"], { env });
      expect(result).toMatchObject({ code: 2, stdout: "" });
      expect(result.stderr).toMatch(
        /^swf-alarms: cannot connect to Postgres at [^\n]*self-signed[^\n]*\n$/,
      );
    }
    expect(heard).toEqual([]);
    // With require the same server is believed, so the test can tell.
    site.configure({ dsn: dsn("require") });
    await site.command(["run"]);
    expect(Buffer.concat(heard).toString("latin1")).toContain("ann");
    // The authority that somebody names is trusted.
    heard.length = 0;
    site.configure({ dsn: dsn("verify-full") });
    await site.command(["run"], { env: { NODE_EXTRA_CA_CERTS: cert } });
    expect(Buffer.concat(heard).toString("latin1")).toContain("ann");
  });

  test("gets no mail, whatever the environment says, and the log says what was ignored", async () => {
    const site = await busySite({});
    const calls: string[] = [];
    const server = createHttps(identity(), (request, response) => {
      calls.push(request.url ?? "");
      response.end();
    });
    site.configure({ endpoint: `https://127.0.0.1:${await listen(server)}` });
    const result = await site.command(["run"], { env: WEAKENED });
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toContain("self-signed certificate");
    expect(calls).toEqual([]);
    expect(await attempts(site)).toEqual(["failed"]);
    expect(site.log()).toContain(
      " info the variable NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always checked",
    );
  });
});

async function attempts(site: Site): Promise<readonly unknown[]> {
  return (await site.entries("notification")).map(({ data }) => at(data, "outcome"));
}

/** On a port of its own until the test ends. */
async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the server has no port");
  return address.port;
}
