/** How often an event that keeps firing is notified again. */
export interface RenotifyRule {
  /** Hours until the first reminder; 0 means none. */
  readonly hours: number;
  /** Each further wait is so many times as long. */
  readonly growth: number;
  /** The longest wait; undefined without a limit. */
  readonly maxHours: number | undefined;
  /** Reminders after which there are no more; undefined without a limit. */
  readonly count: number | undefined;
}

export interface Reminder {
  /** Epoch seconds. */
  readonly due: number;
  /** Counted from 1. */
  readonly number: number;
  /** No other follows. */
  readonly isFinal: boolean;
}

/** The reminder that follows `sent` others, the last of them (or the notification, or the end of an acknowledgement) at `since`. */
export function nextReminder(
  { hours, growth, maxHours, count }: RenotifyRule,
  { since, sent }: { readonly since: number; readonly sent: number },
): Reminder | undefined {
  if (hours <= 0 || (count !== undefined && sent >= count)) return undefined;
  const wait = Math.min(hours * growth ** sent, maxHours ?? Number.POSITIVE_INFINITY);
  // A wait beyond all times is none.
  const due = since + Math.min(wait * 3600, 1e10);
  return { due, number: sent + 1, isFinal: count !== undefined && sent + 1 >= count };
}

/** Cron starts ticks in whole minutes, and what they need to start differs. */
export function isReminderDue({ due }: Reminder, now: number): boolean {
  return Math.floor(now / 60) >= Math.floor(due / 60);
}
