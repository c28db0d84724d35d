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
 * Says of each detection, in the order in which they come, whether more of it than its key is needed:
 * a new event is stored whole; of those that are firing already, mails and terminals show a few.
 */
export function decideDetails({ alarm, active, now }: KeptFacts): (dedupeKey: string) => boolean {
  let firing = 0;
  let due = 0;
  return (dedupeKey) => {
    const event = active.get(dedupeKey);
    if (event === undefined) return true;
    firing += 1;
    if (firing <= LISTED) return true;
    if (due >= LISTED || !isDue(event, alarm.renotificationHours, now)) return false;
    due += 1;
    return true;
  };
}
