import type { Dice } from "./dice.ts";
import { CHANNELS } from "./received.ts";
import { WRITES } from "./watch_postgres.ts";

/** When a tick is killed. */
export type Instant =
  /** So long after its start, as a share of what a tick takes. */
  | { readonly kind: "time"; readonly share: number }
  /** When this is there for the n-th time. */
  | {
      readonly kind: "moment";
      readonly name: string;
      readonly nth: number;
      readonly hold?: string;
    };

/** `time` or the moment, without its number. */
export function instantName(instant: Instant): string {
  return instant.kind === "time" ? "any time" : instant.name;
}

/** A little past the end, so that the end is met as well. */
const LONGEST_SHARE = 1.1;

/** Where a crash has most to break: between commit, delivery and stamp, and inside of a transaction. */
const ACCEPTED = CHANNELS.map((channel) => `${channel} accepted`);
const FIRST = {
  postgres: [
    ...ACCEPTED,
    "email received",
    "committed event insert",
    "held event insert",
    "held notification update",
  ],
  // Nothing tells of a commit here; writes are seen as they reach the files.
  embedded: [...ACCEPTED, "wrote", "wrote", "wrote"],
};
const OTHERS = [
  "question asked",
  "question answered",
  "chat throttled",
  "hook lost",
  ...CHANNELS.flatMap((channel) => [`${channel} received`, `${channel} answered`]),
];
const OTHERS_OF = {
  postgres: [
    ...WRITES.map((what) => `committed ${what}`),
    ...WRITES.slice(1).map((what) => `held ${what}`),
  ],
  embedded: ["wrote", "wrote", "wrote"],
};

/** How often a moment comes in a tick at least, where that is more than once. */
const TIMES = new Map<string, number>([
  ["question asked", 3],
  ["question answered", 3],
  ...CHANNELS.flatMap((channel) =>
    ["received", "accepted", "answered"].map((what) => [`${channel} ${what}`, 2] as const),
  ),
  ["committed event insert", 2],
  ["committed event update", 2],
]);

/** Every other instant is a random one; those between go through all the moments that can be seen. */
export class Instants {
  readonly #dice: Dice;
  readonly #database: "postgres" | "embedded";
  #deck: string[] = [];
  #dealt = 0;
  /** How often a tick writes to its log of changes, as far as seen. */
  writes = 1;

  constructor(dice: Dice, database: "postgres" | "embedded") {
    this.#dice = dice;
    this.#database = database;
  }

  next(): Instant {
    this.#dealt += 1;
    if (this.#dealt % 2 === 0)
      return { kind: "time", share: this.#dice.fraction() * LONGEST_SHARE };
    if (this.#deck.length === 0) this.#deck = this.#shuffle();
    const name = this.#deck.shift() ?? "email accepted";
    const times = name === "wrote" ? this.writes : (TIMES.get(name) ?? 1);
    const [, held] = /^held (.*)$/.exec(name) ?? [];
    return {
      kind: "moment",
      name,
      nth: this.#dice.upTo(times),
      ...(held === undefined ? {} : { hold: held }),
    };
  }

  #shuffle(): string[] {
    const others = [...OTHERS, ...OTHERS_OF[this.#database]];
    return [
      ...this.#dice.shuffled(FIRST[this.#database]),
      ...this.#dice.shuffled(others.filter((name) => !FIRST[this.#database].includes(name))),
    ];
  }
}
