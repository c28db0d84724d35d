import { setTimeout as sleep } from "node:timers/promises";
import pLimit from "p-limit";
import { Agent } from "undici";
import type { Asker } from "./client.ts";
import { FetchError } from "./fetch_error.ts";
import { attemptGet } from "./http.ts";
import { type Query, queryText } from "./paging.ts";
import { decideRetry } from "./retry.ts";

export interface SourceSettings {
  /** Shown in messages; `main` is the service of `[engine]`. */
  readonly name: string;
  readonly baseUrl: string;
  readonly headers: { readonly [name: string]: string };
  readonly token: string | undefined;
  readonly userAgent: string | undefined;
  /** Seconds for one request. */
  readonly timeout: number;
}

/** Requests in flight at one source: the upstream is one process with thirty threads. */
const CONCURRENCY = 4;
/** A page of 200 tasks is about 0.25 MB; nothing that an alarm reads comes near this. */
const MAX_BODY = 64 * 2 ** 20;
const USER_AGENT = "swf-alarms";

/** One REST service during one tick: keep-alive, retries, and each question fetched once. */
export class Source implements Asker {
  readonly name: string;
  readonly #settings: SourceSettings;
  readonly #signal: AbortSignal;
  readonly #agent: Agent;
  readonly #limit = pLimit(CONCURRENCY);
  /** What it was asked in this tick. */
  readonly tally: { asked: number; answered: number; lastFailure: string | undefined } = {
    asked: 0,
    answered: 0,
    lastFailure: undefined,
  };
  readonly #answers = new Map<string, Promise<Answer>>();

  /** `signal` ends every request when the tick ends. */
  constructor(settings: SourceSettings, signal: AbortSignal) {
    this.name = settings.name;
    this.#settings = settings;
    this.#signal = signal;
    this.#agent = new Agent({
      connections: CONCURRENCY,
      pipelining: 1,
      connect: { timeout: settings.timeout * 1000 },
    });
  }

  /**
   * The JSON text of the answer to a question. Asked twice in a tick it is fetched once; every caller
   * parses a copy of its own, so that no alarm can change what another reads. Throws FetchError; with
   * `absentIsAnswer`, a 404 gives undefined instead.
   */
  async ask(path: string, query: Query, absentIsAnswer: boolean): Promise<string | undefined> {
    const url = this.#url(path, query);
    let answer = this.#answers.get(url.href);
    if (answer === undefined) {
      answer = this.#limit(() => this.#fetchAndCount(url, absentIsAnswer));
      this.#answers.set(url.href, answer);
    }
    const result = await answer;
    if (result.ok) return result.body;
    if (absentIsAnswer && result.absent) return undefined;
    throw new FetchError(`GET ${url.pathname}${url.search} from ${this.name}: ${result.reason}`);
  }

  /** Closes the connections. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #fetchAndCount(url: URL, absentIsAnswer: boolean): Promise<Answer> {
    const answer = await this.#fetch(url);
    this.tally.asked += 1;
    if (answer.ok || (absentIsAnswer && answer.absent)) this.tally.answered += 1;
    else this.tally.lastFailure = answer.reason;
    return answer;
  }

  async #fetch(url: URL): Promise<Answer> {
    const { timeout } = this.#settings;
    const options = {
      dispatcher: this.#agent,
      headers: requestHeaders(this.#settings),
      redact: redactor(this.#settings),
      timeout,
      maxBody: MAX_BODY,
      signal: this.#signal,
      now: () => Date.now() / 1000,
    };
    for (let attempt = 1; ; attempt++) {
      const result = await attemptGet(url, options);
      if (result.kind === "answer") return { ok: true, body: result.body };
      const decision = decideRetry(attempt, result, Math.random());
      if (!decision.again)
        return { ok: false, reason: decision.reason, absent: /^status 404\b/.test(result.reason) };
      try {
        await sleep(decision.seconds * 1000, undefined, { signal: this.#signal });
      } catch {
        return {
          ok: false,
          reason: `${result.reason}; the tick ended before another attempt`,
          absent: false,
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
        `GET ${JSON.stringify(path)} from ${this.name}: the path leads out of ${root.pathname}; write a path below it`,
      );
    }
    const text = queryText(query);
    if (text !== "") url.search = url.search === "" ? text : `${url.search}&${text}`;
    url.hash = "";
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

/** Shorter values are no secrets, and would black out ordinary words. */
const SHORTEST_SECRET = 6;

function redactor({ headers, token }: SourceSettings): (text: string) => string {
  const secrets = [...Object.values(headers), ...(token === undefined ? [] : [token])];
  const hidden = secrets.filter((secret) => secret.length >= SHORTEST_SECRET);
  return (text) => hidden.reduce((rest, secret) => rest.replaceAll(secret, "[redacted]"), text);
}

type Answer =
  | { readonly ok: true; readonly body: string }
  | { readonly ok: false; readonly reason: string; readonly absent: boolean };
