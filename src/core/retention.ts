/** Days that rows are kept in full; undefined keeps them for ever. */
export interface Retention {
  /** After them one row a day stands for the runs. Skipped ticks go with the runs. */
  readonly engineRunsDays: number | undefined;
  /** From an event's clear time. */
  readonly clearedEventsDays: number | undefined;
  readonly notificationsDays: number | undefined;
}

/** What has an end. */
export type Swept = "engine_runs" | "cleared_events" | "notifications";

/** Work to do: the rows of one kind that are older than `before`. Epoch seconds, as are all times here. */
export interface Sweep {
  readonly kind: Swept;
  /** What was made before this moment has been looked at. */
  readonly from: number;
  /** A UTC midnight. */
  readonly before: number;
}

/** How far a sweep came. */
export interface Progress {
  /** That of the sweep. */
  readonly before: number;
  readonly reached: number;
  /** When it failed; undefined where its last step was done. */
  readonly failedAt: number | undefined;
}

/** What the engine remembers of retention from tick to tick. */
export type RetentionMemory = { readonly [kind in Swept]?: Progress };

/** Seconds. */
export const DAY = 86_400;

/** The UTC midnight at which the day of a moment began. */
export function dayOf(epochSeconds: number): number {
  return Math.floor(epochSeconds / DAY) * DAY;
}

/** All that is due, from the oldest row on. Whole days only: the limit moves at midnight, so a sweep a day does. */
export function allSweeps(retention: Retention, now: number): readonly Sweep[] {
  const limits: readonly (readonly [Swept, number | undefined])[] = [
    ["engine_runs", retention.engineRunsDays],
    ["cleared_events", retention.clearedEventsDays],
    ["notifications", retention.notificationsDays],
  ];
  return limits.flatMap(([kind, days]) =>
    days === undefined ? [] : [{ kind, from: 0, before: dayOf(now) - days * DAY }],
  );
}

/**
 * What a tick has to do. A kind that failed is tried again on the next day: nothing is lost by waiting, and
 * the same error every five minutes is read by nobody.
 */
export function dueSweeps(
  retention: Retention,
  memory: RetentionMemory,
  now: number,
): readonly Sweep[] {
  return allSweeps(retention, now).flatMap((sweep) => {
    const last = memory[sweep.kind];
    if (last === undefined) return [sweep];
    if (last.reached >= sweep.before) return [];
    if (last.failedAt !== undefined && dayOf(last.failedAt) === dayOf(now)) return [];
    return [last.before === sweep.before ? { ...sweep, from: last.reached } : sweep];
  });
}

/** The memory after a step of a sweep, or after one that failed. */
export function rememberSweep(
  memory: RetentionMemory,
  { kind, before }: Sweep,
  reached: number,
  failedAt?: number,
): RetentionMemory {
  return { ...memory, [kind]: { before, reached, failedAt } };
}

/**
 * The midnight before which runs become one row a day. `shownFrom` is the first of the runs that dashboards
 * show, undefined while there are not even so many: those stay, with their whole day.
 */
export function foldBefore(before: number, shownFrom: number | undefined): number {
  return shownFrom === undefined ? 0 : Math.min(before, dayOf(shownFrom));
}

export interface RunDays {
  /** When the oldest run or skipped tick of the sweep was made; undefined where there is none. */
  readonly oldest: number | undefined;
  readonly before: number;
  readonly shownFrom: number | undefined;
}

/** The day whose runs become one row next; undefined where none is left. */
export function dayToFold({ oldest, before, shownFrom }: RunDays): number | undefined {
  if (oldest === undefined || oldest >= foldBefore(before, shownFrom)) return undefined;
  return dayOf(oldest);
}
