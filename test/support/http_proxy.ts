import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer as createSecure } from "node:https";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { onTestFinished } from "vitest";
import type { Certificate } from "./certificates.ts";

export interface ProxyOptions {
  /** Where its names lead, such as `service.example:443` to a port of this machine; no other host knows them. */
  readonly hosts: { readonly [target: string]: number };
  /** `user:password` that each request must give. */
  readonly login?: string;
  /** A status instead of a connection, or none at all. */
  readonly refuse?: number | "silence";
  /** An https proxy. */
  readonly tls?: Certificate;
  /** As many do: a tunnel only for TLS. */
  readonly tunnels?: RegExp;
}

export interface HttpProxy {
  readonly port: number;
  readonly url: string;
  /** `CONNECT service.example:443` and `GET http://service.example/things/`, in order. */
  readonly seen: string[];
}

/** A real HTTP proxy on loopback, until the test ends. */
export async function startHttpProxy(options: ProxyOptions): Promise<HttpProxy> {
  const { hosts, login, refuse, tls, tunnels = tls ? /:\d+$/ : /:(443|8443)$/ } = options;
  const seen: string[] = [];
  const sockets = new Set<Duplex>();
  const wanted = `Basic ${Buffer.from(login ?? "").toString("base64")}`;
  /** The status with which a request is refused. */
  const refusal = ({ headers }: IncomingMessage, target: string): number | undefined => {
    if (login !== undefined && headers["proxy-authorization"] !== wanted) return 407;
    if (typeof refuse === "number") return refuse;
    return hosts[target] === undefined ? 502 : undefined;
  };
  const pass = (near: IncomingMessage, response: ServerResponse): void => {
    seen.push(`${near.method} ${near.url}`);
    if (refuse === "silence") return;
    const url = new URL(near.url ?? "", "http://no-absolute-form");
    const target = `${url.hostname}:${url.port || 80}`;
    const status = refusal(near, target);
    if (status !== undefined) return void response.writeHead(status).end("from the proxy");
    const { "proxy-authorization": _, ...headers } = near.headers;
    const path = url.pathname + url.search;
    const far = request({ port: hosts[target], method: near.method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    near.pipe(far);
  };
  const server = tls === undefined ? createServer(pass) : createSecure({ ...tls }, pass);
  server.on("connect", (near: IncomingMessage, socket: Duplex) => {
    const target = near.url ?? "";
    seen.push(`CONNECT ${target}`);
    socket.on("error", () => {});
    if (refuse === "silence") return;
    const status = tunnels.test(target) ? refusal(near, target) : 403;
    if (status !== undefined) return void socket.end(`HTTP/1.1 ${status} Not Today\r\n\r\n`);
    const far = connect(hosts[target] ?? 0, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(far).pipe(socket);
    });
    far.on("error", () => socket.destroy());
    sockets.add(far);
  });
  server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) =>
    sockets.add(socket),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the proxy has no port");
  const scheme = tls === undefined ? "http" : "https";
  return { port: address.port, url: `${scheme}://127.0.0.1:${address.port}`, seen };
}
