/** Attempts, since the last confirmed one, whose results are unknown: each may have been delivered. */
export interface UnknownAttempts {
  readonly count: number;
  /** Epoch seconds of the last one. */
  readonly last: number;
}

export const MAY_BE_DUPLICATE = "may be a duplicate: an earlier mail may have been sent";

/** Seconds. The first repeat does not wait: nothing may be lost. */
const FIRST_PAUSE = 300;
const MAX_PAUSE = 6 * 3600;

/** Seconds between the last of so many unknown attempts and the next one. */
export function repeatPause(count: number): number {
  return count < 2 ? 0 : Math.min(FIRST_PAUSE * 2 ** (count - 2), MAX_PAUSE);
}
