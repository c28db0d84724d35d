/** What is left of the runs of a day. */
export interface DayCounts {
  readonly ticks: number;
  /** Ticks that never finished. */
  readonly crashed: number;
  /** Ticks that did nothing because another was at work. */
  readonly skipped: number;
  readonly errors: number;
  /** Mails. */
  readonly notificationsSent: number;
  /** By the alarm's `entry_id`. */
  readonly alarms: ReadonlyMap<string, AlarmDay>;
}

/** What is left of an alarm's part in them. */
export interface AlarmDay {
  /** Ticks that it took part in. */
  readonly ticks: number;
  /** Ticks in which it failed. */
  readonly errors: number;
  /** Events. */
  readonly opened: number;
  readonly cleared: number;
  readonly seenMost: number;
  readonly seenLast: number;
  /** Its last tick, in epoch seconds. */
  readonly lastAt: number;
}

/** Two parts of a day as one, in whichever order they come. */
export function mergeDays(a: DayCounts, b: DayCounts): DayCounts {
  const alarms = new Map(a.alarms);
  for (const [entryId, day] of b.alarms) {
    const known = alarms.get(entryId);
    alarms.set(entryId, known === undefined ? day : mergeAlarms(known, day));
  }
  return {
    ticks: a.ticks + b.ticks,
    crashed: a.crashed + b.crashed,
    skipped: a.skipped + b.skipped,
    errors: a.errors + b.errors,
    notificationsSent: a.notificationsSent + b.notificationsSent,
    alarms,
  };
}

function mergeAlarms(a: AlarmDay, b: AlarmDay): AlarmDay {
  const last = a.lastAt > b.lastAt || (a.lastAt === b.lastAt && a.seenLast > b.seenLast) ? a : b;
  return {
    ticks: a.ticks + b.ticks,
    errors: a.errors + b.errors,
    opened: a.opened + b.opened,
    cleared: a.cleared + b.cleared,
    seenMost: Math.max(a.seenMost, b.seenMost),
    seenLast: last.seenLast,
    lastAt: last.lastAt,
  };
}
