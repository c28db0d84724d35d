import type { Slice } from "../spool/spool.ts";
import type { Blame } from "./circuit_breaker.ts";
import type { Room } from "./room.ts";

/** How a question ended. */
export type SourceResponse =
  /** JSON in UTF-8. */
  | { readonly ok: true; readonly body: Buffer }
  | {
      readonly ok: false;
      readonly reason: string;
      readonly blame: Blame;
      /** A 404: for some questions an answer. */
      readonly notFound: boolean;
      /** It was asked ahead and tried once: a caller that needs the answer asks again. */
      readonly ahead?: true;
    };

/**
 * The answers of one source in one tick. Those who ask while a question is under way always share its
 * answer; those who ask later do as long as there was room to keep it.
 */
export class ResponseCache {
  readonly #room: Room;
  /** Under way, or kept in memory. */
  readonly #byQuestion = new Map<string, Promise<SourceResponse>>();
  readonly #putAway = new Map<string, Slice>();

  constructor(room: Room) {
    this.#room = room;
  }

  /** `fetch` never rejects. */
  async get(question: string, fetch: () => Promise<SourceResponse>): Promise<SourceResponse> {
    const known = this.#byQuestion.get(question) ?? this.#fetchBack(question);
    if (known !== undefined) return await known;
    const answer = fetch();
    this.#byQuestion.set(question, answer);
    const ended = await answer;
    if (!ended.ok && ended.ahead) this.#byQuestion.delete(question);
    else if (!this.#room.take(size(question, ended))) {
      this.#byQuestion.delete(question);
      const slice = ended.ok ? this.#room.putAway(ended.body) : undefined;
      if (slice !== undefined) this.#putAway.set(question, slice);
    }
    return ended;
  }

  #fetchBack(question: string): SourceResponse | undefined {
    const slice = this.#putAway.get(question);
    const body = slice === undefined ? undefined : this.#room.fetchBack(slice);
    return body === undefined ? undefined : { ok: true, body };
  }
}

/** At most two bytes a character; the rest of an entry takes less than a question's allowance. */
function size(question: string, answer: SourceResponse): number {
  return ENTRY + 2 * question.length + (answer.ok ? answer.body.length : 2 * answer.reason.length);
}

const ENTRY = 500;
