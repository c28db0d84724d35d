import { setTimeout as sleep } from "node:timers/promises";
import { isAway } from "../database_error.ts";

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 2_000;
/** For so long a failure stands for the next attempt's, once patience is used up. */
const STANDS = 5_000;

/**
 * Waits for a server that is away: so many seconds in the whole life of the process, not for each
 * alarm, or a tick without its server would never end.
 */
export class Patience {
  #left: number;
  #last: { readonly error: unknown; readonly at: number } | undefined;

  constructor(seconds: number) {
    this.#left = seconds * 1000;
  }

  async connect<T>(attempt: () => Promise<T>): Promise<T> {
    const last = this.#last;
    if (this.#left <= 0 && last !== undefined && performance.now() - last.at < STANDS)
      throw last.error;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      const started = performance.now();
      try {
        return await attempt();
      } catch (error) {
        if (!isAway(error)) throw error;
        this.#left -= performance.now() - started;
        if (this.#left > 0) await sleep(Math.min(pause, this.#left));
        this.#left -= pause;
        this.#last = { error, at: performance.now() };
        if (this.#left <= 0) throw error;
      }
    }
  }
}
