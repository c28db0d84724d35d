import { utcMinute } from "../text/utc.ts";
import type { Outcome } from "./model.ts";

/** The requests of one tick to one source. */
export interface RequestCounts {
  /** Each request once, however often it was tried. */
  readonly requests: number;
  readonly succeeded: number;
  /** Why the last one that failed did. */
  readonly lastError: string | undefined;
}

/** What the engine stores about a source between ticks; a source that responds has no state. Times are epoch seconds. */
export type SourceState =
  | {
      readonly kind: "unreachable";
      readonly since: number;
      readonly cause: string;
      /** Whether a mail about it was delivered. */
      readonly notified: boolean;
    }
  /** It responds again, and the mail that says so is not sent yet. */
  | { readonly kind: "recovered"; readonly since: number; readonly until: number };

/** The state after a tick. A tick without a request to the source changes nothing. */
export function nextSourceState(
  state: SourceState | undefined,
  { requests, succeeded, lastError }: RequestCounts,
  now: number,
): SourceState | undefined {
  if (requests === 0) return state;
  if (succeeded > 0) {
    if (state?.kind !== "unreachable") return state;
    return state.notified
      ? { kind: "recovered", since: Math.min(state.since, now), until: now }
      : undefined;
  }
  const cause = lastError ?? "no response yet";
  // Operators who got the mail about the last outage, and none about its end, need no second one.
  if (state?.kind !== "unreachable")
    return { kind: "unreachable", since: now, cause, notified: state !== undefined };
  // A clock that was set back must not delay the mail.
  return { ...state, since: Math.min(state.since, now), cause };
}

/** The state once the mail was delivered. */
export function afterSourceNotice(state: SourceState | undefined): SourceState | undefined {
  return state?.kind === "unreachable" ? { ...state, notified: true } : undefined;
}

/** An unreachable source in one line, in place of one error for each alarm. */
export function renderUnreachable(
  source: string,
  { since, cause }: Extract<SourceState, { kind: "unreachable" }>,
  { requests, succeeded }: RequestCounts,
  alarms: readonly string[],
): string {
  const affected = alarms.length === 0 ? "" : `; affected alarms: ${alarms.join(", ")}`;
  return `source ${source} unreachable since ${utcMinute(since)}: every request failed (${requests - succeeded} of ${requests} in this tick; last: ${cause})${affected}`;
}

/** Whether unreachable sources explain all of an alarm's errors: then they need no line of their own. */
export function isCausedBySources(
  unreachable: readonly string[],
  errors: readonly string[],
  cause: Outcome["cause"],
): boolean {
  if (unreachable.length === 0) return false;
  return errors.every(
    (error) =>
      unreachable.some((source) => isRequestErrorOf(source, error)) ||
      /^and \d+ more reasons$/.test(error) ||
      (cause === "source" && error.startsWith("out of time: detect")),
  );
}

/** Whether a reason of an outcome is a failed request to this source. */
export function isRequestErrorOf(source: string, reason: string): boolean {
  return (
    reason.startsWith("GET ") && reason.split(": ", 1)[0]?.endsWith(` from ${source}`) === true
  );
}
