import type { JsonObject, JsonValue } from "../text/json.ts";
import type { Paging, Query } from "./paging.ts";

/** What `detect` gets: requests to a service, the time of the tick, and a way to report what was not seen. */
export interface AlarmClient {
  /** Epoch seconds of the tick; the same for all alarms of the tick. */
  readonly now: number;
  /** Aborted when the alarm's time is up. */
  readonly signal: AbortSignal;
  /**
   * One JSON response; an integer beyond ±(2^53 - 1) in it is a string of its digits. Throws FetchError after the
   * retries, and Error for a wrong argument; the outcome is then incomplete even if the module catches it.
   */
  get(path: string, query?: Query): Promise<JsonValue>;
  /** Like `get`, but returns undefined for a 404, and the outcome stays complete. */
  find(path: string, query?: Query): Promise<JsonValue | undefined>;
  /**
   * The items of a list, page after page: `{ items, has_more, next_before_id }` (PanDA) unless `paging`
   * says otherwise. Throws FetchError like `get`, and for a list that does not continue properly. Each page is
   * requested as soon as the previous one has arrived. A page that the module does not reach has no effect,
   * even if its request fails. A list that ends before the service's own count is read again for what was missing;
   * the outcome is incomplete if it is too short again.
   */
  pages(path: string, query?: Query, paging?: Paging): AsyncGenerator<JsonObject, void, undefined>;
  /** The client for another configured service, `[sources.<name>]`. Throws Error for an unknown name. */
  source(name: string): AlarmClient;
  /**
   * The dedupe keys of this alarm's active events. Use it where a list may omit entities that still meet the
   * condition: request each one that was not seen.
   */
  firing(): Promise<readonly string[]>;
  /** Reports that the module could not see everything: nothing is cleared in this tick. */
  incomplete(reason: string): void;
  /** Writes a line to the engine's log, under the alarm's name. */
  log(message: string): void;
}
