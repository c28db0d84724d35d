import { utcMinute } from "../text/utc.ts";
import type { Outcome } from "./model.ts";

/** What a source was asked in one tick. */
export interface RequestCounts {
  /** Questions, each counted once however often it was tried. */
  readonly requests: number;
  /** Usable answers. */
  readonly succeeded: number;
  /** The last reason for a failure, redacted. */
  readonly lastError: string | undefined;
}

/** What the engine remembers of a source from tick to tick; one that answers has no memory. */
export type SourceState =
  | {
      readonly kind: "trouble";
      /** Epoch seconds, as are all times here. */
      readonly since: number;
      /** The last reason for a failure. */
      readonly cause: string;
      /** Whether a mail about it was delivered. */
      readonly notified: boolean;
    }
  /** It answers again, and the mail that says so is owed. */
  | { readonly kind: "recovered"; readonly since: number; readonly until: number };

/** What to remember of a source after a tick. A tick that asked nothing knows nothing new. */
export function nextSourceState(
  memory: SourceState | undefined,
  tally: RequestCounts,
  now: number,
): SourceState | undefined {
  if (tally.requests === 0) return memory;
  if (tally.succeeded > 0) {
    if (memory?.kind !== "trouble") return memory;
    return memory.notified ? { kind: "recovered", since: memory.since, until: now } : undefined;
  }
  const cause = tally.lastError ?? "no answer yet";
  if (memory?.kind !== "trouble") {
    // Who was told of the trouble before and not of its end believes in it still.
    return { kind: "trouble", since: now, cause, notified: memory !== undefined };
  }
  // A clock that went backwards must not put the mail off.
  return { ...memory, since: Math.min(memory.since, now), cause };
}

export type SourceNotice = "source trouble" | "source recovery";

/**
 * The mail that the operators are owed; `after` is how long trouble must last, in seconds. A tick that
 * asked nothing cannot say that it lasts.
 */
export function unsentNotice(
  memory: SourceState | undefined,
  asked: boolean,
  now: number,
  after: number,
): SourceNotice | undefined {
  if (memory === undefined) return undefined;
  if (memory.kind === "recovered") return "source recovery";
  const lasts = asked && now - memory.since >= after;
  return lasts && !memory.notified ? "source trouble" : undefined;
}

/** The memory once the owed mail was delivered. */
export function afterSourceNotice(memory: SourceState | undefined): SourceState | undefined {
  return memory?.kind === "trouble" ? { ...memory, notified: true } : undefined;
}

/** An unreachable source in one line, in place of one error for each alarm. */
export function renderUnreachable(
  source: string,
  memory: Extract<SourceState, { kind: "trouble" }>,
  tally: RequestCounts,
  alarms: readonly string[],
): string {
  const failed = `${tally.requests - tally.succeeded} of ${tally.requests} in this tick`;
  const blind = alarms.length === 0 ? "" : `; could not look: ${alarms.join(", ")}`;
  return `source ${source} unreachable since ${utcMinute(memory.since)}: every request failed (${failed}; last: ${memory.cause})${blind}`;
}

/** Whether the trouble of these sources is all that is wrong with an alarm: then it needs no line of its own. */
export function isCausedBySources(
  troubled: readonly string[],
  errors: readonly string[],
  fault: Outcome["cause"],
): boolean {
  if (troubled.length === 0) return false;
  return errors.every(
    (error) =>
      troubled.some((source) => isRequestErrorOf(source, error)) ||
      /^and \d+ more reasons$/.test(error) ||
      (fault === "source" && error.startsWith("out of time: detect")),
  );
}

/** Whether a reason in an outcome is nothing but a failed request to this source. */
export function isRequestErrorOf(source: string, reason: string): boolean {
  return (
    reason.startsWith("GET ") && reason.split(": ", 1)[0]?.endsWith(` from ${source}`) === true
  );
}
