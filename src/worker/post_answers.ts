import { FetchError, fetchError } from "../source/fetch_error.ts";
import { requestKey } from "../source/http/request_key.ts";
import { queryText } from "../source/query.ts";
import type { SourceRequest, SourceResponse } from "../source/requester.ts";
import type { SharedSource } from "../source/share.ts";

/** MiB of answers that are kept for one alarm. */
const MAX_KEPT = 64;
/** Bytes of an answer beside its body. */
const ENTRY = 500;

/**
 * The answers to the POSTs of one alarm in one tick. If its `detect` runs again, it gets the same ones: a POST may have
 * an effect after all, and two answers may differ.
 */
export class PostAnswers {
  readonly #byRequest = new Map<string, Promise<SourceResponse>[]>();
  #left: number;

  /** `left` is in bytes. */
  constructor(left = MAX_KEPT * 2 ** 20) {
    this.#left = left;
  }

  /** The source for one run: its nth POST of a kind gets the nth answer, and is sent only if there is none yet. */
  keepFrom(name: string, source: SharedSource): SharedSource {
    const counts = new Map<string, number>();
    return {
      kind: source.kind,
      maxConnections: source.maxConnections,
      request: async (request) => {
        if (request.post === undefined) return await source.request(request);
        const key = keyOf(name, request);
        const index = counts.get(key) ?? 0;
        counts.set(key, index + 1);
        const answers = this.#byRequest.get(key) ?? [];
        this.#byRequest.set(key, answers);
        const answer = answers[index] ?? this.#bounded(name, request, source.request(request));
        answers[index] = answer;
        return await answer;
      },
    };
  }

  answersTo(name: string, request: SourceRequest): readonly Promise<SourceResponse>[] {
    return this.#byRequest.get(keyOf(name, request)) ?? [];
  }

  async #bounded(
    source: string,
    request: SourceRequest,
    sent: Promise<SourceResponse>,
  ): Promise<SourceResponse> {
    const charge = (bytes: number): void => {
      this.#left -= ENTRY + bytes;
      if (this.#left >= 0) return;
      const reason = `the answers to the POSTs of this alarm are over ${MAX_KEPT} MiB in this tick; ask for less at a time`;
      const { path } = request;
      throw fetchError({ path, source, method: "POST" }, { kind: "response", reason });
    };
    const response = await sent.catch((error: unknown) => {
      if (error instanceof FetchError) charge(2 * error.body.length);
      throw error;
    });
    charge(response.body.length);
    return response;
  }
}

function keyOf(source: string, request: SourceRequest): string {
  return requestKey(`${source} ${request.path}?${queryText(request.query)}`, request);
}
