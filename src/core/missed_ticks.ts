/** Intervals that show the schedule. */
const SHOWN = 12;
const MIN_SHOWN = 6;
/** Seconds; cron starts a tick once a minute at most. */
const MIN_INTERVAL = 55;
/** Deviation from the usual interval that a regular schedule has, as a share of it. */
const TOLERANCE = 0.2;
const REGULAR_SHARE = 0.75;
/** A longer gap, in usual intervals, means that ticks were missed. */
const MAX_GAP = 2.5;

export interface Missed {
  /** Start of the last tick before the gap, in epoch seconds. */
  readonly since: number;
  readonly ticks: number;
}

/**
 * The ticks that the schedule lacks since the last one. `starts` are those of earlier ticks, of skipped ones too. Without
 * a regular schedule nothing is missed.
 */
export function missedTicks(starts: readonly number[], now: number): Missed | undefined {
  const newest = starts.filter((start) => start <= now).toSorted((a, b) => b - a);
  const [since, ...earlier] = newest.slice(0, SHOWN + 1);
  if (since === undefined || earlier.length < MIN_SHOWN) return undefined;
  const intervals = earlier.map((start, index) => (newest[index] ?? start) - start);
  const usual = intervals.toSorted((a, b) => a - b)[Math.floor(intervals.length / 2)] ?? 0;
  const regular = intervals.filter((each) => Math.abs(each - usual) <= TOLERANCE * usual);
  if (usual < MIN_INTERVAL || regular.length < REGULAR_SHARE * intervals.length) return undefined;
  const gap = now - since;
  return gap > MAX_GAP * usual ? { since, ticks: Math.round(gap / usual) - 1 } : undefined;
}
