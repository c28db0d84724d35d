import { inTime } from "../source/in_time.ts";
import { type SharedSource, shareOf } from "../source/share.ts";
import { errorText } from "../text/describe.ts";
import type { OutcomeSoFar } from "./outcome.ts";
import type { Worker } from "./worker.ts";
import type { ModuleRequest } from "./worker_message.ts";

/** Requests of one run: four of the longest lists that `client.pages` reads. */
const MAX_REQUESTS = 20_000;

export interface RequestFacts {
  readonly worker: Pick<Worker, "respond" | "send" | "ready">;
  readonly sources: ReadonlyMap<string, SharedSource>;
  readonly soFar: OutcomeSoFar;
  /** Aborted when the run is over. */
  readonly signal: AbortSignal;
  /** Ends the run. */
  readonly stop: (cause: string) => void;
}

/** For a request sent ahead: a message of its own says that the module needs the response. */
const NOT_YET = new Promise<void>(() => {});

/** The requests of one run. */
export interface RequestHandler {
  request(request: ModuleRequest): void;
  /** The module waits for the response to a request that was sent ahead. */
  needs(id: number): void;
}

/**
 * Sends the module's requests to the sources. A failure is recorded before the module hears of it. A request
 * sent ahead is tried once, and counts from when the module needs its response: until then its failure is
 * neither recorded nor passed on. If it has failed by then it is sent again.
 */
export function handleRequests(facts: RequestFacts): RequestHandler {
  const { worker, sources, soFar, signal } = facts;
  const shares = new Map(
    [...sources].map(([name, source]) => [name, shareOf(source, signal, worker.ready)]),
  );
  let count = 0;
  /** By the id of a request that was sent ahead and has no response: the first attempt. */
  const ahead = new Map<number, { request: ModuleRequest; attempt: Promise<void> }>();
  const send = async (
    { id, source, path, query, allow404 }: ModuleRequest,
    needed?: Promise<void>,
  ): Promise<void> => {
    const share = shares.get(source);
    if (share === undefined) throw new Error(`no source ${source}`);
    const body = await inTime(share.request(path, query, allow404, needed), signal);
    ahead.delete(id);
    worker.respond(id, body);
  };
  const record = async (id: number, response: Promise<void>): Promise<void> => {
    soFar.requestStarted();
    try {
      await response;
      soFar.requestEnded();
    } catch (error) {
      if (signal.aborted) return;
      const reason = errorText(error);
      soFar.requestEnded();
      soFar.requestFailed(reason);
      worker.send({ type: "fail", id, reason });
    }
  };
  return {
    request: (request) => {
      count += 1;
      if (count > MAX_REQUESTS) facts.stop(`detect sent more than ${MAX_REQUESTS} requests`);
      else if (request.ahead) {
        const attempt = send(request, NOT_YET);
        attempt.catch(() => {});
        ahead.set(request.id, { request, attempt });
      } else void record(request.id, send(request));
    },
    needs: (id) => {
      const found = ahead.get(id);
      if (found === undefined) return;
      ahead.delete(id);
      void record(
        id,
        found.attempt.catch(() => send(found.request)),
      );
    },
  };
}
