import type { BundleItem, Notice } from "./notice.ts";

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

/** A last attempt far in the future was made while the clock was wrong. */
export function isPaused(attempts: UnknownAttempts | undefined, now: number): boolean {
  return attempts !== undefined && Math.abs(now - attempts.last) < repeatPause(attempts.count);
}

/** The notice without what earlier mails may have named already, until its pause is over. */
export function pauseRepeats(
  notice: Notice,
  attempts: ReadonlyMap<string, UnknownAttempts>,
  now: number,
): Notice {
  const isDue = ({ eventId }: BundleItem): boolean => !isPaused(attempts.get(eventId), now);
  const continuing = notice.continuing.filter(isDue);
  const cleared = notice.cleared.filter(isDue);
  const left = continuing.length + cleared.length;
  const paused = notice.continuing.length + notice.cleared.length - left;
  return {
    ...notice,
    ...(notice.fresh.length + left === 0 ? { send: false, reason: "nothing to mail" } : {}),
    continuing,
    cleared,
    omitted: { ...notice.omitted, "may have been mailed": paused },
  };
}
