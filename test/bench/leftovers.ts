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
        await close();
      } catch (error) {
        process.stderr.write(`bench: cannot put away: ${String(error)}\n`);
      }
    }
  }
}
