import type { FailureKind, RequestFailure } from "../fetch_error.ts";
import type { ResponseHeaders } from "../requester.ts";

export type RequestResult =
  | {
      readonly ok: true;
      /** UTF-8 that may be JSON; the worker parses it. */
      readonly body: Buffer;
      readonly headers: ResponseHeaders;
    }
  | FailedRequest;

export interface FailedRequest extends RequestFailure {
  readonly ok: false;
  /**
   * `service`: it is down (connection, DNS, TLS, timeout, 429, 5xx). `response`: the service is up, but this
   * response is unusable. `engine`: the tick ended, or the circuit breaker is open.
   */
  readonly cause: "service" | "response" | "engine";
  /** Whether another attempt may help. */
  readonly retry: boolean;
  /** Of a response with another status than 200. */
  readonly headers?: ResponseHeaders;
  /** A 404 of the service itself: there is no such thing. */
  readonly isOwn404?: boolean;
  /** Seconds that the service asked to wait. */
  readonly wait?: number | undefined;
}

export function failed(
  kind: FailureKind,
  cause: FailedRequest["cause"],
  reason: string,
  retry = false,
): FailedRequest {
  return { ok: false, kind, reason, cause, retry };
}
