import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
// Two files of undici: all of it takes twice as long to load. They are not public API, so package.json pins the
// version. src/main.ts sets the flags that keep V8 from optimising undici's WebAssembly parser for too long.
import request from "undici/lib/api/api-request.js";
import Pool from "undici/lib/dispatcher/pool.js";
import { inTime } from "../core/in_time.ts";

/** Names in lower case; a header that came more than once is a list. */
export interface ResponseHeaders {
  readonly [name: string]: string | string[] | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** Not decompressed. Read it to its end or destroy it: until then it occupies its connection. */
  readonly body: Readable;
}

/** The open connections to one service. */
export interface Connections {
  /** Sends one GET. Rejects with Node's or undici's error or the signal's reason, as reading the body does. */
  get(
    url: URL,
    headers: { readonly [name: string]: string },
    signal: AbortSignal,
  ): Promise<HttpResponse>;
  /** Ends running requests; never rejects. */
  close(): Promise<void>;
}

/**
 * Connections to an origin such as `https://host:8443`, at most `most` side by side, opened when needed.
 * `timeout` is the longest, in seconds, that the signal of a request waits.
 */
export function openConnections(origin: string, most: number, timeout: number): Connections {
  const pool = new Pool(origin, {
    connections: most,
    // The signal limits the whole exchange; undici's own limits could end it earlier.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: {
      // Later than any signal: undici's clock may be half a second fast.
      timeout: (timeout + 1) * 1000,
      // Set here so that $NODE_TLS_REJECT_UNAUTHORIZED cannot turn it off.
      rejectUnauthorized: true,
    },
  });
  return {
    get: async ({ pathname, search }, headers, signal) => {
      // undici frees a connection one turn after its response; without waiting it would open another one.
      await setImmediate();
      const sent = request.call(pool, { path: pathname + search, method: "GET", headers, signal });
      // undici obeys the signal only once it is connected (nodejs/undici#386).
      const { statusCode: status, headers: received, body } = await inTime(sent, signal);
      // An error before somebody reads the body would end the process; the reader gets it too.
      body.on("error", () => {});
      return { status, headers: received, body };
    },
    close: () => pool.destroy(),
  };
}
