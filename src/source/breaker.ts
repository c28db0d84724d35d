/** How the questions to one source have ended in this tick. */
export interface Tally {
  /** Questions that were put to the service and came to an end; each once, however many ask it. */
  asked: number;
  /** Those that gave a usable answer; a 404 is one for those to whom it is an answer. */
  answered: number;
  /** Why the last one that failed did; without secrets. */
  lastFailure: string | undefined;
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
export interface Streak {
  readonly failures: number;
  readonly last: string;
}

export const NO_FAILURES: Streak = { failures: 0, last: "" };

/** Two rounds of what is asked at the same time: enough to tell an outage from a hiccup. */
export const MAX_STREAK = 8;

/** The streak after one more question; `blame` is undefined when it was answered. */
export function nextStreak(streak: Streak, blame: Blame | undefined, reason = ""): Streak {
  if (blame === "tick") return streak;
  return blame === "service" ? { failures: streak.failures + 1, last: reason } : NO_FAILURES;
}

/**
 * Why a question is not even put to the service; undefined when it is. Without this, every alarm would
 * wait for the retries of a dead service, and together they would eat the time of the tick.
 */
export function reasonNotToAsk(source: string, { failures, last }: Streak): string | undefined {
  return failures < MAX_STREAK
    ? undefined
    : `not asked: ${source} has failed ${failures} times in a row in this tick, last: ${last}`;
}
