import { showName } from "../../text/describe.ts";
import type { SpoolFolder } from "./look_at_folder.ts";

/** Services that a message names. */
const NAMED = 3;

export interface LifeFacts {
  readonly folder: string;
  /** Seconds. */
  readonly silentAfter: number;
  /** Epoch seconds. */
  readonly now: number;
}

/** What says that events may be missing: faults of reading, no line at all, or a service without a recent one. */
export function signsOfDeath(
  { lastLines, faults }: Omit<SpoolFolder, "files">,
  { folder, silentAfter, now }: LifeFacts,
): readonly string[] {
  if (lastLines.size === 0 && faults.length === 0)
    return [
      `${folder} has no line of a feeder; start one, such as swf-alarms listen --spool ${folder}`,
    ];
  const silent = [...lastLines]
    .filter(([, at]) => now - at > silentAfter)
    .toSorted(([, a], [, b]) => b - a)
    .map(([identifier, at]) => `${showName(identifier)} (for ${Math.round(now - at)} s)`);
  if (silent.length === 0) return faults;
  const more = silent.length > NAMED ? ` and ${silent.length - NAMED} more` : "";
  return [
    ...faults,
    `no line from ${silent.slice(0, NAMED).join(", ")}${more}, with silent_after = ${silentAfter}; see whether its feeder runs, or delete its files from ${folder} if it is gone for good`,
  ];
}
