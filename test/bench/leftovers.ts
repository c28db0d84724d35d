import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds that the end of one thing may take. */
const PATIENCE = 30_000;

/**
 * What a bench must put away at its end: processes, servers, folders. The newest first, each whatever
 * became of the others.
 */
export class Leftovers {
  readonly #closers: (() => Promise<void> | void)[] = [];

  add(close: () => Promise<void> | void): void {
    this.#closers.push(close);
  }

  async putAway(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) {
      try {
        await Promise.race([close(), sleep(PATIENCE, undefined, { ref: false }).then(late)]);
      } catch (error) {
        process.stderr.write(`bench: cannot put away: ${String(error)}\n`);
      }
    }
  }
}

function late(): never {
  throw new Error(`it did not end within ${PATIENCE / 1000} s`);
}
