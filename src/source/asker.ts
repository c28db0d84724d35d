import type { Query } from "./paging.ts";

/** One service as a client sees it: `Source` itself, or its stand-in where a module runs. */
export interface Asker {
  /** An answer: JSON in UTF-8; undefined for a 404 where that is one. Throws FetchError. */
  ask(path: string, query: Query, absentIsAnswer: boolean): Promise<Buffer | undefined>;
}
