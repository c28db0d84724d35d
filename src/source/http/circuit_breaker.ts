import type { RequestResult } from "./request_result.ts";

/** Errors in a row after which nothing more is sent: two rounds of the requests that run side by side. */
export const OPEN_AFTER = 8;

/**
 * Stops the requests to a service that is down. Without it every alarm would wait for the retries, and together
 * they would use up the time of the tick. A service that fails for some of its entities is not down: before it opens,
 * a request that has succeeded is repeated.
 */
export class CircuitBreaker {
  #errors = 0;
  #lastError = "";
  #isOpen = false;

  record(result: RequestResult): void {
    if (isUp(result)) this.#close();
    if (result.ok || result.cause !== "service") return;
    this.#errors += 1;
    this.#lastError = result.reason;
  }

  /** Whether it opens unless a repeated request works. */
  get isInDoubt(): boolean {
    return !this.#isOpen && this.#errors >= OPEN_AFTER;
  }

  /** What became of the repeated request; undefined if none has succeeded in this tick. */
  recordProbe(probe: RequestResult | undefined): void {
    if (probe !== undefined && isUp(probe)) this.#close();
    // A request that was running meanwhile may have worked.
    else this.#isOpen = this.isInDoubt;
  }

  /** Why no request is sent to the service; undefined while requests are sent. */
  openReason(source: string): string | undefined {
    if (!this.#isOpen) return undefined;
    return `not sent: ${source} failed ${this.#errors} times in a row in this tick, last error: ${this.#lastError}`;
  }

  #close(): void {
    this.#errors = 0;
    this.#isOpen = false;
  }
}

/** Whether the service itself has responded, even if the response is unusable. */
function isUp(result: RequestResult): boolean {
  return result.ok || result.cause === "response";
}
