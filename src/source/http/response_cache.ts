import type { RequestResult } from "./request_result.ts";
import { Waiters } from "./waiters.ts";

/** Bytes for the cached responses of all sources in one tick; about 50,000 tasks of PanDA. */
export const MAX_CACHED = 64 * 2 ** 20;
/** Bytes of an entry beside its texts. */
const ENTRY = 500;

/** What the sources of one tick share. */
export interface CacheMemory {
  /** Bytes. */
  left: number;
}

interface Entry {
  readonly response: Promise<RequestResult>;
  readonly waiters: Waiters;
  readonly isAhead: boolean;
  readonly isFresh: boolean;
}

/**
 * The responses of one source in one tick. A request that is still running is always shared; a response that
 * does not fit into the memory is requested again.
 */
export class ResponseCache {
  readonly #memory: CacheMemory;
  readonly #byKey = new Map<string, Entry>();

  constructor(memory: CacheMemory) {
    this.#memory = memory;
  }

  /**
   * A request ahead is sent without retries, so its error counts only for others that are ahead. A fresh one
   * replaces what was requested before it, once: alarms that read the same list twice share the second reading.
   * A request whose callers have all gone, by their `signal`, is ended and forgotten.
   */
  async get(
    key: string,
    send: (abandoned: AbortSignal) => Promise<RequestResult>,
    isAhead: boolean,
    isFresh = false,
    signal?: AbortSignal,
  ): Promise<RequestResult> {
    const known = this.#byKey.get(key);
    if (known === undefined || (isFresh && !known.isFresh)) {
      const { response, waiters } = this.#start(key, send, isAhead, isFresh);
      return await waiters.wait(response, signal);
    }
    const result = await known.waiters.wait(known.response, signal);
    const isAgain = !result.ok && known.isAhead && !isAhead;
    return isAgain ? await this.get(key, send, isAhead, isFresh, signal) : result;
  }

  #start(
    key: string,
    send: (abandoned: AbortSignal) => Promise<RequestResult>,
    isAhead: boolean,
    isFresh: boolean,
  ): Entry {
    const waiters = new Waiters();
    const forget = (): void => {
      if (this.#byKey.get(key) === entry) this.#byKey.delete(key);
    };
    const response = send(waiters.signal).then((result) => {
      const bytes = size(key, result);
      if (waiters.signal.aborted) return result;
      if ((!result.ok && isAhead) || bytes > this.#memory.left) forget();
      else this.#memory.left -= bytes;
      return result;
    });
    const entry = { response, waiters, isAhead, isFresh };
    this.#byKey.set(key, entry);
    waiters.signal.addEventListener("abort", forget, { once: true });
    return entry;
  }
}

/** At most two bytes a character. */
function size(key: string, result: RequestResult): number {
  if (result.ok) return ENTRY + 2 * key.length + result.body.length;
  return ENTRY + 2 * (key.length + result.reason.length + (result.body?.length ?? 0));
}
