import { inTime } from "../core/in_time.ts";
import type { JsonValue } from "../text/json.ts";
import { BodyError, type FetchError, fetchError } from "./fetch_error.ts";
import { parseJson } from "./parse_json.ts";
import { queryText } from "./query.ts";
import type { Requester, ResponseHeaders, SourceRequest, SourceResponse } from "./requester.ts";

/** A response that a module can use. */
export interface Received {
  /** 200, or 404 with `allow404`. */
  readonly status: number;
  readonly value: JsonValue;
  readonly headers: ResponseHeaders;
}

/** Sends requests for a module, and reads what comes. */
export interface Receiver {
  /** Throws FetchError, after it is recorded. `ahead` is the response if it was requested before. */
  receive(request: SourceRequest, ahead?: Promise<SourceResponse>): Promise<Received>;
  /** Sends it now, in case it is needed; the function waits for it. */
  receiveAhead(request: SourceRequest): () => Promise<Received>;
}

export interface ReceiverFacts {
  readonly source: Requester;
  /** For messages. */
  readonly name: string;
  readonly signal: AbortSignal;
  /** Called with every error before the module can catch it. */
  readonly record: (error: unknown, scope?: string) => unknown;
  /** Called with 1 when the module begins to wait for a response, and with -1 when it has it. */
  readonly onWait: (change: 1 | -1) => void;
}

export function makeReceiver({ source, name, signal, record, onWait }: ReceiverFacts): Receiver {
  const receive: Receiver["receive"] = async (request, ahead) => {
    onWait(1);
    try {
      const { status, body, headers } = await inTime(ahead ?? source.request(request), signal);
      const text = body.toString();
      const value = request.as === "text" || status !== 200 ? text : parseJson(text);
      return { status, value, headers };
    } catch (error) {
      if (!(error instanceof BodyError)) throw record(error, request.scope);
      const reason = `status 200, but ${error.message}`;
      source.reportInvalid?.(request, reason);
      throw record(invalidResponse(request, name, reason), request.scope);
    } finally {
      onWait(-1);
    }
  };
  return {
    receive,
    receiveAhead: (request) => {
      const response = source.request({ ...request, ahead: true });
      // If it fails before it is needed, the rejection would be unhandled and end the process.
      response.catch(() => {});
      return () =>
        receive(
          request,
          response.catch(() => source.request(request)),
        );
    },
  };
}

/** A response with status 200 that cannot be used. */
function invalidResponse(
  { path, query, post }: SourceRequest,
  source: string,
  reason: string,
): FetchError {
  const call = {
    path: `${path}?${queryText(query)}`.replace(/\?$/, ""),
    source,
    method: post === undefined ? ("GET" as const) : ("POST" as const),
  };
  return fetchError(call, { kind: "response", status: 200, reason });
}
