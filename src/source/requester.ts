import type { Query } from "./paging.ts";

export interface SourceRequest {
  readonly path: string;
  readonly query: Query;
  /** A 404 is a response too. */
  readonly allow404?: boolean | undefined;
  /** It may never be needed: sent without retries, its error counts nowhere. Send it again when it is needed. */
  readonly ahead?: boolean | undefined;
  /** Sent although its URL was already requested in this tick, but only once. */
  readonly fresh?: boolean | undefined;
}

/** One service as the client sees it: a `Source`, or in a worker what stands for it. */
export interface Requester {
  /** The body of a response; undefined for a 404 with `allow404`. Throws FetchError. */
  request(request: SourceRequest): Promise<Buffer | undefined>;
  /** Reports that a response with status 200 could not be used: the request counts as failed. */
  reportInvalid?(path: string, query: Query, reason: string): void;
}
