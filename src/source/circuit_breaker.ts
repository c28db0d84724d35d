/** How the questions to one source have ended in this tick. */
export interface RequestCounts {
  /** Questions that were put to the service and came to an end; each once, however many ask it. */
  requests: number;
  /** Those that gave a usable answer; a 404 is one for those to whom it is an answer. */
  succeeded: number;
  /** Why the last one that failed did; without secrets. */
  lastError: string | undefined;
}

/** What a question that failed says about the service. */
export type Blame =
  /** It is not there or not well, whatever it is asked: connection, DNS, TLS, time, 429, 5xx. */
  | "service"
  /** It is there, and this answer is no use. */
  | "answer"
  /** Nothing: the tick ended first. */
  | "tick";

/** The failures since the service last showed that it is well. */
export interface ConsecutiveErrors {
  readonly count: number;
  readonly last: string;
}

export const NO_ERRORS: ConsecutiveErrors = { count: 0, last: "" };

/** Two rounds of what is asked at the same time: enough to tell an outage from a hiccup. */
export const OPEN_AFTER = 8;

/** The streak after one more question; `blame` is undefined when it was answered. */
export function countErrors(
  streak: ConsecutiveErrors,
  blame: Blame | undefined,
  reason = "",
): ConsecutiveErrors {
  if (blame === "tick") return streak;
  return blame === "service" ? { count: streak.count + 1, last: reason } : NO_ERRORS;
}

/**
 * Why a question is not even put to the service; undefined when it is. Without this, every alarm would
 * wait for the retries of a dead service, and together they would eat the time of the tick.
 */
export function openCircuit(
  source: string,
  { count: failures, last }: ConsecutiveErrors,
): string | undefined {
  return failures < OPEN_AFTER
    ? undefined
    : `not asked: ${source} has failed ${failures} times in a row in this tick, last: ${last}`;
}
