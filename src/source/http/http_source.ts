import { setTimeout as sleep } from "node:timers/promises";
import fastq from "fastq";
import type { RequestCounts } from "../../core/source_state.ts";
import { quote } from "../../text/describe.ts";
import { fetchError } from "../fetch_error.ts";
import { addQuery } from "../query.ts";
import { methodOf, type SourceRequest, type SourceResponse } from "../requester.ts";
import type { OpenSource } from "../source_kind.ts";
import { CircuitBreaker } from "./circuit_breaker.ts";
import type { Connections, Exchange } from "./connections.ts";
import { type HttpSourceSettings, requestHeaders } from "./http_settings.ts";
import { foreign404, ResponseTypes } from "./own_404.ts";
import { RateLimit } from "./rate_limit.ts";
import { requestKey } from "./request_key.ts";
import { failed, type RequestResult } from "./request_result.ts";
import { type CacheMemory, MAX_CACHED, ResponseCache } from "./response_cache.ts";
import { ATTEMPTS, decideRetry } from "./retry.ts";

/** What is sent for a request. */
interface Sending extends Exchange {
  /** Equal requests are counted once. */
  readonly key: string;
  readonly attempts: number;
  readonly ahead: boolean;
  /** Aborted when the tick ends or nobody waits for the response any more. */
  readonly signal: AbortSignal;
}

/** One REST service during one tick: keep-alive, retries, and each GET sent once. */
export class HttpSource implements OpenSource {
  readonly kind: "http" | "xmlrpc";
  readonly maxConnections: number;
  /** The service's clock: the newest `Date` of its responses, in epoch seconds; a cache may send older ones. */
  date: number | undefined;
  readonly #settings: HttpSourceSettings;
  readonly #signal: AbortSignal;
  readonly #queue: fastq.queueAsPromised<() => Promise<RequestResult>, RequestResult>;
  readonly #cache: ResponseCache;
  readonly #circuitBreaker = new CircuitBreaker();
  readonly #requested = new Set<string>();
  readonly #succeeded = new Set<string>();
  readonly #types = new ResponseTypes();
  #lastError: string | undefined;
  /** The newest question that was answered: a GET, or a call. */
  #working: Exchange | undefined;
  /** Running while it is not known whether the service is down. */
  #probe: Promise<void> | undefined;
  #connections: Promise<Connections> | undefined;
  readonly #rate: RateLimit | undefined;
  /** Requests that wait until the rate allows them. */
  #heldUp = 0;

  /** `signal` is aborted when the tick ends; `memory` is shared by all sources of the tick. */
  constructor(
    settings: HttpSourceSettings,
    signal: AbortSignal,
    memory: CacheMemory = { left: MAX_CACHED },
  ) {
    this.kind = settings.kind ?? "http";
    this.maxConnections = settings.maxConnections;
    this.#settings = settings;
    this.#signal = signal;
    this.#cache = new ResponseCache(memory);
    const { maxPerMinute } = settings;
    this.#rate = maxPerMinute === undefined ? undefined : new RateLimit(maxPerMinute);
    this.#queue = fastq.promise((send) => send(), this.maxConnections);
  }

  /** Each request counts once, however often it is made, and not at all if the tick ended before its response. */
  get counts(): RequestCounts {
    return {
      requests: this.#requested.size,
      succeeded: this.#succeeded.size,
      lastError: this.#lastError,
    };
  }

  /** See Requester. Every caller parses the body itself, so that no alarm can change what another one reads. */
  async request(request: SourceRequest): Promise<SourceResponse> {
    const { as = "json", post, timeout, ahead = false, fresh = false, signal } = request;
    const url = this.#url(request);
    const key = requestKey(url.href, request);
    const method = methodOf(request);
    const { attempts = ATTEMPTS[method] } = request;
    const sending = { url, as, post, timeout, key, attempts, ahead };
    const send = (ended: AbortSignal) =>
      this.#queue.push(() => this.#send({ ...sending, signal: ended }));
    const result = await (post === undefined
      ? this.#cache.get(
          key,
          (left) => send(AbortSignal.any([this.#signal, left])),
          ahead,
          fresh,
          signal,
        )
      : send(this.#signal));
    if (result.ok) return { status: 200, body: result.body, headers: result.headers };
    const { body = "", headers = {} } = result;
    if (request.allow404 && result.isOwn404) {
      this.#succeeded.add(key);
      return { status: 404, body: Buffer.from(body), headers };
    }
    const path = this.kind === "xmlrpc" ? request.path : url.pathname + url.search;
    throw fetchError({ path, source: this.#settings.name, method }, result);
  }

  reportInvalid(request: SourceRequest, reason: string): void {
    this.#succeeded.delete(requestKey(this.#url(request).href, request));
    this.#lastError = reason;
  }

  heldUpBy(): string | undefined {
    return this.#heldUp > 0 ? this.#rateSetting() : undefined;
  }

  async close(): Promise<void> {
    await (await this.#connections)?.close();
  }

  async #send(sending: Sending): Promise<RequestResult> {
    await this.#probe;
    const openReason = this.#circuitBreaker.openReason(this.#settings.name);
    if (openReason !== undefined) return failed("circuit open", "engine", openReason);
    if (sending.signal.aborted) return failed("timeout", "engine", "not sent: the tick has ended");
    const result = await this.#attempt(sending);
    // The module may never need it; if it does, the request is sent again.
    if (!result.ok && sending.ahead) return result;
    this.#circuitBreaker.record(result);
    this.#note(result, sending);
    if (this.#circuitBreaker.isInDoubt) {
      this.#probe ??= this.#sendProbe().finally(() => {
        this.#probe = undefined;
      });
      await this.#probe;
    }
    return result;
  }

  #note(result: RequestResult, { key, url, as, post, timeout }: Sending): void {
    if (result.ok) {
      this.#requested.add(key);
      this.#succeeded.add(key);
      this.#types.add(result.headers.type, as);
      // A call is a question too, and can be repeated.
      if (post === undefined || this.kind === "xmlrpc") this.#working = { url, as, post, timeout };
    } else if (result.cause !== "engine") {
      this.#requested.add(key);
      this.#lastError = result.reason;
    }
  }

  /** Finds out whether the service is down, or has failed only for some of its entities. */
  async #sendProbe(): Promise<void> {
    const working = this.#working;
    this.#circuitBreaker.recordProbe(working && (await this.#exchange(working, this.#signal)));
  }

  async #attempt(sending: Sending): Promise<RequestResult> {
    const { signal } = sending;
    const { proxy } = this.#settings;
    const via = proxy ? ` (through the proxy ${proxy.origin})` : "";
    for (let attempt = 1, waited = 0; ; attempt++) {
      const given = await this.#exchange(sending, signal, sending.ahead);
      if (given.ok || sending.ahead) return given;
      const result = { ...given, reason: `${given.reason}${via}` };
      const pause = decideRetry(attempt, result, Math.random(), waited, sending.attempts);
      if (typeof pause === "string") return { ...result, reason: pause };
      waited += pause;
      await sleep(pause * 1000, undefined, { signal }).catch(() => {});
      if (signal.aborted)
        return { ...result, reason: `${result.reason}; no time was left for a retry` };
    }
  }

  async #exchange(
    exchange: Exchange,
    signal: AbortSignal,
    isAhead = false,
  ): Promise<RequestResult> {
    const notSent = await this.#waitForTurn(signal, isAhead);
    if (notSent !== undefined) return notSent;
    this.#connections ??= this.#open();
    const result = await (await this.#connections).exchange(exchange, signal);
    if (result.ok || result.status !== 404) return result;
    const { body = "", headers = {} } = result;
    const isOwn404 = this.#types.isOwn404(headers.type, body, exchange.as);
    if (isOwn404) return { ...result, isOwn404 };
    // Without the status: modules compare it with 404 to know what is gone.
    const reason = foreign404(headers.type, body);
    return { ...result, kind: "response", status: undefined, reason };
  }

  /** Until `max_per_minute` allows one more request. Returns why none is sent. */
  async #waitForTurn(signal: AbortSignal, isAhead: boolean): Promise<RequestResult | undefined> {
    const now = performance.now() / 1000;
    // One that may never be needed does not hold up the others.
    if (isAhead && this.#rate?.wait(now))
      return failed("timeout", "engine", "not sent ahead: it would have to wait");
    const wait = this.#rate?.take(now) ?? 0;
    if (wait === 0) return undefined;
    this.#heldUp += 1;
    await sleep(wait * 1000, undefined, { signal }).catch(() => {});
    this.#heldUp -= 1;
    if (!signal.aborted) return undefined;
    const reason = `not sent: the tick ended while it waited for ${this.#rateSetting()}`;
    return failed("timeout", "engine", reason);
  }

  #rateSetting(): string {
    return `max_per_minute = ${this.#settings.maxPerMinute}`;
  }

  /** Loaded only when needed: most of a tick without requests would be the load time. */
  async #open(): Promise<Connections> {
    const { openConnections } = await import("./connections.ts");
    return openConnections({
      ...this.#settings,
      origin: new URL(this.#settings.baseUrl).origin,
      headers: requestHeaders(this.#settings),
      onDate: (time) => {
        this.date = Math.max(this.date ?? time, time);
      },
    });
  }

  /**
   * The path is below the base URL, with or without a leading slash, and cannot leave it. A call is sent to the base URL
   * itself: its path is the name of the method.
   */
  #url(request: SourceRequest): URL {
    if (this.kind === "xmlrpc") return new URL(this.#settings.baseUrl);
    const { path, query } = request;
    const base = this.#settings.baseUrl.replace(/\/+$/, "");
    const url = new URL(`${base}/${path.replace(/^\/+/, "")}`);
    const root = new URL(`${base}/`);
    if (url.origin !== root.origin || !url.pathname.startsWith(root.pathname))
      throw fetchError(
        { path: quote(path), source: this.#settings.name, method: methodOf(request) },
        { kind: "connection", reason: `the path must be below ${root.pathname}` },
      );
    addQuery(url, query);
    url.hash = "";
    return url;
  }
}
