import { utcMinute } from "../text/utc.ts";
import type { AlarmRow } from "./model.ts";
import { type AlarmState, nextTry, type Quarantine, type Recovery } from "./quarantine.ts";
import type { SourceState } from "./source_state.ts";

/** A mail about the engine itself and not about events, as facts; `message/` renders it. */
export interface Announcement {
  readonly about: "quarantine" | "recovery" | "source trouble" | "source recovery";
  /** Whom it concerns: an alarm's `entry_id`, or `engine`. */
  readonly of: string;
  readonly subject: string;
  readonly paragraphs: readonly string[];
}

type Named = Pick<AlarmRow, "entryId" | "name" | "title">;

/** To the alarm's owners: it is left out of most ticks. */
export function announceQuarantine(
  alarm: Named,
  { failures, cause }: AlarmState,
  quarantine: Quarantine,
): Announcement {
  return {
    about: "quarantine",
    of: alarm.entryId,
    subject: `[${alarm.entryId}] quarantined: it failed ${failures} times in a row`,
    paragraphs: [
      `The alarm "${alarm.title}" (${alarm.entryId}) has failed ${failures} times in a row by its own fault, and is quarantined since ${utcMinute(quarantine.since)}.`,
      `The last failure: ${cause}`,
      "While it is not run, none of its events opens or clears.",
      `It is tried again and again, at growing distances of at most six hours: ${nextTry(quarantine)}. It is tried at once when its module file or its row changes, or with: bin/swf-alarms run --alarm ${alarm.name}`,
      "One more mail will say that it runs again.",
    ],
  };
}

/** To the alarm's owners: it takes part in every tick again. */
export function announceRecovery(
  alarm: Named,
  { cause }: AlarmState,
  { since, until, notified }: Recovery,
): Announcement {
  const late = notified
    ? []
    : ["The mail that should have said so then could not be delivered; this is the only one."];
  return {
    about: "recovery",
    of: alarm.entryId,
    subject: `[${alarm.entryId}] recovered: it runs again`,
    paragraphs: [
      `The alarm "${alarm.title}" (${alarm.entryId}) runs again since ${utcMinute(until)}, in every tick.`,
      `It was quarantined from ${utcMinute(since)} to ${utcMinute(until)}, because it kept failing by its own fault. The last failure: ${cause}`,
      ...late,
    ],
  };
}

/** To the operators: a source does not answer. */
export function announceTrouble(
  source: string,
  { since, cause }: Extract<SourceState, { kind: "trouble" }>,
  alarms: readonly string[],
): Announcement {
  return {
    about: "source trouble",
    of: "engine",
    subject: `[swf-alarms] source ${source} unreachable since ${utcMinute(since)}`,
    paragraphs: [
      `Every request to the source ${source} has failed since ${utcMinute(since)}.`,
      `The last reason: ${cause}`,
      "The alarms that ask it cannot look. Until it answers, none of their events clears.",
      ...(alarms.length === 0 ? [] : [`They are: ${alarms.join(", ")}`]),
      "One more mail will say that it answers again.",
    ],
  };
}

/** To the operators: it answers again. */
export function announceAnswers(
  source: string,
  { since, until }: Extract<SourceState, { kind: "recovered" }>,
): Announcement {
  return {
    about: "source recovery",
    of: "engine",
    subject: `[swf-alarms] source ${source} answers again`,
    paragraphs: [
      `The source ${source} answers again since ${utcMinute(until)}. It was unreachable from ${utcMinute(since)} on.`,
    ],
  };
}
