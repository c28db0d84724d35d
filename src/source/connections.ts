import { setImmediate } from "node:timers/promises";
// Some files of undici: all of it takes twice as long to load. They are not public API, so package.json pins the
// version. src/main.ts sets the flags that keep V8 from optimising undici's WebAssembly parser for too long.
import request from "undici/lib/api/api-request.js";
import buildConnector from "undici/lib/core/connect.js";
import Pool from "undici/lib/dispatcher/pool.js";
import { inTime } from "../core/in_time.ts";
import type { HttpProxy } from "../core/model.ts";
import { type HttpResponse, readBeginning, readBody } from "./body.ts";
import { explainConnection } from "./connection_error.ts";
import { excerpt } from "./excerpt.ts";
import { BodyError } from "./fetch_error.ts";
import { checkBeginning } from "./parse_json.ts";
import { type FailedRequest, failed, type RequestResult } from "./request_result.ts";
import { parseHttpDate, parseRetryAfter } from "./retry.ts";

export interface ConnectionSettings {
  /** Such as `https://host:8443`. */
  readonly origin: string;
  readonly proxy?: HttpProxy | undefined;
  /** Side by side; each is opened when needed. */
  readonly maxConnections: number;
  /** Seconds for one whole exchange. */
  readonly timeout: number;
  readonly headers: { readonly [name: string]: string };
  /** Aborted when the tick ends. */
  readonly signal: AbortSignal;
  /** Called with the `Date` of a response of any status. */
  readonly onDate: (time: number) => void;
}

export type Connections = ReturnType<typeof openConnections>;

export function openConnections(settings: ConnectionSettings) {
  const { origin, proxy, maxConnections, timeout, headers, signal, onDate } = settings;
  const connect = buildConnector({
    // Later than any signal: undici's clock may be half a second fast.
    timeout: (timeout + 1) * 1000,
    // Set here so that $NODE_TLS_REJECT_UNAUTHORIZED cannot turn it off.
    rejectUnauthorized: true,
  });
  const { host, hostname, port } = new URL(origin);
  // A proxy may tunnel nothing but TLS.
  const clear = proxy !== undefined && origin.startsWith("http:") ? proxy : undefined;
  const pool = new Pool(clear?.origin ?? origin, {
    connections: maxConnections,
    // The signal limits the whole exchange; undici's own limits could end it earlier.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (options, done) => {
      // undici would look for the service's name in the certificate of the proxy.
      if (clear !== undefined) return connect({ ...options, servername: "" }, done);
      if (proxy === undefined) return connect(options, done);
      const target = `${hostname}:${port || 443}`;
      void import("./tunnel.ts")
        .then(({ openTunnel }) => openTunnel(proxy, target, timeout * 1000))
        .then(
          (httpSocket) => connect({ ...options, httpSocket }, done),
          (error: Error) => done(error, null),
        );
    },
  });
  /** Rejects with Node's or undici's error or the limit's reason, as reading the body does. */
  const send = async ({ pathname, search }: URL, limit: AbortSignal): Promise<HttpResponse> => {
    // undici frees a connection one turn after its response; without waiting it would open another one.
    await setImmediate();
    const path = pathname + search;
    const proxied = { path: origin + path, headers: { ...headers, ...clear?.headers, host } };
    const options = {
      method: "GET",
      signal: limit,
      ...(clear ? proxied : { path, headers }),
    } as const;
    // undici obeys the signal only once it is connected (nodejs/undici#386).
    const response = await inTime(request.call(pool, options), limit);
    // An error before somebody reads the body would end the process; the reader gets it too.
    response.body.on("error", () => {});
    return { status: response.statusCode, headers: response.headers, body: response.body };
  };
  const exchange = async (url: URL): Promise<RequestResult> => {
    const late = AbortSignal.timeout(Math.ceil(timeout * 1000));
    try {
      const response = await send(url, AbortSignal.any([late, signal]));
      const date = parseHttpDate(String(response.headers.date));
      if (date !== undefined) onDate(date);
      if (response.status !== 200)
        return describeStatus(response, excerpt(await readBeginning(response)));
      const body = await readBody(response);
      checkBeginning(body);
      return { ok: true, body };
    } catch (error) {
      if (late.aborted) return failed("service", `no response within ${timeout} s`);
      if (signal.aborted) return failed("engine", "the tick ended before the response");
      if (error instanceof BodyError) return failed("response", `status 200, but ${error.message}`);
      const { reason, retry } = explainConnection(error);
      return failed("service", excerpt(reason), retry);
    }
  };
  return {
    /** Sends one GET. Never throws. */
    get: async (url: URL): Promise<RequestResult> => {
      const result = await exchange(url);
      if (result.ok || proxy === undefined) return result;
      return { ...result, reason: `${result.reason} (through the proxy ${proxy.origin})` };
    },
    /** Ends running requests; never rejects. */
    close: (): Promise<void> => pool.destroy(),
  };
}

function describeStatus({ status, headers }: HttpResponse, text: string): FailedRequest {
  if (status >= 300 && status < 400) {
    const target = excerpt(String(headers.location ?? "nowhere"));
    const reason = `${status} redirect to ${target}; set base_url to the final address`;
    return { ...failed("response", reason), status };
  }
  const isDown = status === 429 || status >= 500;
  const reason = `status ${status} ${text}`.trim();
  const wait = parseRetryAfter(headers["retry-after"]?.toString(), Date.now() / 1000);
  return { ...failed(isDown ? "service" : "response", reason, isDown), status, wait };
}
