import type { JsonObject, JsonValue } from "../text/json.ts";
import type { Paging, Query } from "./paging.ts";

/** What `detect` gets: questions to a service, the tick's time, and a way to say "I could not see all". */
export interface AlarmClient {
  /** Epoch seconds of the tick; the same for all alarms of the tick. */
  readonly now: number;
  /** Aborted when the alarm's time is up. */
  readonly signal: AbortSignal;
  /**
   * One JSON answer. Throws FetchError after the retries; the outcome is then partial even if the
   * module catches it.
   */
  get(path: string, query?: Query): Promise<JsonValue>;
  /** Like `get`, but a 404 is an answer too: undefined, and the outcome stays complete. */
  find(path: string, query?: Query): Promise<JsonValue | undefined>;
  /**
   * The items of a list, page after page. `{ items, has_more, next_before_id }` (PanDA) unless
   * `paging` says otherwise. Throws FetchError like `get`, and on a list that does not go on properly.
   * Each page is requested as soon as the one before it has arrived. A page that the module does not reach
   * changes nothing, even if it fails; it is requested once.
   */
  pages(path: string, query?: Query, paging?: Paging): AsyncGenerator<JsonObject, void, undefined>;
  /** The same for another configured service, `[sources.<name>]`. Throws Error for an unknown name. */
  source(name: string): AlarmClient;
  /**
   * The dedupe keys of this alarm's active events. For entities that a list may leave out although they
   * are as bad as before: ask for each that was not seen.
   */
  firing(): Promise<readonly string[]>;
  /** Says that the module could not see everything: nothing is cleared in this tick. */
  incomplete(reason: string): void;
  /** Writes a line to the engine's log, under the alarm's name. */
  log(message: string): void;
}
