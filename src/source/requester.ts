import type { Query } from "./paging.ts";

/** One service as the client sees it: a `Source`, or in a worker what stands for it. */
export interface Requester {
  /**
   * The body of a response; undefined for a 404 with `allow404`. Throws FetchError. A request `ahead` may never
   * be needed: it is sent without retries, and its error counts nowhere. Send it again when it is needed. A `fresh`
   * one is sent although its URL was already requested in this tick, but only once.
   */
  request(
    path: string,
    query: Query,
    allow404: boolean,
    ahead?: boolean,
    fresh?: boolean,
  ): Promise<Buffer | undefined>;
  /** Reports that a response with status 200 could not be used: the request counts as failed. */
  reportInvalid?(path: string, query: Query, reason: string): void;
}
