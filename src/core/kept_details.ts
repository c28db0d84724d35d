import { LISTED } from "./bundle.ts";
import { type Level, levelChange, NO_LEVEL } from "./level.ts";
import type { ActiveEvent, ActiveEvents, AlarmRow } from "./model.ts";
import { isDue } from "./notice.ts";

/**
 * Decides for each detection, in the order of their yields, whether its subject, body and data are needed: a
 * new event stores them, and notifications show them of the first firing events that are due or whose severity or
 * stage rises.
 */
export function decideDetails(
  active: ActiveEvents,
  channels: readonly string[],
  { renotify, severity }: Pick<AlarmRow, "renotify" | "severity">,
  stages: readonly string[],
  now: number,
): (dedupeKey: string, level: Level) => boolean {
  let due = 0;
  const rises = ({ level: before = NO_LEVEL, peak }: ActiveEvent, found: Level): boolean =>
    levelChange({ before, peak, found, severity, stages })?.news !== undefined;
  return (dedupeKey, level) => {
    const event = active.get(dedupeKey);
    if (event === undefined) return true;
    if (due >= LISTED || channels.length === 0) return false;
    const isNamed =
      rises(event, level) || channels.some((channel) => isDue(event, channel, renotify, now));
    if (!isNamed) return false;
    due += 1;
    return true;
  };
}
