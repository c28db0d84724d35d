import type { Blame } from "./breaker.ts";

/** How a question ended. */
export type Answer =
  | { readonly ok: true; readonly body: string }
  | {
      readonly ok: false;
      readonly reason: string;
      readonly blame: Blame;
      /** A 404: for some questions an answer. */
      readonly absent: boolean;
    };

/** What the answers of one tick may take in memory, all sources together. */
const MAX_KEPT = 256 * 2 ** 20;

/** Bytes that are kept for the rest of the tick; shared by all sources. */
export class Room {
  #left: number;

  constructor(bytes: number = MAX_KEPT) {
    this.#left = bytes;
  }

  /** False when it does not fit any more. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }
}

/**
 * The answers of one source in one tick. Those who ask while a question is under way always share its
 * answer; those who ask later do as long as there was room to keep it.
 */
export class Answers {
  readonly #room: Room;
  readonly #byQuestion = new Map<string, Promise<Answer>>();

  constructor(room: Room) {
    this.#room = room;
  }

  /** `fetch` never rejects. */
  get(question: string, fetch: () => Promise<Answer>): Promise<Answer> {
    const known = this.#byQuestion.get(question);
    if (known !== undefined) return known;
    const answer = fetch();
    this.#byQuestion.set(question, answer);
    void answer.then((ended) => {
      if (!this.#room.take(size(question, ended))) this.#byQuestion.delete(question);
    });
    return answer;
  }
}

/** At most two bytes a character; the rest of an entry takes less than a question's allowance. */
function size(question: string, answer: Answer): number {
  const text = answer.ok ? answer.body : answer.reason;
  return ENTRY + 2 * (question.length + text.length);
}

const ENTRY = 500;
