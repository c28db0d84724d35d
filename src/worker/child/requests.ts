import { FetchError } from "../../source/fetch_error.ts";
import { type Query, queryText } from "../../source/paging.ts";
import type { Requester } from "../../source/requester.ts";
import { send } from "./link.ts";

interface Waiting {
  resolve(body: Buffer | undefined): void;
  reject(error: FetchError): void;
}

/** The requests of one job, which the engine sends to the sources. */
export class Requests {
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;
  #isClosed = false;

  requesterOf(source: string): Requester {
    return {
      request: ({ path, query, ...kind }) =>
        this.#wait((id) =>
          send({ type: "request", id, source, path, query: plainQuery(query), ...kind }),
        ),
      reportInvalid: (path, query, reason) =>
        send({ type: "invalid", source, path, query: plainQuery(query), reason }),
    };
  }

  /** The dedupe keys of the alarm's active events. */
  async firing(): Promise<readonly string[]> {
    const body = await this.#wait((id) => send({ type: "firing", id }));
    return body === undefined ? [] : JSON.parse(body.toString());
  }

  respond(id: number, body: Buffer | undefined): void {
    this.#take(id)?.resolve(body);
  }

  fail(id: number, reason: string): void {
    this.#take(id)?.reject(new FetchError(reason));
  }

  /** The job is over: what the module left running can send nothing in the next one's name. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.clear();
  }

  #wait(start: (id: number) => void): Promise<Buffer | undefined> {
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
