import { Readable } from "node:stream";
import { proxyOptions } from "../config/proxy.ts";
import { explainConnection } from "../core/connection_error.ts";
import { PROXY_LOGIN } from "../core/http_status.ts";
import { inTime } from "../core/in_time.ts";
import { errorText } from "../text/describe.ts";
import { excerpt } from "../text/excerpt.ts";

export interface PostTarget {
  readonly url: URL;
  readonly proxy: URL | undefined;
  /** Seconds for the whole exchange. */
  readonly timeout: number;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; a header that came more than once is a list. */
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  /** The beginning of the body, as far as it arrived. */
  readonly text: string;
}

/** Why there was no response. */
export interface PostFailure {
  readonly reason: string;
  readonly retryable: boolean;
  /** Whether the service may have received the request. */
  readonly mayBeDelivered: boolean;
}

/** Characters of a response that are read. */
const BEGINNING = 4_000;

/** Sends one POST over a connection of its own: a kept one may be dead, which looks as if it had been received. */
export async function httpPost(
  target: PostTarget,
  headers: { readonly [name: string]: string },
  body: string,
  signal: AbortSignal,
): Promise<HttpResponse | PostFailure> {
  const { url, timeout } = target;
  const bytes = Buffer.from(body);
  let sent = false;
  // undici reads it when it is connected, through a proxy too.
  const content = async function* () {
    sent = true;
    yield bytes;
  };
  const late = AbortSignal.timeout(Math.ceil(timeout * 1000));
  const limit = AbortSignal.any([late, signal]);
  const dispatcher = await openDispatcher(target);
  try {
    limit.throwIfAborted();
    const request = dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: "POST",
      headers: { ...headers, "content-length": String(bytes.length) },
      body: Readable.from(content()),
      signal: limit,
    });
    // undici obeys the signal only once it is connected (nodejs/undici#386).
    const response = await inTime(request, limit);
    // An error before somebody reads the body would end the process; the reader gets it too.
    response.body.on("error", () => {});
    const text = await readBeginning(response.body);
    return { status: response.statusCode, headers: response.headers, text };
  } catch (error) {
    const missing = sent ? "response" : "connection";
    const failure = (reason: string, retryable = true) => {
      const mayBeDelivered = sent && !reason.startsWith(PROXY_LOGIN);
      return { reason, retryable, mayBeDelivered };
    };
    if (signal.aborted)
      return failure(`stopped before the ${missing}: ${errorText(signal.reason)}`);
    if (late.aborted) return failure(`no ${missing} within ${timeout} s`);
    const { reason, retry } = explainConnection(error);
    return failure(excerpt(reason), retry);
  } finally {
    await dispatcher.destroy();
  }
}

async function openDispatcher({ url, proxy, timeout }: PostTarget) {
  const { Pool, ProxyAgent } = await import("undici");
  // Set here so that $NODE_TLS_REJECT_UNAUTHORIZED cannot turn it off.
  const tls = { rejectUnauthorized: true } as const;
  // Later than the limit of the whole exchange.
  const connect = { ...tls, timeout: (timeout + 1) * 1000 };
  const options = { headersTimeout: 0, bodyTimeout: 0, connect };
  if (proxy === undefined) return new Pool(url.origin, options);
  return new ProxyAgent({
    ...options,
    ...proxyOptions(proxy),
    proxyTls: tls,
    requestTls: tls,
    factory: (to, more) => new Pool(to, { ...options, ...more }),
  });
}

/** The status counts even if the rest of the body is lost. */
async function readBeginning(body: AsyncIterable<unknown>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of body) {
      if (chunk instanceof Uint8Array) text += decoder.decode(chunk, { stream: true });
      if (text.length >= BEGINNING) break;
    }
  } catch {
    // Of a lost body, what arrived.
  }
  return text.slice(0, BEGINNING).toWellFormed();
}
