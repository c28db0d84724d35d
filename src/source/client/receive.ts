import { inTime } from "../../core/in_time.ts";
import type { JsonValue } from "../../text/json.ts";
import { BodyError, type FailedCall, fetchError } from "../fetch_error.ts";
import { beginningOf } from "../http/body.ts";
import { parseJson } from "../parse_json.ts";
import { queryText } from "../query.ts";
import {
  methodOf,
  type Requester,
  type ResponseHeaders,
  type SourceRequest,
  type SourceResponse,
} from "../requester.ts";

/** A response that a module can use; its status is 200. */
export interface Received<T = JsonValue> {
  /** `T` is the author's claim. */
  readonly value: T;
  readonly headers: ResponseHeaders;
}

export type Receiver = ReturnType<typeof makeReceiver>;

interface ReceiverFacts {
  readonly source: Requester;
  /** For messages. */
  readonly name: string;
  readonly signal: AbortSignal;
  /** Called with every error before the module can catch it. */
  readonly record: (error: unknown, scope?: string) => unknown;
  /** Called with 1 when the module begins to wait for a response, and with -1 when it has it. */
  readonly onWait: (change: 1 | -1) => void;
}

/** Sends requests for a module, and reads what comes. Each function throws FetchError, after it is recorded. */
export function makeReceiver({ source, name, signal, record, onWait }: ReceiverFacts) {
  /** A response that is not read yet; that of `ahead` if it was requested before. */
  const respond = async (
    request: SourceRequest,
    ahead?: Promise<SourceResponse>,
  ): Promise<SourceResponse> => {
    onWait(1);
    try {
      return await inTime(ahead ?? source.request(request), signal);
    } catch (error) {
      throw record(error, request.scope);
    } finally {
      onWait(-1);
    }
  };
  /** What is in a response with status 200 to this request; `parse` throws BodyError. */
  const readAs = <T>(
    request: SourceRequest,
    { body }: SourceResponse,
    parse: (text: string) => T,
  ): T => {
    try {
      return parse(body.toString());
    } catch (error) {
      if (!(error instanceof BodyError)) throw record(error, request.scope);
      const reason = `status 200, but ${error.message}`;
      source.reportInvalid?.(request, reason);
      const failure = { kind: "response", status: 200, body: beginningOf(body), reason } as const;
      throw record(fetchError(callOf(request, name), failure), request.scope);
    }
  };
  const read = <T = JsonValue>(request: SourceRequest, response: SourceResponse): T =>
    readAs(request, response, parseJson<T>);
  const receive = async <T = JsonValue>(
    request: SourceRequest,
    ahead?: Promise<SourceResponse>,
  ): Promise<Received<T>> => {
    const response = await respond(request, ahead);
    return { value: read<T>(request, response), headers: response.headers };
  };
  return {
    respond,
    readAs,
    read,
    receive,
    /** Sends it now, in case it is needed; the function waits for it. */
    receiveAhead: (request: SourceRequest) => {
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

/** What a message names. */
export function callOf(request: SourceRequest, source: string): FailedCall {
  const path = `${request.path}?${queryText(request.query)}`.replace(/\?$/, "");
  return { path, source, method: methodOf(request) };
}
