import type { History, Run, Scalar } from "./history.ts";

export interface LookFacts {
  /** Epoch seconds of this look. */
  readonly now: number;
  /** Seconds of history to keep. */
  readonly keep: number;
  /** Seconds after which a key that is not sampled any more is forgotten. */
  readonly forget: number;
  /** Whether a key could not be looked at now. */
  readonly unknown: (key: string) => boolean;
}

/** The history with one more look, without what is older than needed. */
export function look(
  history: History,
  samples: ReadonlyMap<string, Scalar>,
  { now, keep, forget, unknown }: LookFacts,
): History {
  const next = new Map<string, readonly Run[]>();
  for (const [key, runs] of history) {
    const value = samples.get(key);
    const last = runs.at(-1)?.last ?? now;
    if (value !== undefined) next.set(key, withValue(runs, value, now));
    else if (unknown(key) || now - last <= forget) next.set(key, runs);
  }
  for (const [key, value] of samples)
    if (!next.has(key)) next.set(key, [{ value, first: now, last: now }]);
  for (const [key, runs] of next) next.set(key, since(now - keep, runs));
  return next;
}

function withValue(runs: readonly Run[], value: Scalar, now: number): readonly Run[] {
  const current = runs.at(-1);
  if (current === undefined || current.value !== value)
    return [...runs, { value, first: now, last: now }];
  return [...runs.slice(0, -1), { ...current, last: now }];
}

/** What was seen at `start` or later. The latest run stays: it is what the key is compared with when it is seen again. */
function since(start: number, runs: readonly Run[]): readonly Run[] {
  return runs.filter(({ last }, place) => last >= start || place === runs.length - 1);
}

/**
 * The history as it was at `now`, for a clock that went back. What it saw later is left out rather than moved: changes of
 * hours would look like changes of this moment.
 */
export function until(now: number, history: History): History {
  const before = new Map<string, readonly Run[]>();
  for (const [key, runs] of history) {
    const seen = runs.filter(({ first }) => first <= now);
    const clipped = seen.map((run) => ({ ...run, last: Math.min(run.last, now) }));
    if (clipped.length > 0) before.set(key, clipped);
  }
  return before;
}
