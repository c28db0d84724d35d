import { cut } from "../text/describe.ts";
import { utcMinute } from "../text/utc.ts";

/**
 * An alarm that keeps failing by its own error is tried less and less often, and never given up. This is what
 * the engine stores about it between ticks; an alarm without errors has no state.
 */
export interface AlarmState {
  /** Consecutive runs that failed by the alarm's own error. */
  readonly failures: number;
  /** Why the last of them failed. */
  readonly cause: string;
  /** Identifies the module file and the row at the last try; after a change the alarm is tried at once. */
  readonly fingerprint: string;
  readonly quarantine: Quarantine | undefined;
}

/** Times are epoch seconds. */
export interface Quarantine {
  readonly since: number;
  /** Ticks skipped between two tries. */
  readonly pause: number;
  /** Ticks until the next try; 1 is the next tick. */
  readonly wait: number;
  readonly triedAt: number;
  /** The last tick that looked at it, to detect a clock that was set back. */
  readonly lookedAt: number;
}

const FIRST_PAUSE = 2;
const MAX_PAUSE = 2 ** 16;
/** Seconds between two tries at most. */
const MAX_INTERVAL = 6 * 3600;
const MAX_CAUSE = 500;

type TryReason =
  | "not quarantined"
  | "its turn"
  | "six hours have passed"
  | "its module or row changed"
  | "named by the operator"
  | "the clock was set back";

export type TryDecision =
  | { readonly run: true; readonly reason: TryReason }
  /** `state` is the one after this tick. */
  | { readonly run: false; readonly reason: string; readonly state: AlarmState };

export interface TryFacts {
  readonly state: AlarmState | undefined;
  readonly fingerprint: string;
  /** Whether the operator runs this alarm by name. */
  readonly named: boolean;
  readonly now: number;
  /** Consecutive failures that quarantine an alarm; 0 is never. */
  readonly after: number;
}

export function decideTry({ state, fingerprint, named, now, after }: TryFacts): TryDecision {
  const quarantine = state?.quarantine;
  if (quarantine === undefined || after === 0) return { run: true, reason: "not quarantined" };
  if (named) return { run: true, reason: "named by the operator" };
  if (state?.fingerprint !== fingerprint) return { run: true, reason: "its module or row changed" };
  if (now < Math.max(quarantine.lookedAt, quarantine.triedAt))
    return { run: true, reason: "the clock was set back" };
  if (now - quarantine.triedAt >= MAX_INTERVAL)
    return { run: true, reason: "six hours have passed" };
  const wait = quarantine.wait - 1;
  if (wait <= 0) return { run: true, reason: "its turn" };
  const next = { ...quarantine, wait, lookedAt: now };
  const reason = `quarantined since ${utcMinute(next.since)}: ${state.cause}; ${nextTry(next)}`;
  return { run: false, reason, state: { ...state, quarantine: next } };
}

/** `next try in 3 ticks (by 2026-11-21 16:05 UTC at the latest)` */
export function nextTry({ wait, triedAt }: Quarantine): string {
  const ticks = wait === 1 ? "1 tick" : `${wait} ticks`;
  return `next try in ${ticks} (by ${utcMinute(triedAt + MAX_INTERVAL)} at the latest)`;
}

/** How a run ended. A failure by another cause (a source is down, the row is wrong) proves nothing. */
export type RunResult = "completed" | "own failure" | "other failure";

export interface RunFacts extends Omit<TryFacts, "named"> {
  readonly result: RunResult;
  /** Why it failed. */
  readonly cause: string;
  /** Why it was tried. */
  readonly reason: TryReason;
}

/** The state after a run; undefined if there is nothing to store. */
export function nextAlarmState(facts: RunFacts): AlarmState | undefined {
  const { state, fingerprint, now } = facts;
  if (facts.after === 0) return undefined;
  const quarantine = state?.quarantine;
  switch (facts.result) {
    case "completed":
      return undefined;
    case "own failure":
      return afterFailure(facts);
    case "other failure": {
      if (state === undefined || quarantine === undefined) return state;
      const tried = { wait: quarantine.pause + 1, triedAt: now, lookedAt: now };
      return { ...state, fingerprint, quarantine: { ...quarantine, ...tried } };
    }
  }
}

function afterFailure({ state, fingerprint, reason, now, after, ...facts }: RunFacts): AlarmState {
  const before = state?.quarantine;
  // Failures before a change say nothing about the module as it is now.
  const continues = before !== undefined || state?.fingerprint === fingerprint;
  const failures = continues ? (state?.failures ?? 0) + 1 : 1;
  const cause = cut(facts.cause, MAX_CAUSE);
  if (before === undefined && failures < after)
    return { failures, cause, fingerprint, quarantine: undefined };
  // Only a pause that was waited out grows: an early try after a repair must not lengthen it.
  const waitedOut = reason === "its turn" || reason === "six hours have passed";
  const pause =
    before === undefined ? FIRST_PAUSE : Math.min(before.pause * (waitedOut ? 2 : 1), MAX_PAUSE);
  const quarantine = {
    since: Math.min(before?.since ?? now, now),
    pause,
    wait: pause + 1,
    triedAt: now,
    lookedAt: now,
  };
  return { failures, cause, fingerprint, quarantine };
}
