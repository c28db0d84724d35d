import { setImmediate } from "node:timers/promises";
// Two files of undici: all of it takes twice as long to load. They are not public API, so package.json pins the
// version. src/main.ts sets the flags that keep V8 from optimising undici's WebAssembly parser for too long.
import request from "undici/lib/api/api-request.js";
import Pool from "undici/lib/dispatcher/pool.js";
import { proxyOptions } from "../../config/proxy.ts";
import { explainConnection } from "../../core/connection_error.ts";
import { waitingHelps } from "../../core/http_status.ts";
import { inTime } from "../../core/in_time.ts";
import { excerpt } from "../../text/excerpt.ts";
import { parseHttpDate, parseRetryAfter } from "../../text/http_date.ts";
import { BodyError } from "../fetch_error.ts";
import { checkBeginning } from "../parse_json.ts";
import type { PostBody, ResponseHeaders } from "../requester.ts";
import { beginningOf, type HttpResponse, readBeginning, readBody } from "./body.ts";
import { type FailedRequest, failed, type RequestResult } from "./request_result.ts";

export interface ConnectionSettings {
  /** Such as `https://host:8443`. */
  readonly origin: string;
  /** Path of a local socket, through which the service is reached instead. */
  readonly socketPath?: string | undefined;
  readonly headers: { readonly [name: string]: string };
  /** PEM. Only these authorities are trusted; undefined trusts those of Node. */
  readonly ca?: string | undefined;
  /** Requests that are sent side by side. */
  readonly maxConnections: number;
  readonly proxy?: URL | undefined;
  /** Seconds for one whole exchange. */
  readonly timeout: number;
  /** Called with the `Date` of a response of any status. */
  readonly onDate: (time: number) => void;
}

/** One attempt at a request. */
export interface Exchange {
  readonly url: URL;
  readonly as: "json" | "text";
  /** Sent with POST; without it, a GET is sent. */
  readonly post?: PostBody | undefined;
  /** Seconds for it; else those of the settings. */
  readonly timeout?: number | undefined;
}

export type Connections = Awaited<ReturnType<typeof openConnections>>;

export async function openConnections(settings: ConnectionSettings) {
  const { origin, proxy, maxConnections, timeout, headers, onDate } = settings;
  const connect = {
    socketPath: settings.socketPath ?? null,
    ca: settings.ca,
    // Later than any signal: undici's clock may be half a second fast.
    timeout: (timeout + 1) * 1000,
    // Set here so that $NODE_TLS_REJECT_UNAUTHORIZED cannot turn it off.
    rejectUnauthorized: true,
  } as const;
  // The signal limits the whole exchange; undici's own limits could end it earlier.
  const options = { connections: maxConnections, headersTimeout: 0, bodyTimeout: 0, connect };
  const pool = proxy ? await openProxy(proxy, options, connect) : new Pool(origin, options);
  /** Rejects with Node's or undici's error or the limit's reason, as reading the body does. */
  const send = async (
    { url: { pathname, search }, as, post }: Exchange,
    limit: AbortSignal,
  ): Promise<HttpResponse> => {
    // undici frees a connection one turn after its response; without waiting it would open another one.
    await setImmediate();
    const options = {
      origin,
      path: pathname + search,
      method: post === undefined ? "GET" : "POST",
      headers: {
        ...headers,
        accept: as === "json" ? "application/json" : "*/*",
        ...(post?.type !== undefined && { "content-type": post.type }),
      },
      body: post?.text ?? null,
      signal: limit,
    } as const;
    // undici obeys the signal only once it is connected (nodejs/undici#386).
    const response = await inTime(request.call(pool, options), limit);
    // An error before somebody reads the body would end the process; the reader gets it too.
    response.body.on("error", () => {});
    return { status: response.statusCode, headers: response.headers, body: response.body };
  };
  return {
    /** Sends one request, until `signal` ends it. Never throws. */
    exchange: async (exchange: Exchange, signal: AbortSignal): Promise<RequestResult> => {
      const seconds = exchange.timeout ?? timeout;
      const late = AbortSignal.timeout(Math.ceil(seconds * 1000));
      let body: Buffer = Buffer.alloc(0);
      try {
        const response = await send(exchange, AbortSignal.any([late, signal]));
        const headers = readHeaders(response);
        if (headers.date !== undefined) onDate(headers.date);
        if (response.status !== 200)
          return { ...describeStatus(response, await readBeginning(response)), headers };
        body = await readBody(response);
        if (exchange.as === "json") checkBeginning(body);
        return { ok: true, body, headers };
      } catch (error) {
        if (late.aborted) return failed("timeout", "service", `no response within ${seconds} s`);
        if (signal.aborted)
          return failed("timeout", "engine", "the tick ended before the response");
        if (error instanceof BodyError)
          return {
            ...failed("response", "response", `status 200, but ${error.message}`),
            status: 200,
            body: beginningOf(body),
          };
        const { reason, retry } = explainConnection(error);
        return failed("connection", "service", excerpt(reason), retry);
      }
    },
    /** Ends running requests; never rejects. */
    close: (): Promise<void> => pool.destroy(),
  };
}

/** What to do where waiting does not help. */
function remedyOf(status: number): string {
  if ([401, 403].includes(status)) return "; check the login, token and headers of this source";
  if ([407, 511].includes(status)) return "; the proxy or the network requires a login";
  const isMisplaced = status < 400 || [421, 501, 505].includes(status);
  return isMisplaced ? "; check base_url, and any cache or proxy in front of the service" : "";
}

/** `ca` is for the service, and not for the proxy. */
interface SecureOptions {
  readonly rejectUnauthorized: true;
  readonly ca: string | undefined;
}

async function openProxy(proxy: URL, options: Pool.Options, tls: SecureOptions) {
  const { ProxyAgent } = await import("undici");
  return new ProxyAgent({
    ...options,
    ...proxyOptions(proxy),
    proxyTls: { ...tls, ca: undefined },
    requestTls: tls,
    factory: (to, more) => new Pool(to, { ...options, ...more }),
  });
}

function readHeaders({ headers }: HttpResponse): ResponseHeaders {
  return {
    type: headers["content-type"]?.toString(),
    link: headers.link?.toString(),
    total: (headers["x-total-count"] ?? headers["x-total"])?.toString(),
    date: parseHttpDate(String(headers.date)),
  };
}

function describeStatus({ status, headers }: HttpResponse, body: string): FailedRequest {
  if (headers.location !== undefined && status >= 300 && status < 400 && status !== 304) {
    const target = excerpt(String(headers.location));
    const reason = `${status} redirect to ${target}; set base_url to the final address`;
    return { ...failed("status", "response", reason), status, body };
  }
  const retry = waitingHelps(status);
  const cause = retry || status >= 500 ? "service" : "response";
  const reason = `status ${status} ${excerpt(body)}`.trim() + remedyOf(status);
  const wait = parseRetryAfter(headers["retry-after"]?.toString(), Date.now() / 1000);
  return { ...failed("status", cause, reason, retry), status, body, wait };
}
