import type { Query } from "./paging.ts";

/** One service as the client sees it: a `Source`, or in a worker what stands for it. */
export interface Requester {
  /**
   * The body of a response; undefined for a 404 with `allow404`. Throws FetchError. A request ahead has
   * `needed`, which resolves when the module waits for the response, which may never happen.
   */
  request(
    path: string,
    query: Query,
    allow404: boolean,
    needed?: Promise<void>,
  ): Promise<Buffer | undefined>;
}
