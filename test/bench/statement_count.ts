import { connect, createServer, type Socket } from "node:net";

/**
 * Stands before Postgres and counts the statements that a client sends: `Query` and `Execute` messages. See
 * "Frontend/Backend Protocol" in Postgres' manual.
 */
export class StatementCount {
  statements = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server;
  readonly #target: URL;

  constructor(dsn: string) {
    this.#target = new URL(dsn);
    this.#server = createServer((near) => {
      const far = connect(Number(this.#target.port), this.#target.hostname);
      const read = messageReader((type, length) => this.#count(type, length));
      near.on("data", read);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        socket.pipe(other);
        socket.on("error", () => other.destroy());
        socket.on("close", () => this.#sockets.delete(socket));
      }
    });
  }

  /** Gives the DSN that leads through it. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    if (typeof address !== "object" || address === null) throw new Error("no port");
    const url = new URL(this.#target);
    url.port = String(address.port);
    return url.href;
  }

  /** What was sent since it was last asked. */
  take(): number {
    const { statements } = this;
    this.statements = 0;
    return statements;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #count(type: string, length: number): void {
    if (type === "Q" && length === PING) return;
    if (type === "Q" || type === "E") this.statements += 1;
  }
}

/**
 * Length of the message `SELECT 1`, which asks a session that lay idle for a second whether it lives: it comes
 * with the time that `detect` takes, not with what it detects.
 */
const PING = 4 + "SELECT 1\0".length;

/** Tells the type and the length of each message but the first one, which has no type. Only the heads are looked at. */
export function messageReader(
  tell: (type: string, length: number) => void,
): (chunk: Buffer) => void {
  let head = Buffer.alloc(0);
  let skip = 0;
  let started = false;
  return (chunk) => {
    let rest = chunk;
    while (rest.length > 0) {
      if (skip > 0) {
        const passed = Math.min(skip, rest.length);
        skip -= passed;
        rest = rest.subarray(passed);
        continue;
      }
      const wanted = started ? 5 : 4;
      const taken = rest.subarray(0, wanted - head.length);
      head = Buffer.concat([head, taken]);
      rest = rest.subarray(taken.length);
      if (head.length < wanted) return;
      // The length counts itself, but not the type.
      const length = head.readUInt32BE(wanted - 4);
      if (started) tell(head.toString("latin1", 0, 1), length);
      skip = length - 4;
      started = true;
      head = Buffer.alloc(0);
    }
  };
}
