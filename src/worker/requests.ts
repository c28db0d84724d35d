import { inTime } from "../source/in_time.ts";
import type { Requester } from "../source/requester.ts";
import { type SharedSource, shareOf } from "../source/share.ts";
import { errorText } from "../text/describe.ts";
import type { OutcomeSoFar } from "./outcome.ts";
import type { Worker } from "./worker.ts";
import type { InvalidResponse, ModuleRequest } from "./worker_message.ts";

/** Requests of one run: four of the longest lists that `client.pages` reads. */
const MAX_REQUESTS = 20_000;

export interface RequestFacts {
  readonly worker: Pick<Worker, "respond" | "send" | "ready">;
  readonly sources: ReadonlyMap<string, SharedSource>;
  readonly soFar: OutcomeSoFar;
  /** Aborted when the run is over. */
  readonly signal: AbortSignal;
  /** Aborted when the tick's time is up. */
  readonly tick: AbortSignal;
  /** Ends the run. */
  readonly stop: (cause: string) => void;
}

/** Sends the requests of one run to the sources. An error is recorded before the module can catch it. */
export class RequestHandler {
  readonly #facts: RequestFacts;
  readonly #shares: ReadonlyMap<string, Requester>;
  #count = 0;
  /** Requests without a response. */
  pending = 0;

  constructor(facts: RequestFacts) {
    const { sources, signal, worker } = facts;
    this.#facts = facts;
    this.#shares = new Map(
      [...sources].map(([name, source]) => [name, shareOf(source, signal, worker.ready)]),
    );
  }

  /** The worker could not use a response: the request failed, and the source is the cause. */
  reportInvalid({ source, path, query, reason }: InvalidResponse): void {
    const { soFar, sources } = this.#facts;
    soFar.sourceFailed();
    try {
      sources.get(source)?.reportInvalid?.(path, query, reason);
    } catch {
      // Not a path of this source, so it was never requested.
    }
  }

  /** Never rejects. */
  async handle({ id, source, path, query, allow404, ahead, fresh }: ModuleRequest): Promise<void> {
    const { worker, soFar, signal, tick, stop } = this.#facts;
    this.#count += 1;
    if (this.#count > MAX_REQUESTS) return stop(`detect sent more than ${MAX_REQUESTS} requests`);
    this.pending += 1;
    try {
      const share = this.#shares.get(source);
      if (share === undefined) throw new Error(`no source ${source}`);
      worker.respond(id, await inTime(share.request(path, query, allow404, ahead, fresh), signal));
    } catch (error) {
      if (signal.aborted) return;
      const reason = errorText(error);
      // A module that needs what was sent ahead sends it again, unless the tick has ended.
      if (!ahead || tick.aborted) soFar.requestFailed(reason);
      worker.send({ type: "fail", id, reason });
    } finally {
      this.pending -= 1;
    }
  }
}
