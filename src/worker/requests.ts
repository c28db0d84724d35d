import { inTime } from "../core/in_time.ts";
import type { RequestUse } from "../core/model.ts";
import { BodyError, FetchError, type RequestFailure } from "../source/fetch_error.ts";
import { parseJson } from "../source/parse_json.ts";
import type { Requester } from "../source/requester.ts";
import { type SharedSource, shareOf } from "../source/share.ts";
import { errorText } from "../text/describe.ts";
import type { OutcomeSoFar } from "./outcome.ts";
import type { PostAnswers } from "./post_answers.ts";
import { UNANSWERED } from "./protocol.ts";
import type { Worker } from "./worker.ts";
import type { InvalidResponse, ModuleRequest } from "./worker_message.ts";

/** Requests of one run: four of the longest lists that `client.pages` reads. */
const MAX_REQUESTS = 20_000;

export interface RequestFacts {
  readonly worker: Pick<Worker, "respond" | "send" | "ready" | "kill">;
  readonly sources: ReadonlyMap<string, SharedSource>;
  readonly soFar: OutcomeSoFar;
  /** Those of an earlier run of the same alarm in this tick, and of this one. */
  readonly posts: PostAnswers;
  /** Aborted when the run is over. */
  readonly signal: AbortSignal;
  /** Aborted when the tick's time is up. */
  readonly tick: AbortSignal;
}

/** Sends the requests of one run to the sources. An error is recorded before the module can catch it. */
export class RequestHandler {
  readonly #facts: RequestFacts;
  readonly #shares: ReadonlyMap<string, Requester>;
  #count = 0;
  readonly #running = new Set<ModuleRequest>();
  /** Whether a request failed, and the engine itself saw it: no module is the cause. */
  hasFailed = false;
  readonly #checks: Promise<void>[] = [];
  readonly #use = { count: 0, seconds: 0, bytes: 0 };

  constructor(facts: RequestFacts) {
    const { sources, posts, signal, worker } = facts;
    this.#facts = facts;
    this.#shares = new Map(
      [...sources].map(([name, source]) => {
        const kept = posts.keepFrom(name, source);
        return [name, shareOf(kept, signal, worker.ready)];
      }),
    );
  }

  /** Whether a request has no response yet. */
  get isPending(): boolean {
    return this.#running.size > 0;
  }

  /** Why requests without a response may not even have been sent, such as `requests to main waited for max_per_minute = 30`. */
  get heldUp(): readonly string[] {
    const names = [...this.#running].flatMap(({ source, ahead }) => (ahead ? [] : [source]));
    return [...new Set(names)].flatMap((name) => {
      const setting = this.#facts.sources.get(name)?.heldUpBy?.();
      return setting === undefined ? [] : [`requests to ${name} waited for ${setting}`];
    });
  }

  /** `detect` returned: what a response that it did not wait for would say, it has not seen. */
  reportUnanswered(): void {
    for (const { ahead, scope } of this.#running)
      if (ahead !== true) this.#facts.soFar.incomplete(UNANSWERED, scope);
  }

  /** Of the requests that the module has the result of. */
  get use(): RequestUse {
    return { ...this.#use };
  }

  /** The worker could not use a response. */
  reportInvalid(message: InvalidResponse): void {
    this.#checks.push(this.#checkInvalid(message));
  }

  /** Resolves when each invalid response that was reported has been checked. */
  async checked(): Promise<void> {
    await Promise.all(this.#checks);
  }

  /** The source is the cause if the engine cannot use the response either: a module may change what its process reads. */
  async #checkInvalid({ source, reason, ...request }: InvalidResponse): Promise<void> {
    const { soFar, sources, posts, tick } = this.#facts;
    const from = sources.get(source);
    if (from === undefined) return;
    const responses =
      request.post === undefined
        ? [from.request({ ...request, allow404: true })]
        : posts.answersTo(source, request);
    try {
      const parse = await parserFor(from);
      for (const response of responses) parse((await inTime(response, tick)).body.toString());
    } catch (error) {
      if (!(error instanceof BodyError)) return;
      this.hasFailed = true;
      soFar.sourceFailed();
      from.reportInvalid?.(request, reason);
    }
  }

  /** Never rejects. */
  async handle(sent: ModuleRequest): Promise<void> {
    const { id, source, ...request } = sent;
    const { worker, soFar, signal, tick } = this.#facts;
    this.#count += 1;
    if (this.#count > MAX_REQUESTS)
      return worker.kill(`detect sent more than ${MAX_REQUESTS} requests`);
    this.#running.add(sent);
    const started = performance.now();
    try {
      const share = this.#shares.get(source);
      if (share === undefined) throw new Error(`no source ${source}`);
      const response = await inTime(share.request(request), signal);
      this.#countUse(started, response.body.length);
      worker.respond(id, response);
    } catch (error) {
      if (signal.aborted) return;
      // One ahead that failed is sent again, and counts then.
      if (request.ahead !== true) this.#countUse(started, 0);
      const reason = errorText(error);
      // A module that needs what was sent ahead sends it again, unless the tick has ended.
      if (request.ahead !== true || tick.aborted) {
        this.hasFailed = true;
        soFar.requestFailed(reason, request.scope);
      }
      worker.send({ type: "fail", id, failure: failureOf(error) });
    } finally {
      this.#running.delete(sent);
    }
  }

  #countUse(started: number, bytes: number): void {
    this.#use.count += 1;
    this.#use.seconds += (performance.now() - started) / 1000;
    this.#use.bytes += bytes;
  }
}

/** What the client reads the responses of a source with. */
async function parserFor({ kind }: SharedSource): Promise<(body: string) => unknown> {
  if (kind !== "xmlrpc") return parseJson;
  return (await import("../source/xmlrpc/read_answer.ts")).readAnswer;
}

function failureOf(error: unknown): RequestFailure {
  const reason = errorText(error);
  if (!(error instanceof FetchError)) return { kind: "connection", reason };
  const { kind, status, body } = error;
  return { kind, status, body, reason };
}
