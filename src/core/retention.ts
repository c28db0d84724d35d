/** Days that rows are kept; undefined keeps them forever. */
export interface Retention {
  /** Skipped ticks go with the runs. */
  readonly engineRunsDays: number | undefined;
  /** Counted from an event's clear time. What deleted alarms remember goes with the events, counted from the last tick. */
  readonly clearedEventsDays: number | undefined;
  readonly notificationsDays: number | undefined;
}

/** Kinds of rows that are removed, as messages name them. */
export type PrunedKind =
  | "engine runs"
  | "skipped ticks"
  | "cleared events"
  | "notifications"
  | "memory rows";

/** Numbers of removed rows; kinds of which none was removed may be absent. */
export type Removed = ReadonlyMap<PrunedKind, number>;

const DAY = 86_400;

/**
 * The time before which rows of each kind are removed, in epoch seconds; null keeps them forever. The limit
 * moves at midnight UTC, so that most ticks find nothing to remove.
 */
export function pruneLimits(
  { engineRunsDays, clearedEventsDays, notificationsDays }: Retention,
  now: number,
): readonly (readonly [PrunedKind, number | null])[] {
  const today = Math.floor(now / DAY) * DAY;
  const limit = (days: number | undefined): number | null =>
    days === undefined ? null : today - days * DAY;
  return [
    ["engine runs", limit(engineRunsDays)],
    ["skipped ticks", limit(engineRunsDays)],
    ["cleared events", limit(clearedEventsDays)],
    ["notifications", limit(notificationsDays)],
    ["memory rows", limit(clearedEventsDays)],
  ];
}

/** `288 engine runs, 1 notification`; empty if nothing was removed. */
export function renderRemoved(removed: Removed): string {
  return [...removed]
    .filter(([, rows]) => rows > 0)
    .map(([kind, rows]) => `${rows} ${rows === 1 ? kind.replace(/s$/, "") : kind}`)
    .join(", ");
}
