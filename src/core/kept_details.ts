import { LISTED } from "./bundle.ts";
import type { ActiveEvents, AlarmRow } from "./model.ts";
import { isDue } from "./notice.ts";

export interface KeptFacts {
  readonly alarm: Pick<AlarmRow, "renotificationHours">;
  readonly active: ActiveEvents;
  /** Epoch seconds of the tick. */
  readonly now: number;
}

/**
 * Decides for each detection, in the order of their yields, whether its subject, body and data are needed: a
 * new event stores them, and the mail shows them of the first firing events that are due.
 */
export function decideDetails({ alarm, active, now }: KeptFacts): (dedupeKey: string) => boolean {
  let due = 0;
  return (dedupeKey) => {
    const event = active.get(dedupeKey);
    if (event === undefined) return true;
    if (due >= LISTED || !isDue(event, alarm.renotificationHours, now)) return false;
    due += 1;
    return true;
  };
}
