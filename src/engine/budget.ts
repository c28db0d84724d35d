import { setMaxListeners } from "node:events";

/** A tick that has been at work for so many times its budget is dead or hangs. */
const STALE_BUDGETS = 2;

/** Seconds after which whoever is at work is no tick that works, from the tick's budget. */
export function staleAfter(tickTimeout: number): number {
  return STALE_BUDGETS * tickTimeout;
}

/** The time of a tick: it must end before the next one begins. */
export class Budget {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;

  /** `seconds` from now. */
  constructor(seconds: number) {
    const over = new Error(`out of time: the tick's ${seconds} s were over`);
    // Every process that is at work listens.
    setMaxListeners(0, this.#abort.signal);
    this.#timer = setTimeout(() => this.#abort.abort(over), seconds * 1000);
  }

  /** Aborted when the time is up. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The tick is done. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
