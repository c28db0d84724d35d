import http, { type IncomingHttpHeaders } from "node:http";
import https from "node:https";
import { addAbortSignal, type Readable } from "node:stream";

/** The beginning of an answer. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

/** The kept connections to one service. */
export interface Connections {
  /** One GET; rejects with Node's errors, as the body ends with them. */
  get(url: URL, headers: { readonly [name: string]: string }, signal: AbortSignal): Promise<Reply>;
  /** Ends what is under way. */
  close(): void;
}

/**
 * At most so many at the same time; none is made yet. Node's own client, because one that comes with a
 * parser of its own compiles that first, which takes longer than all else in a small tick.
 */
export function openConnections(protocol: string, most: number): Connections {
  const { Agent, request } = protocol === "https:" ? https : http;
  // Said, because $NODE_TLS_REJECT_UNAUTHORIZED would count otherwise.
  const agent = new Agent({ keepAlive: true, maxSockets: most, rejectUnauthorized: true });
  return {
    get: (url, headers, signal) =>
      new Promise((resolve, reject) => {
        // Who is asked as whom stands in the headers alone, not in the URL.
        const asked = request(url, { agent, headers, signal, auth: null });
        asked.on("error", reject);
        asked.on("response", (body) => {
          // Told to the request alone are what is wrong with the rest, and its end when it has no length.
          asked.on("error", (error) => body.destroy(error));
          addAbortSignal(signal, body);
          // The reader is told; until it reads nobody else would be.
          body.on("error", () => {});
          resolve({ status: body.statusCode ?? 0, headers: body.headers, body });
        });
        asked.end();
      }),
    close: () => agent.destroy(),
  };
}
