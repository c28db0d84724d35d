import { showName } from "../../text/describe.ts";
import type { LastLine, SpoolFolder } from "./look_at_folder.ts";

/** Feeders that a message names. */
const NAMED = 3;
/** Seconds that a line may be later than now: a tick may look at the folder minutes after it began. */
const MAX_AHEAD = 600;

export interface LifeFacts {
  readonly folder: string;
  /** Seconds. */
  readonly silentAfter: number;
  /** Epoch seconds. */
  readonly now: number;
}

/** What says that events may be missing: faults of reading, no line at all, or a feeder without a recent one. */
export function signsOfDeath(
  { lastLines, faults }: Omit<SpoolFolder, "files">,
  { folder, silentAfter, now }: LifeFacts,
): readonly string[] {
  if (lastLines.length === 0 && faults.length === 0)
    return [
      `${folder} has no line of a feeder; start one, such as swf-alarms listen --spool ${folder}`,
    ];
  const silent = [...newest(lastLines, now + MAX_AHEAD)]
    .filter(([, at]) => now - at > silentAfter || at > now + MAX_AHEAD)
    .toSorted(([, a], [, b]) => b - a)
    .map(([feeder, at]) => {
      const age = Math.round(now - at);
      return `${feeder} (${age < 0 ? `only one from ${-age} s ahead` : `for ${age} s`})`;
    });
  if (silent.length === 0) return faults;
  const more = silent.length > NAMED ? ` and ${silent.length - NAMED} more` : "";
  return [
    ...faults,
    `no line from ${silent.slice(0, NAMED).join(", ")}${more}, with silent_after = ${silentAfter}; see whether it runs with the right time, or delete its files from ${folder} if it is gone for good`,
  ];
}

/**
 * When each feeder had its last line up to `end`; a later one counts only if there is no other. Such a line says nothing
 * of now: a clock that was ahead may have written it, and would hide for as long that the feeder has died.
 */
function newest(lastLines: readonly LastLine[], end: number): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const { identifier, pool, at } of lastLines.toSorted((a, b) => a.at - b.at)) {
    // Another listener of the same supervisord gets other events.
    const feeder = `the listener ${showName(pool)} of ${showName(identifier)}`;
    if (at <= end || !times.has(feeder)) times.set(feeder, at);
  }
  return times;
}
