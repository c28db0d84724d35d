import type { FailedRequest } from "./request_result.ts";

export const MAX_ATTEMPTS = 4;
/** Seconds that one request may wait between its attempts, in all. */
export const MAX_WAIT = 30;
const FIRST_WAIT = 0.5;

/**
 * Seconds until another attempt, or why there is none: after 0.5, 1 and 2 s, or as the service asks. `random` in
 * [0, 1) spreads the waits of many engines; `waited` is how many seconds this request has waited so far.
 */
export function decideRetry(
  attempt: number,
  { reason, retry, wait = 0 }: FailedRequest,
  random: number,
  waited: number,
): number | string {
  if (!retry) return reason;
  if (attempt >= MAX_ATTEMPTS) return `${reason}, ${attempt} attempts`;
  if (wait > 0 && waited + wait > MAX_WAIT)
    return `${reason}; retry-after ${Math.round(wait)} s is too long`;
  const backoff = FIRST_WAIT * 2 ** (attempt - 1) * (0.75 + random / 2);
  return Math.max(backoff, wait);
}

/** Seconds in a `retry-after` header, which holds seconds or a date; undefined when it holds neither. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d+$/.test(text)) return Number(text);
  const date = parseHttpDate(text);
  return date && Math.max(0, date - now);
}

/** An HTTP date as epoch seconds; undefined if it is not one. */
export function parseHttpDate(text: string): number | undefined {
  // It begins with a weekday; Date.parse would read "-5" as a year.
  const date = /^[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : date / 1000;
}
