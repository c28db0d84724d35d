import { LISTED } from "./bundle.ts";
import type { ActiveEvents } from "./model.ts";
import { isDue } from "./notice.ts";

/**
 * Decides for each detection, in the order of their yields, whether its subject, body and data are needed: a
 * new event stores them, and notifications show them of the first firing events that are due.
 */
export function decideDetails(
  active: ActiveEvents,
  channels: readonly string[],
  renotificationHours: number,
  now: number,
): (dedupeKey: string) => boolean {
  let due = 0;
  return (dedupeKey) => {
    const event = active.get(dedupeKey);
    if (event === undefined) return true;
    const isNamed = channels.some((channel) => isDue(event, channel, renotificationHours, now));
    if (due >= LISTED || !isNamed) return false;
    due += 1;
    return true;
  };
}
