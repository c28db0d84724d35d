import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

/** What a server does once a request has come; `path` holds its query too. */
export type Misbehave = (socket: Socket, path: string) => void;

export interface FaultyServer {
  readonly url: string;
  /** Requests so far, as they came. */
  readonly requests: string[];
  close(): Promise<void>;
}

export interface FaultyOptions {
  /** What it does as soon as somebody connects. */
  readonly onConnect?: (socket: Socket) => void;
  /** PEM; the server speaks TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** A server on loopback that writes bytes, not answers. */
export async function startFaultyServer(
  misbehave: Misbehave,
  { onConnect, tls }: FaultyOptions = {},
): Promise<FaultyServer> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    let head = "";
    socket.on("data", (bytes) => {
      head += bytes.toString("latin1");
      for (let end = head.indexOf("\r\n\r\n"); end >= 0; end = head.indexOf("\r\n\r\n")) {
        const request = head.slice(0, end);
        requests.push(request);
        head = head.slice(end + 4);
        misbehave(socket, request.split(" ")[1] ?? "");
      }
    });
    onConnect?.(socket);
  };
  const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null)
    throw new Error("the test server has no port");
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${address.port}`,
    requests,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** The bytes of a whole answer; headers go over the usual ones. */
export function answer(
  body: string | Buffer,
  headers: { readonly [name: string]: string } = {},
  status = "200 OK",
): Buffer {
  const bytes = Buffer.from(body);
  const all = {
    "content-type": "application/json",
    "content-length": String(bytes.length),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\n${lines.join("")}\r\n`), bytes]);
}

/** Sends these bytes and keeps the connection. */
export function send(bytes: string | Buffer): (socket: Socket) => void {
  return (socket) => void socket.write(bytes);
}

/** Sends these bytes and closes the connection. */
export function sendAndClose(bytes: string | Buffer): (socket: Socket) => void {
  return (socket) => void socket.end(bytes);
}

/** Sends these bytes and resets the connection once they are out. */
export function sendAndReset(bytes: string | Buffer): (socket: Socket) => void {
  return (socket) => void socket.write(bytes, () => socket.resetAndDestroy());
}

/** Sends the first text, then the second again and again, every few milliseconds, for ever. */
export function dribble(first: string | Buffer, then: string): Misbehave {
  return (socket) => {
    socket.write(first);
    const timer = setInterval(() => socket.write(then), 5);
    socket.on("close", () => clearInterval(timer));
  };
}

/** Sends the first text, then the second again and again, as fast as it is taken, for ever. */
export function pour(first: string, then: string): Misbehave {
  return (socket) => {
    socket.write(first);
    const flow = (): void => {
      while (!socket.destroyed && socket.write(then));
    };
    socket.on("drain", flow);
    flow();
  };
}
