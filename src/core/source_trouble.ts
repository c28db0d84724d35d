import type { Outcome } from "./model.ts";
import { utcMinute } from "./utc.ts";

/** What a source was asked in one tick. */
export interface Tally {
  /** Questions, each counted once however often it was tried. */
  readonly asked: number;
  /** Usable answers. */
  readonly answered: number;
  /** The last reason for a failure, redacted. */
  readonly lastFailure: string | undefined;
}

/** What the engine remembers of a source from tick to tick; one that answers has no memory. */
export type SourceMemory =
  | {
      readonly kind: "trouble";
      /** Epoch seconds, as are all times here. */
      readonly since: number;
      /** The last reason for a failure. */
      readonly cause: string;
      /** Whether a mail about it was delivered. */
      readonly told: boolean;
    }
  /** It answers again, and the mail that says so is owed. */
  | { readonly kind: "recovered"; readonly since: number; readonly until: number };

/** What to remember of a source after a tick. A tick that asked nothing knows nothing new. */
export function rememberTally(
  memory: SourceMemory | undefined,
  tally: Tally,
  now: number,
): SourceMemory | undefined {
  if (tally.asked === 0) return memory;
  if (tally.answered > 0) {
    if (memory?.kind !== "trouble") return memory;
    return memory.told ? { kind: "recovered", since: memory.since, until: now } : undefined;
  }
  const cause = tally.lastFailure ?? "no answer yet";
  if (memory?.kind !== "trouble") {
    // Who was told of the trouble before and not of its end believes in it still.
    return { kind: "trouble", since: now, cause, told: memory !== undefined };
  }
  // A clock that went backwards must not put the mail off.
  return { ...memory, since: Math.min(memory.since, now), cause };
}

export type SourceAbout = "source trouble" | "source recovery";

/**
 * The mail that the operators are owed; `after` is how long trouble must last, in seconds. A tick that
 * asked nothing cannot say that it lasts.
 */
export function owedToOperators(
  memory: SourceMemory | undefined,
  asked: boolean,
  now: number,
  after: number,
): SourceAbout | undefined {
  if (memory === undefined) return undefined;
  if (memory.kind === "recovered") return "source recovery";
  const lasts = asked && now - memory.since >= after;
  return lasts && !memory.told ? "source trouble" : undefined;
}

/** The memory once the owed mail was delivered. */
export function settleOperators(memory: SourceMemory | undefined): SourceMemory | undefined {
  return memory?.kind === "trouble" ? { ...memory, told: true } : undefined;
}

/** An unreachable source in one line, in place of one error for each alarm. */
export function troubleLine(
  source: string,
  memory: Extract<SourceMemory, { kind: "trouble" }>,
  tally: Tally,
  alarms: readonly string[],
): string {
  const failed = `${tally.asked - tally.answered} of ${tally.asked} in this tick`;
  const blind = alarms.length === 0 ? "" : `; could not look: ${alarms.join(", ")}`;
  return `source ${source} unreachable since ${utcMinute(memory.since)}: every request failed (${failed}; last: ${memory.cause})${blind}`;
}

/** Whether the trouble of these sources is all that is wrong with an alarm: then it needs no line of its own. */
export function isExplained(
  troubled: readonly string[],
  errors: readonly string[],
  fault: Outcome["fault"],
): boolean {
  if (troubled.length === 0) return false;
  return errors.every(
    (error) =>
      troubled.some((source) => isFailureOf(source, error)) ||
      /^and \d+ more reasons$/.test(error) ||
      (fault === "source" && error.startsWith("out of time: detect")),
  );
}

/** Whether a reason in an outcome is nothing but a failed request to this source. */
export function isFailureOf(source: string, reason: string): boolean {
  return (
    reason.startsWith("GET ") && reason.split(": ", 1)[0]?.endsWith(` from ${source}`) === true
  );
}
