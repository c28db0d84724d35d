import dgram from "node:dgram";
import net from "node:net";
import { showName } from "../../text/describe.ts";

const { fetch: fetchOfNode } = globalThis;

const REMEDY =
  'use client.request, or export NETWORK = "own" and report each failure with client.incomplete';

/**
 * Notices what a module asks without the client: the engine does not see whether that fails. All TCP, TLS, HTTP
 * and WebSocket clients of Node and of packages connect by one method of sockets; UDP sends by another. Child
 * processes and threads of the module are not noticed, and neither are queries of `node:dns`.
 */
export class Network {
  readonly #report: (reason: string) => void;
  /** Different ones of this job. */
  readonly #reasons = new Set<string>();
  /** While it is "loading", the module has not said yet whether it answers for its own requests. */
  #state: "idle" | "loading" | "watched" | "own" = "idle";

  /** Made once in a process, before any module is loaded. */
  constructor(report: (reason: string) => void) {
    this.#report = report;
    const notice = (target: string | undefined): void => {
      if (target !== undefined) this.#notice(connectedTo(target));
    };
    const { Socket: Stream } = net;
    const { Socket: Datagrams } = dgram;
    Stream.prototype.connect = noticed(Stream.prototype.connect, (args) => notice(peerOf(args)));
    Datagrams.prototype.connect = noticed(Datagrams.prototype.connect, (args) =>
      notice(peerOf(args)),
    );
    Datagrams.prototype.send = noticed(Datagrams.prototype.send, (args) =>
      notice(receiverOf(args)),
    );
    Object.defineProperty(globalThis, "fetch", { value: this.#fetch() });
  }

  /** A module is being loaded. */
  begin(): void {
    this.#reasons.clear();
    this.#state = "loading";
  }

  /** It is loaded, and says whether it answers for its own requests; those of its top level count too. */
  loaded(isOwn: boolean): void {
    this.#state = isOwn ? "own" : "watched";
    if (!isOwn) for (const reason of this.#reasons) this.#report(reason);
  }

  /**
   * The job is over. Returns whether it used the network: a connection that stays open would serve the next job
   * without being noticed.
   */
  end(): boolean {
    this.#state = "idle";
    return this.#reasons.size > 0;
  }

  #notice(reason: string): void {
    if (this.#state === "idle" || this.#reasons.has(reason)) return;
    this.#reasons.add(reason);
    if (this.#state === "watched") this.#report(reason);
  }

  /** Node's own for a module that answers for its requests; an error for others. */
  #fetch(): typeof fetch {
    const fetch: typeof fetchOfNode = (...args) => {
      if (this.#state === "own") return fetchOfNode(...args);
      const reason =
        this.#state === "loading"
          ? "fetch is not available while a module is loaded; call client.request in detect"
          : `fetch is not available to alarms; ${REMEDY}`;
      this.#notice(reason);
      const error = new TypeError(reason);
      // The place in the message is the module's.
      Error.captureStackTrace(error, fetch);
      throw error;
    };
    return fetch;
  }
}

function connectedTo(target: string): string {
  return `the module connected to ${target} without the client, so the engine does not see what fails; ${REMEDY}`;
}

/** The method, which first passes its arguments on. */
function noticed<M extends (...args: never) => unknown>(
  method: M,
  notice: (args: readonly unknown[]) => void,
): M {
  return new Proxy(method, {
    apply: (target, self, args) => {
      notice(args);
      return Reflect.apply(target, self, args);
    },
  });
}

/** `host:port`, or the path of a Unix socket. Node passes on what it has already parsed as a list. */
function peerOf(args: readonly unknown[]): string {
  const [first, second] = Array.isArray(args[0]) ? args[0] : args;
  if (typeof first !== "object" || first === null) {
    const isPath = typeof first === "string" && Number.isNaN(Number(first));
    return isPath ? showName(first) : hostPort(second, first);
  }
  const path: unknown = Reflect.get(first, "path");
  if (typeof path === "string") return showName(path);
  return hostPort(Reflect.get(first, "host"), Reflect.get(first, "port"));
}

/** Of `send(message, [offset, length,] [port] [, address])`; undefined if the socket is connected. */
function receiverOf([, ...args]: readonly unknown[]): string | undefined {
  const end = args.findIndex((each) => typeof each !== "number");
  const numbers = end === -1 ? args : args.slice(0, end);
  return numbers.length % 2 === 0 ? undefined : hostPort(args[numbers.length], numbers.at(-1));
}

function hostPort(host: unknown, port: unknown): string {
  const name = typeof host === "string" ? host : "localhost";
  return name.includes(":") ? `[${name}]:${port}` : `${name}:${port}`;
}
