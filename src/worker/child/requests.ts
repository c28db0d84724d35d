import { FetchError, type RequestFailure } from "../../source/fetch_error.ts";
import { type Query, queryText } from "../../source/query.ts";
import type { Requester, SourceKindName, SourceResponse } from "../../source/requester.ts";
import { send } from "./link.ts";

interface Waiting {
  resolve(response: SourceResponse): void;
  reject(error: FetchError): void;
}

/** The requests of one job, which the engine sends to the sources. */
export class Requests {
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;
  #isClosed = false;

  requesterOf(source: string, kind: SourceKindName): Requester {
    return {
      kind,
      request: ({ query, ...request }) =>
        this.#wait((id) =>
          send({ type: "request", id, source, query: plainQuery(query), ...request }),
        ),
      reportInvalid: ({ query, ...request }, reason) =>
        send({ type: "invalid", source, query: plainQuery(query), ...request, reason }),
    };
  }

  /** Asks the engine, whose answers are trusted. */
  async ask<T>(type: "firing" | "firing events" | "previous" | "positions"): Promise<T> {
    const { body } = await this.#wait((id) => send({ type, id }));
    return JSON.parse(body.toString());
  }

  respond(id: number, response: SourceResponse): void {
    this.#take(id)?.resolve(response);
  }

  fail(id: number, failure: RequestFailure): void {
    this.#take(id)?.reject(new FetchError(failure));
  }

  /** The job is over: what the module left running can send nothing in the next one's name. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.clear();
  }

  #wait(start: (id: number) => void): Promise<SourceResponse> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new Error("detect has ended"));
      this.#count += 1;
      this.#waiting.set(this.#count, { resolve, reject });
      start(this.#count);
    });
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}

/** As it goes into a URL. */
function plainQuery(query: Query): { [name: string]: string } {
  return Object.fromEntries(new URLSearchParams(queryText(query)));
}
