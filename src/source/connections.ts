import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
// Two files of undici: all of it, with its fetch, caches and mocks, takes twice as long to load. Its parser
// is WebAssembly. V8 would spend more time on optimising it than a tick spends on parsing, so src/main.ts sets
// flags that prevent that. The version is pinned in package.json, because these files are not public API.
import request from "undici/lib/api/api-request.js";
import Pool from "undici/lib/dispatcher/pool.js";
import { inTime } from "./in_time.ts";

/** Names in lower case; a header that came more than once is a list. */
export interface ReplyHeaders {
  readonly [name: string]: string | string[] | undefined;
}

/** The beginning of an answer. */
export interface Reply {
  readonly status: number;
  readonly headers: ReplyHeaders;
  /** As it came, compressed or not. Read it to its end or destroy it: until then its connection stays taken. */
  readonly body: Readable;
}

/** The kept connections to one service. */
export interface Connections {
  /** One GET. Rejects with Node's and undici's errors or with the signal's reason, as the body ends with them. */
  get(url: URL, headers: { readonly [name: string]: string }, signal: AbortSignal): Promise<Reply>;
  /** Ends what is under way; never rejects. */
  close(): Promise<void>;
}

/**
 * Connections to one origin such as `https://host:8443`, at most `most` at the same time; none is made
 * yet. `timeout` is the longest, in seconds, that any question's signal waits.
 */
export function openConnections(origin: string, most: number, timeout: number): Connections {
  const pool = new Pool(origin, {
    connections: most,
    // The signal bounds the whole exchange; undici's own limits would end a long one earlier.
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
      // A connection is free again one turn after its answer; asked sooner, undici makes another one.
      await setImmediate();
      const asked = request.call(pool, {
        path: pathname + search,
        method: "GET",
        headers,
        signal,
      });
      // undici itself heeds the signal only once it is connected (nodejs/undici#386).
      const { statusCode, headers: named, body } = await inTime(asked, signal);
      // An error before the reader begins would end the process; the reader meets it when it reads.
      body.on("error", () => {});
      return { status: statusCode, headers: named, body };
    },
    close: () => pool.destroy(),
  };
}
