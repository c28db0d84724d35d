import { parseUtc } from "../text/utc.ts";

/** From here on a number is in milliseconds: as seconds it would be the year 5138. */
const MILLISECONDS = 1e11;

/**
 * Seconds from a service's time to a clock, such as `client.now`: `clock - time`. Negative for a time in the
 * future, which `age(…) < -60` shows. Both are a text that `parseUtc` reads (without a zone it is UTC), or epoch
 * seconds or milliseconds. Undefined if one of them is anything else, or 0, which many services send for "never":
 * report that with `client.incomplete`, since comparing it with a limit is always false.
 */
export function age(time: unknown, clock: unknown): number | undefined {
  const from = epochSeconds(time);
  const to = epochSeconds(clock);
  return from === undefined || to === undefined ? undefined : to - from;
}

function epochSeconds(time: unknown): number | undefined {
  if (typeof time !== "number") return parseUtc(time);
  if (!Number.isFinite(time) || time <= 0) return undefined;
  return time < MILLISECONDS ? time : time / 1000;
}
