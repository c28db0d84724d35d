import type { Query } from "./paging.ts";

/** One service as a client sees it: `Source` itself, or its stand-in where a module runs. */
export interface Requester {
  /**
   * An answer: JSON in UTF-8; undefined for a 404 where that is one. Throws FetchError. What is asked
   * ahead comes with `needed`, which resolves when the module waits for the answer, and may never do so.
   */
  request(
    path: string,
    query: Query,
    allow404: boolean,
    needed?: Promise<void>,
  ): Promise<Buffer | undefined>;
}
