import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds without use after which it is closed. */
const IDLE = 1_000;
/** Milliseconds that it stays open at least when another process asks for it. */
const TURN = 1_000;
/** Milliseconds left to the process that asked: longer than it waits between two attempts. */
const PAUSE = 300;

/**
 * What only one process at a time may have open. It is opened at its first use, and closed after a second
 * without use, or as soon as the work that runs has ended once another process asks for it.
 */
export class Turns<T> {
  readonly #open: () => Promise<T>;
  readonly #close: (opened: T) => Promise<void>;
  readonly #work = new Set<Promise<unknown>>();
  #opened: Promise<T> | undefined;
  /** When it was opened, on the clock of `performance`. */
  #since = Number.POSITIVE_INFINITY;
  #idle: NodeJS.Timeout | undefined;
  /** Resolves when other processes have had their turn. */
  #left: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(open: () => Promise<T>, close: (opened: T) => Promise<void>) {
    this.#open = open;
    this.#close = close;
  }

  async use<R>(work: (opened: T) => Promise<R>): Promise<R> {
    await this.#left;
    if (this.#ended) throw new Error("the database is closed");
    clearTimeout(this.#idle);
    this.#opened ??= this.#start();
    const done = this.#opened.then(work);
    this.#work.add(done);
    try {
      return await done;
    } finally {
      this.#work.delete(done);
      if (this.#work.size === 0 && this.#opened !== undefined)
        this.#idle = setTimeout(() => this.#leave(0), IDLE).unref();
    }
  }

  /** Another process asks for it. It asks again until it has it. */
  request(): void {
    if (performance.now() - this.#since >= TURN) this.#leave(PAUSE);
  }

  async close(): Promise<void> {
    await this.#left;
    this.#ended = true;
    await this.#finish();
  }

  async #start(): Promise<T> {
    try {
      const opened = await this.#open();
      this.#since = performance.now();
      return opened;
    } catch (error) {
      this.#opened = undefined;
      throw error;
    }
  }

  #leave(pause: number): void {
    // What could not be closed properly is repaired by the next one that opens it.
    const closed = this.#finish().catch(() => {});
    this.#left = closed.then(() => sleep(pause));
  }

  /** From here on it counts as closed; the work that runs ends first. */
  async #finish(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    this.#since = Number.POSITIVE_INFINITY;
    clearTimeout(this.#idle);
    await Promise.allSettled(this.#work);
    if (opened !== undefined) await this.#close(await opened);
  }
}
