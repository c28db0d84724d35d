import type { Dispatcher } from "undici";
// All of undici, with its fetch, caches and mocks, takes three times as long to load.
import request from "undici/lib/api/api-request.js";
import Pool from "undici/lib/dispatcher/pool.js";

/** The kept connections to one service. */
export interface Connections {
  /** One GET; rejects with undici's errors. */
  get(
    url: URL,
    headers: { readonly [name: string]: string },
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

/** At most so many at the same time, and so many seconds for each to be made; none is made yet. */
export function openConnections(origin: string, most: number, timeout: number): Connections {
  const pool = new Pool(origin, {
    connections: most,
    pipelining: 1,
    // The caller bounds the whole exchange; undici's own limits would end a long one earlier.
    headersTimeout: 0,
    bodyTimeout: 0,
    // Said, because $NODE_TLS_REJECT_UNAUTHORIZED would count otherwise.
    connect: { timeout: timeout * 1000, rejectUnauthorized: true },
  });
  return {
    get: ({ origin, pathname, search }, headers, signal) =>
      request.call(pool, { origin, path: pathname + search, method: "GET", headers, signal }),
    close: () => pool.destroy(),
  };
}
