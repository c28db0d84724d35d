import type { ListedItem } from "../core/bundle.ts";
import type { ItemReason } from "../core/notice.ts";
import { headerText } from "../text/escape.ts";
import { rfc3339, timeBetween, utcMinute } from "../text/utc.ts";

/** Reasons that make an event news again. */
export const LEVEL_NEWS: readonly ItemReason[] = ["severity rose", "stage advanced"];
const FINAL = "FINAL reminder: no more will follow unless something changes";

/** The severity as the beginning of a title, in capitals; empty without one, and where it is over. */
export function severityMark({ severity, clearTime }: ListedItem): string {
  return severity === undefined || clearTime !== undefined ? "" : `${severity.toUpperCase()}:`;
}

/** The subject on one line, after the severity. */
export function itemTitle(item: ListedItem): string {
  return headerText(`${severityMark(item)} ${headerText(item.subject)}`);
}

/** What is said of an event beside its title, not escaped; `at` shows a time. */
export function itemParts(item: ListedItem, at: (time: number) => string): readonly string[] {
  const { reason, stage, reminder, changes = [], fireTime, firstSeen, severity, clearTime } = item;
  const facts: string[] = [];
  if (LEVEL_NEWS.includes(reason)) facts.push(reason);
  if (reminder !== undefined) facts.push(reminder.isFinal ? FINAL : `reminder ${reminder.number}`);
  if (severity !== undefined && clearTime !== undefined) facts.push(`severity ${severity}`);
  const isSaid = changes.some((change) => change.endsWith(`, ${stage} now`));
  if (stage !== undefined && !isSaid) facts.push(`stage ${stage}`);
  facts.push(...changes);
  const isLate = firstSeen !== undefined && firstSeen !== fireTime;
  const seen = isLate ? [`first seen ${at(firstSeen)}`] : [];
  const isKnown = reason !== "new" && reason !== "unsent" && clearTime === undefined;
  // A reminder without any of these facts says no more than the event's title.
  const hasFacts = severity !== undefined || facts.length + seen.length > 0;
  const since = isKnown && hasFacts ? [`firing since ${at(fireTime)}`] : [];
  return [...facts, ...since, ...seen];
}

/** When an event began and ended, and why it ended; undefined while it fires. Not escaped. */
export function clearedText(item: ListedItem): string | undefined {
  const { fireTime, clearTime, clearReason } = item;
  if (clearTime === undefined) return undefined;
  const lasted = timeBetween(fireTime, clearTime);
  const after = lasted === undefined ? "" : ` after ${lasted}`;
  const why = clearReason === undefined ? "" : `: ${clearReason}`;
  return `fired ${utcMinute(fireTime)}, cleared ${utcMinute(clearTime)}${after}${why}`;
}

/** The facts that only some events have, for other programs. */
export function optionalFacts(item: ListedItem, line: (text: string) => string) {
  const { severity, stage, firstSeen, changes, clearReason, reminder } = item;
  return {
    ...(severity !== undefined && { severity }),
    ...(stage !== undefined && { stage: line(stage) }),
    ...(firstSeen !== undefined && { first_seen: rfc3339(firstSeen) }),
    ...(changes !== undefined && { changes: changes.map(line) }),
    ...(clearReason !== undefined && { clear_reason: line(clearReason) }),
    ...(reminder && { reminder: { number: reminder.number, final: reminder.isFinal } }),
  };
}
