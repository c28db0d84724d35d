import type { RequestResult } from "./request_result.ts";

/** Errors in a row after which nothing more is sent: two rounds of the requests that run side by side. */
export const OPEN_AFTER = 8;

/**
 * Stops the requests to a service that is down. Without it every alarm would wait for the retries, and together
 * they would use up the time of the tick.
 */
export class CircuitBreaker {
  #errors = 0;
  #lastError = "";

  record(result: RequestResult): void {
    if (result.ok || result.cause === "response") this.#errors = 0;
    else if (result.cause === "service") {
      this.#errors += 1;
      this.#lastError = result.reason;
    }
  }

  /** Why no request is sent to the service; undefined while requests are sent. */
  openReason(source: string): string | undefined {
    if (this.#errors < OPEN_AFTER) return undefined;
    return `not sent: ${source} failed ${this.#errors} times in a row in this tick, last error: ${this.#lastError}`;
  }
}
