import { readBeginning, readBody } from "./body.ts";
import { explainConnection } from "./connection_error.ts";
import type { Connections, HttpResponse } from "./connections.ts";
import { excerpt } from "./excerpt.ts";
import { BodyError } from "./fetch_error.ts";
import { checkBeginning } from "./parse_json.ts";
import { type FailedRequest, failed, type RequestResult } from "./request_result.ts";
import { parseHttpDate, parseRetryAfter } from "./retry.ts";

export interface HttpOptions {
  readonly connections: Pick<Connections, "get">;
  readonly headers: { readonly [name: string]: string };
  /** Seconds for the whole exchange. */
  readonly timeout: number;
  /** Aborted when the tick ends. */
  readonly signal: AbortSignal;
  /** Called with the `Date` of a response of any status. */
  readonly onDate: (time: number) => void;
}

/** Sends one GET. Never throws. */
export async function attemptGet(url: URL, options: HttpOptions): Promise<RequestResult> {
  const { connections, headers, timeout, signal, onDate } = options;
  const late = AbortSignal.timeout(Math.ceil(timeout * 1000));
  try {
    const response = await connections.get(url, headers, AbortSignal.any([late, signal]));
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
