import { utcMinute } from "../text/utc.ts";
import type { AlarmRow } from "./model.ts";
import { type AlarmState, nextTry } from "./quarantine.ts";
import type { SourceState } from "./source_state.ts";

/** A mail about the engine itself and not about events, as facts; `message/` renders it. */
export interface Announcement {
  readonly about: "quarantine" | "recovery" | "source unreachable" | "source recovery";
  /** The alarm's `entry_id`, or `engine`. */
  readonly of: string;
  /** When what it announces began, in epoch seconds; with `about` and the name it identifies it. */
  readonly since: number;
  readonly subject: string;
  readonly paragraphs: readonly string[];
}

type Named = Pick<AlarmRow, "entryId" | "name" | "title">;

/** The mail to the alarm's recipients that its state calls for; undefined if none is due. */
export function quarantineNotice(
  { entryId, name, title }: Named,
  state: AlarmState | undefined,
): Announcement | undefined {
  if (state?.quarantine !== undefined) {
    const { failures, cause, quarantine } = state;
    if (quarantine.notified) return undefined;
    return {
      about: "quarantine",
      of: entryId,
      since: quarantine.since,
      subject: `[${entryId}] quarantined: it failed ${failures} times in a row`,
      paragraphs: [
        `The alarm "${title}" (${name}) has failed ${failures} times in a row because of its own errors. It has been quarantined since ${utcMinute(quarantine.since)}.`,
        `Last error: ${cause}`,
        "While it does not run, its events neither open nor clear.",
        `The engine tries it again at growing intervals of at most six hours: ${nextTry(quarantine)}. It is tried at once when its module file or its row changes, or with: bin/swf-alarms run --alarm ${name}`,
        "You will get one more mail when it runs again.",
      ],
    };
  }
  if (state?.recovery === undefined) return undefined;
  const { since, until, notified } = state.recovery;
  return {
    about: "recovery",
    of: entryId,
    since: until,
    subject: `[${entryId}] recovered: it runs again`,
    paragraphs: [
      `The alarm "${title}" (${name}) runs in every tick again since ${utcMinute(until)}.`,
      `It was quarantined from ${utcMinute(since)} to ${utcMinute(until)}, because it kept failing by its own errors. Last error: ${state.cause}`,
      ...(notified
        ? []
        : ["The mail about the quarantine could not be delivered; this is the only one."]),
    ],
  };
}

export interface SourceNoticeFacts {
  readonly state: SourceState | undefined;
  /** Whether this tick sent it a request: otherwise it is not known that it is still unreachable. */
  readonly requested: boolean;
  /** Names of the alarms whose requests failed. */
  readonly alarms: readonly string[];
  readonly now: number;
  /** Seconds that a source must be unreachable before the operators are mailed. */
  readonly after: number;
}

/** The mail to the operators that a source's state calls for; undefined if none is due. */
export function sourceNotice(source: string, facts: SourceNoticeFacts): Announcement | undefined {
  const { state, requested, alarms, now, after } = facts;
  if (state?.kind === "recovered")
    return {
      about: "source recovery",
      of: "engine",
      since: state.until,
      subject: `[swf-alarms] source ${source} responds again`,
      paragraphs: [
        `The source ${source} responds again since ${utcMinute(Math.min(state.until, now))}. It was unreachable since ${utcMinute(Math.min(state.since, now))}.`,
      ],
    };
  if (state === undefined || state.notified || !requested || now - state.since < after)
    return undefined;
  return {
    about: "source unreachable",
    of: "engine",
    since: state.since,
    subject: `[swf-alarms] source ${source} unreachable since ${utcMinute(state.since)}`,
    paragraphs: [
      `Every request to the source ${source} has failed since ${utcMinute(state.since)}.`,
      `Last error: ${state.cause}`,
      "The alarms that need it cannot see anything. Until it responds, their events do not clear.",
      ...(alarms.length === 0 ? [] : [`Affected alarms: ${alarms.join(", ")}`]),
      "You will get one more mail when it responds again.",
    ],
  };
}
