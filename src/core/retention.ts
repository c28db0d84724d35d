/** Days that rows are kept; undefined keeps them forever. */
export interface Retention {
  /** Skipped ticks go with the runs. */
  readonly engineRunsDays: number | undefined;
  /** Counted from an event's clear time. */
  readonly clearedEventsDays: number | undefined;
  readonly notificationsDays: number | undefined;
}

/** Kinds of rows that are removed, as messages name them. */
export type PrunedKind = "engine runs" | "skipped ticks" | "cleared events" | "notifications";

/** Numbers of removed rows; kinds of which none was removed may be absent. */
export type Removed = ReadonlyMap<PrunedKind, number>;

const DAY = 86_400;

/**
 * The time before which rows of each kind are removed, in epoch seconds; kinds that are kept forever are
 * left out. The limit moves at midnight UTC, so that most ticks find nothing to remove.
 */
export function pruneLimits(
  { engineRunsDays, clearedEventsDays, notificationsDays }: Retention,
  now: number,
): readonly (readonly [PrunedKind, number])[] {
  const days: readonly (readonly [PrunedKind, number | undefined])[] = [
    ["engine runs", engineRunsDays],
    ["skipped ticks", engineRunsDays],
    ["cleared events", clearedEventsDays],
    ["notifications", notificationsDays],
  ];
  const today = Math.floor(now / DAY) * DAY;
  return days.flatMap(([kind, kept]) =>
    kept === undefined ? [] : [[kind, today - kept * DAY] as const],
  );
}

/** `288 engine runs, 1 notification`; empty if nothing was removed. */
export function renderRemoved(removed: Removed): string {
  return [...removed]
    .filter(([, rows]) => rows > 0)
    .map(([kind, rows]) => `${rows} ${rows === 1 ? kind.replace(/s$/, "") : kind}`)
    .join(", ");
}
