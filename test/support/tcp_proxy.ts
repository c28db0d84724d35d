import { connect, createServer, type Socket } from "node:net";

/** Stands before a server and passes bytes on, until the test makes it a bad network. */
export interface TcpProxy {
  readonly port: number;
  /** Passes nothing on any more, in either direction, and keeps every connection open. */
  freeze(): void;
  /** Passes on again, what has gathered first. */
  thaw(): void;
  /** Resets all connections and refuses new ones, as a host does whose server has ended. */
  shut(): Promise<void>;
  /** Listens again on the same port. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

export async function startProxy(targetHost: string, targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let frozen = false;
  let server = makeServer();
  let port = await listen(0);

  function makeServer() {
    return createServer((near) => {
      const far = connect(targetPort, targetHost);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(socket);
        socket.on("data", (chunk) => other.write(chunk));
        socket.on("error", () => {});
        socket.on("close", () => {
          sockets.delete(socket);
          other.destroy();
        });
        if (frozen) socket.pause();
      }
    });
  }

  async function listen(wanted: number): Promise<number> {
    await new Promise<void>((resolve) => server.listen(wanted, "127.0.0.1", resolve));
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("the proxy has no port");
    return address.port;
  }

  async function shut(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  return {
    get port() {
      return port;
    },
    freeze: () => {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw: () => {
      frozen = false;
      for (const socket of sockets) socket.resume();
    },
    shut,
    reopen: async () => {
      server = makeServer();
      port = await listen(port);
    },
    close: shut,
  };
}

/** A proxy before the Postgres of a DSN, and the DSN that leads through it. */
export async function proxyDsn(
  dsn: string,
): Promise<{ readonly proxy: TcpProxy; readonly dsn: string }> {
  const url = new URL(dsn);
  const proxy = await startProxy(url.hostname, Number(url.port));
  url.hostname = "127.0.0.1";
  url.port = String(proxy.port);
  return { proxy, dsn: url.href };
}
