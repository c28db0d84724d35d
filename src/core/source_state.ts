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

/** What the engine stores between ticks about a source that is unreachable. */
export interface SourceState {
  /** Epoch seconds. */
  readonly since: number;
  /** Why the last request failed. */
  readonly cause: string;
}

/** The state after a tick; undefined if the source responds. A tick without a request to it changes nothing. */
export function nextSourceState(
  state: SourceState | undefined,
  { requests, succeeded, lastError }: RequestCounts,
  now: number,
): SourceState | undefined {
  if (requests === 0) return state;
  if (succeeded > 0) return undefined;
  // After the clock was set back, the outage must not begin in the future.
  return { since: Math.min(state?.since ?? now, now), cause: lastError ?? "no response yet" };
}

/** An unreachable source in one line, in place of one error for each alarm. */
export function renderUnreachable(
  source: string,
  { since, cause }: SourceState,
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

/** Names of the alarms whose requests to this source failed. */
export function affectedAlarms(
  source: string,
  alarms: readonly { readonly name: string; readonly errors: readonly string[] }[],
): readonly string[] {
  return alarms
    .filter(({ errors }) => errors.some((error) => isRequestErrorOf(source, error)))
    .map(({ name }) => name)
    .sort();
}

/** Whether a reason of an outcome is a failed request to this source. */
export function isRequestErrorOf(source: string, reason: string): boolean {
  return (
    /^(GET|POST) /.test(reason) && reason.split(": ", 1)[0]?.endsWith(` from ${source}`) === true
  );
}
