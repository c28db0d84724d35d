import { FetchError } from "../../source/fetch_error.ts";
import type { Requester } from "../../source/requester.ts";
import { send, sendRequest } from "./link.ts";

interface Waiting {
  resolve(body: Buffer | undefined): void;
  reject(error: FetchError): void;
}

/** The questions of a module that the engine has yet to answer. */
export class Requests {
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;

  /** What stands for a source here: the request itself is the engine's. */
  requesterOf(source: string): Requester {
    return {
      request: (path, query, allow404, needed) =>
        this.#wait((id) => {
          sendRequest({
            said: "request",
            id,
            source,
            path: String(path),
            query: plain(query),
            allow404: allow404,
            ahead: needed !== undefined,
          });
          needed?.then(() => {
            if (this.#waiting.has(id)) send({ said: "needs", id });
          });
        }),
    };
  }

  /** The dedupe keys of the alarm's active events. */
  async firing(): Promise<readonly string[]> {
    const body = await this.#wait((id) => send({ said: "firing", id }));
    return body === undefined ? [] : parseKeys(body.toString());
  }

  respond(id: number, body: Buffer | undefined): void {
    this.#take(id)?.resolve(body);
  }

  fail(id: number, reason: string): void {
    this.#take(id)?.reject(new FetchError(reason));
  }

  /** The job is over: answers that are still under way are dropped. */
  forget(): void {
    this.#waiting.clear();
  }

  #wait(ask: (id: number) => void): Promise<Buffer | undefined> {
    return new Promise((resolve, reject) => {
      this.#asked += 1;
      this.#waiting.set(this.#asked, { resolve, reject });
      ask(this.#asked);
    });
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}

/** The engine's own words. */
function parseKeys(text: string): readonly string[] {
  return JSON.parse(text);
}

/** Query values as they go into a URL; what a module gives may be anything. */
function plain(query: object): { [name: string]: string } {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}
