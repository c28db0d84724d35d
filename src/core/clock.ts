import { duration, utcMinute } from "../text/utc.ts";

/** Seconds that the clocks of two hosts may differ. */
export const TOLERANCE = 300;

/** Whether a recorded time comes from a clock that was ahead. */
export function isAhead(time: number, now: number): boolean {
  return time > now + TOLERANCE;
}

const DAY = 86_400;
/** A larger step is no drift: the clock was set, or the machine was off. */
const MAX_STEP = 2 * DAY;

export interface ClockCheck {
  /** The last certain time: `now`, unless that is in doubt. */
  readonly certainAt: number;
  /** Why `now` is not certain: nothing may be removed or given up because of its age. */
  readonly doubt: string | undefined;
}

/**
 * Accepts the clock if it goes on from a certain time, or if all other clocks agree with it. `others` is what they
 * show, by name; undefined was not seen.
 */
export function checkClock(
  certainAt: number,
  others: ReadonlyMap<string, number | undefined>,
  now: number,
): ClockCheck {
  const seen = [...others].flatMap(([name, time]) => (time === undefined ? [] : [{ name, time }]));
  const agree = seen.length > 0 && seen.every(({ time }) => Math.abs(time - now) <= DAY);
  if (agree || Math.abs(now - certainAt) <= MAX_STEP) return { certainAt: now, doubt: undefined };
  const step = `${duration(Math.abs(now - certainAt))} ${now < certainAt ? "before" : "after"} the last certain time, ${utcMinute(certainAt)}`;
  const shown = seen.map(({ name, time }) => `${name} shows ${utcMinute(time)}`).join(", ");
  return {
    certainAt,
    doubt: `this host's clock shows ${utcMinute(now)}, ${certainAt === 0 ? "and had been set back" : step}; ${shown || "no other clock was seen"}. Until another clock agrees, no old row is removed and no mail is given up. If the clock is wrong, correct it; if it is right, run: bin/swf-alarms prune --yes --confirm-clock`,
  };
}
