import { LISTED } from "./bundle.ts";
import type { ActiveEvents } from "./model.ts";
import { isDue } from "./notice.ts";

/**
 * Decides for each detection, in the order of their yields, whether its subject, body and data are needed: a
 * new event stores them, and the mail shows them of the first firing events that are due.
 */
export function decideDetails(
  active: ActiveEvents,
  renotificationHours: number,
  now: number,
): (dedupeKey: string) => boolean {
  let due = 0;
  return (dedupeKey) => {
    const event = active.get(dedupeKey);
    if (event === undefined) return true;
    if (due >= LISTED || !isDue(event, renotificationHours, now)) return false;
    due += 1;
    return true;
  };
}
