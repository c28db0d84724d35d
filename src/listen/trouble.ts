/** Says a trouble when it begins and when it is over, and nothing while it lasts. */
export class Trouble {
  readonly #say: (message: string) => void;
  #times = 0;

  constructor(say: (message: string) => void) {
    this.#say = say;
  }

  began(message: string): void {
    this.#times += 1;
    if (this.#times === 1) this.#say(message);
  }

  /** `message` gets how often it happened. */
  ended(message: (times: number) => string): void {
    if (this.#times > 0) this.#say(message(this.#times));
    this.#times = 0;
  }
}
