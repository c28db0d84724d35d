/** Those who wait for one request. It is ended when the last of them has gone: it would occupy a connection. */
export class Waiters {
  #count = 0;
  readonly #abandoned = new AbortController();

  /** Aborted when nobody waits any more. */
  get signal(): AbortSignal {
    return this.#abandoned.signal;
  }

  /** The promise's result for one who waits for it until `signal`; without one, to the end. */
  async wait<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#count += 1;
    const leave = (): void => {
      this.#count -= 1;
      if (this.#count === 0) this.#abandoned.abort(signal?.reason);
    };
    signal?.addEventListener("abort", leave, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }
}
