export type RequestResult =
  | {
      readonly ok: true;
      /** UTF-8 that may be JSON; the worker parses it. */
      readonly body: Buffer;
    }
  | FailedRequest;

export interface FailedRequest {
  readonly ok: false;
  readonly reason: string;
  /**
   * `service`: it is down (connection, DNS, TLS, timeout, 429, 5xx). `response`: the service is up, but this
   * response is unusable. `engine`: the tick ended, or the circuit breaker is open.
   */
  readonly cause: "service" | "response" | "engine";
  /** Whether another attempt may help. */
  readonly retry: boolean;
  /** The HTTP status, if it was not 200. */
  readonly status?: number;
  /** Seconds that the service asked to wait. */
  readonly wait?: number | undefined;
}

export function failed(
  cause: FailedRequest["cause"],
  reason: string,
  retry = false,
): FailedRequest {
  return { ok: false, reason, cause, retry };
}
