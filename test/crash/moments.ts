/**
 * What a tick is seen to do from outside, as it happens: `question asked`, `mail accepted`, … One of
 * them may be the last thing that the tick does.
 */
export class Moments {
  readonly #seen = new Map<string, number>();
  #wanted: { readonly name: string; readonly nth: number; readonly act: () => void } | undefined;

  /** Forgets the tick before, and acts as soon as this moment is there for the n-th time. */
  when(name: string, nth: number, act: () => void): void {
    this.#seen.clear();
    this.#wanted = { name, nth, act };
  }

  /** Nothing is awaited in the next tick. */
  rest(): void {
    this.#seen.clear();
    this.#wanted = undefined;
  }

  /** It is there now. True when it was the awaited one: what follows is then nobody's business any more. */
  note(name: string): boolean {
    const count = this.seen(name) + 1;
    this.#seen.set(name, count);
    const wanted = this.#wanted;
    if (wanted === undefined || wanted.name !== name || wanted.nth !== count) return false;
    wanted.act();
    return true;
  }

  /** How often it was there in this tick. */
  seen(name: string): number {
    return this.#seen.get(name) ?? 0;
  }
}
