import type { Blame } from "./circuit_breaker.ts";

/** How one attempt ended: an answer to use, or a failure that may be worth another attempt. */
export type Attempt = { readonly kind: "answer"; readonly body: Buffer } | Failure;

export interface Failure {
  readonly kind: "failure";
  readonly reason: string;
  readonly blame: Blame;
  readonly retry: boolean;
  /** Seconds that the service asked to wait; undefined when it did not say. */
  readonly wait?: number;
}

export type RetryDecision =
  | { readonly again: false; readonly reason: string }
  | { readonly again: true; readonly seconds: number };

export const MAX_ATTEMPTS = 4;
/** Seconds that one question may wait in all: whoever asks for more gets no further attempt. */
export const MAX_WAIT = 30;
const FIRST_WAIT = 0.5;

/**
 * Whether and when to try again: 0.5, 1, 2 s apart, or as the service asked; at most four attempts.
 * `random` in [0, 1) spreads waits so that many engines do not return at the same moment; `waited` is
 * how many seconds this question has waited so far.
 */
export function decideRetry(
  attempt: number,
  failure: Failure,
  random: number,
  waited: number,
): RetryDecision {
  if (!failure.retry) return { again: false, reason: failure.reason };
  if (attempt >= MAX_ATTEMPTS)
    return { again: false, reason: `${failure.reason}, ${attempt} attempts` };
  if (failure.wait !== undefined && waited + failure.wait > MAX_WAIT) {
    return {
      again: false,
      reason: `${failure.reason}, which asks to wait ${Math.round(failure.wait)} s`,
    };
  }
  const backoff = FIRST_WAIT * 2 ** (attempt - 1) * (0.75 + random / 2);
  return { again: true, seconds: Math.max(backoff, failure.wait ?? 0) };
}

/** Seconds in a `retry-after` header, which holds seconds or a date; undefined when it holds neither. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header.trim());
  // Every HTTP date names its day; without that look, "-5" would be read as a year.
  const date = /^[A-Za-z]{3}/.test(header.trim()) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date / 1000 - now);
}
