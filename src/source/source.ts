import { setTimeout as sleep } from "node:timers/promises";
import fastq from "fastq";
import { quote } from "../text/describe.ts";
import { makeRedactor, type Redact } from "../text/redact.ts";
import {
  type ConsecutiveErrors,
  countErrors,
  NO_ERRORS,
  openCircuit,
  type RequestCounts,
} from "./circuit_breaker.ts";
import type { Connections } from "./connections.ts";
import { FetchError } from "./fetch_error.ts";
import { attemptGet } from "./http.ts";
import { type Query, queryText } from "./paging.ts";
import { ResponseCache, type SourceResponse } from "./response_cache.ts";
import { decideRetry } from "./retry.ts";
import { Room } from "./room.ts";
import type { SharedSource } from "./share.ts";

export interface SourceSettings {
  /** Shown in messages; `main` is the service of `[engine]`. */
  readonly name: string;
  readonly baseUrl: string;
  readonly headers: { readonly [name: string]: string };
  readonly token: string | undefined;
  readonly userAgent: string | undefined;
  /** Seconds for one request. */
  readonly timeout: number;
  /** Requests under way at the same time. */
  readonly maxConnections: number;
}

/** A page of 200 tasks is about 0.25 MB; nothing that an alarm reads comes near this. */
const MAX_BODY = 32 * 2 ** 20;
/** Further questions of a module that never waits for an answer are refused. */
const MAX_WAITING = 10_000;
/** Characters of one URL; servers refuse longer ones. */
const MAX_QUESTION = 8_000;
const USER_AGENT = "swf-alarms";

interface Question {
  readonly url: URL;
  readonly isAhead: boolean;
}

/** One REST service during one tick: keep-alive, retries, and each question fetched once. */
export class Source implements SharedSource {
  readonly name: string;
  readonly maxConnections: number;
  readonly #settings: SourceSettings;
  readonly #signal: AbortSignal;
  #connections: Promise<Connections> | undefined;
  readonly #questions: fastq.queueAsPromised<Question, SourceResponse>;
  readonly #answers: ResponseCache;
  readonly counts: RequestCounts = { requests: 0, succeeded: 0, lastError: undefined };
  #streak: ConsecutiveErrors = NO_ERRORS;
  /** 404s that were an answer to somebody. */
  readonly #absent = new WeakSet<SourceResponse>();

  /** `signal` ends every request when the tick ends; `room` holds the answers of all its sources. */
  constructor(settings: SourceSettings, signal: AbortSignal, room: Room = new Room()) {
    this.#answers = new ResponseCache(room);
    this.name = settings.name;
    this.maxConnections = settings.maxConnections;
    this.#questions = fastq.promise(
      (question: Question) => this.#put(question),
      settings.maxConnections,
    );
    this.#settings = settings;
    this.#signal = signal;
  }

  /**
   * The answer to a question, JSON in UTF-8. Asked twice in a tick it is fetched once; every caller
   * parses it for itself, so that no alarm can change what another reads. Throws FetchError; with
   * `allow404`, a 404 gives undefined instead. What is asked ahead (`needed` is given) is tried once.
   */
  async request(
    path: string,
    query: Query,
    allow404: boolean,
    needed?: Promise<void>,
  ): Promise<Buffer | undefined> {
    const url = this.#url(path, query);
    const isAhead = needed !== undefined;
    const get = () => this.#answers.get(url.href, () => this.#queue({ url, isAhead }));
    let answer = await get();
    // Another module's attempt ahead may have failed meanwhile: that is no answer for one that needs it.
    while (!answer.ok && answer.ahead && !isAhead) answer = await get();
    if (answer.ok) return answer.body;
    if (allow404 && answer.notFound) {
      this.#countAbsent(answer);
      return undefined;
    }
    throw new FetchError(`GET ${url.pathname}${url.search} from ${this.name}: ${answer.reason}`);
  }

  /** Closes the connections. */
  async close(): Promise<void> {
    await (await this.#connections)?.close();
  }

  /** A tick that asks nothing does not load what it takes to ask. */
  async #open(): Promise<Connections> {
    const { openConnections } = await import("./connections.ts");
    const { baseUrl, timeout } = this.#settings;
    return openConnections(new URL(baseUrl).origin, this.maxConnections, timeout);
  }

  #queue(question: Question): Promise<SourceResponse> {
    if (this.#questions.length() >= MAX_WAITING)
      throw new FetchError(
        `GET ${question.url.pathname} from ${this.name}: not asked: ${MAX_WAITING} questions are waiting already; wait for answers before asking more`,
      );
    return this.#questions.push(question);
  }

  /** One question to the service, unless that is known to be of no use; what came of it is counted. */
  async #put({ url, isAhead }: Question): Promise<SourceResponse> {
    const refusal = openCircuit(this.name, this.#streak);
    if (refusal !== undefined)
      return { ok: false, reason: refusal, blame: "tick", notFound: false };
    if (this.#signal.aborted)
      return {
        ok: false,
        reason: "the tick ended before it was asked",
        blame: "tick",
        notFound: false,
      };
    const answer = await this.#fetch(url, isAhead);
    if (!answer.ok && isAhead) return { ...answer, ahead: true };
    this.#streak = answer.ok ? NO_ERRORS : countErrors(this.#streak, answer.blame, answer.reason);
    if (answer.ok) {
      this.counts.requests += 1;
      this.counts.succeeded += 1;
    } else if (answer.blame !== "tick") {
      this.counts.requests += 1;
      this.counts.lastError = answer.reason;
    }
    return answer;
  }

  /** The same 404 may be an answer to one alarm and a failure to another: then it is an answer. */
  #countAbsent(answer: SourceResponse): void {
    if (this.#absent.has(answer)) return;
    this.#absent.add(answer);
    this.counts.succeeded += 1;
  }

  async #fetch(url: URL, isAhead: boolean): Promise<SourceResponse> {
    const { timeout } = this.#settings;
    this.#connections ??= this.#open();
    const options = {
      connections: await this.#connections,
      headers: requestHeaders(this.#settings),
      redact: redactor(this.#settings),
      timeout,
      maxBody: MAX_BODY,
      signal: this.#signal,
      now: () => Date.now() / 1000,
    };
    let waited = 0;
    for (let attempt = 1; ; attempt++) {
      const result = await attemptGet(url, options);
      if (result.kind === "answer") return { ok: true, body: result.body };
      const decision = decideRetry(attempt, result, Math.random(), waited);
      if (!decision.again || isAhead)
        return {
          ok: false,
          reason: decision.again ? result.reason : decision.reason,
          blame: result.blame,
          notFound: /^status 404\b/.test(result.reason),
        };
      try {
        waited += decision.seconds;
        await sleep(decision.seconds * 1000, undefined, { signal: this.#signal });
      } catch {
        return {
          ok: false,
          reason: `${result.reason}; the tick ended before another attempt`,
          blame: result.blame,
          notFound: false,
        };
      }
    }
  }

  /** Paths are below the base URL, with or without a leading slash; they cannot leave it. */
  #url(path: string, query: Query): URL {
    const base = this.#settings.baseUrl.replace(/\/+$/, "");
    const url = new URL(`${base}/${path.replace(/^\/+/, "")}`);
    const root = new URL(`${base}/`);
    if (url.origin !== root.origin || !url.pathname.startsWith(root.pathname)) {
      throw new FetchError(
        `GET ${quote(path)} from ${this.name}: the path leads out of ${root.pathname}; write a path below it`,
      );
    }
    const text = queryText(query);
    if (text !== "") url.search = url.search === "" ? text : `${url.search}&${text}`;
    url.hash = "";
    if (url.href.length > MAX_QUESTION) {
      throw new FetchError(
        `GET ${quote(path)} from ${this.name}: the question has ${url.href.length} characters; ask with at most ${MAX_QUESTION}`,
      );
    }
    return url;
  }
}

/** Names in lower case, so that a configured header takes the place of the engine's own, not a seat beside it. */
function requestHeaders({ headers, token, userAgent }: SourceSettings): { [name: string]: string } {
  const configured = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    "user-agent": userAgent ?? USER_AGENT,
    ...Object.fromEntries(configured),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    accept: "application/json",
    "accept-encoding": "gzip, deflate, br",
  };
}

function redactor({ headers, token }: SourceSettings): Redact {
  return makeRedactor([...Object.values(headers), ...(token === undefined ? [] : [token])]);
}
