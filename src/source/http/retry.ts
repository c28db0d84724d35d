import type { FailedRequest } from "./request_result.ts";

/** Attempts at one request, unless it says otherwise. */
export const ATTEMPTS = { GET: 4, POST: 1 } as const;
/** Seconds that one request may wait between its attempts, in all. */
export const MAX_WAIT = 30;
const FIRST_WAIT = 0.5;
/** Ten attempts, the most that a request may ask for, then wait for at most MAX_WAIT in all. */
const LONGEST_BACKOFF = 3;

/**
 * Seconds until another attempt, or why there is none: after 0.5, 1, 2 and then every 3 s, or as the service asks. `random` in
 * [0, 1) spreads the waits of many engines; `waited` is how many seconds this request has waited so far, and `attempts`
 * how often it may be sent.
 */
export function decideRetry(
  attempt: number,
  { reason, retry, wait = 0 }: FailedRequest,
  random: number,
  waited: number,
  attempts: number = ATTEMPTS.GET,
): number | string {
  if (!retry) return reason;
  if (attempt >= attempts) return attempt === 1 ? reason : `${reason}, ${attempt} attempts`;
  if (wait > 0 && waited + wait > MAX_WAIT)
    return `${reason}; retry-after ${Math.round(wait)} s is too long`;
  const backoff = Math.min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_BACKOFF) * (0.75 + random / 2);
  return Math.max(backoff, wait);
}
