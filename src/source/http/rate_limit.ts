/** Seconds. */
const WINDOW = 60;

/** At most so many requests in any 60 seconds. `now` is in seconds, of a clock that never jumps. */
export class RateLimit {
  readonly #perMinute: number;
  /** When the latest requests were or will be sent, at most `perMinute` of them, in order. */
  readonly #times: number[] = [];

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Seconds until one more request may be sent. */
  wait(now: number): number {
    const [oldest = now] = this.#times;
    return this.#times.length < this.#perMinute ? 0 : Math.max(0, oldest + WINDOW - now);
  }

  /** The same for a request that is sent then. */
  take(now: number): number {
    const wait = this.wait(now);
    this.#times.push(now + wait);
    if (this.#times.length > this.#perMinute) this.#times.shift();
    return wait;
  }
}
