import { cut } from "../text/describe.ts";
import { utcMinute } from "../text/utc.ts";

/**
 * An alarm that keeps failing by its own fault is tried less and less often, and never given up. What
 * the engine remembers of it from tick to tick; a healthy alarm has no memory.
 */
export interface AlarmState {
  /** Runs in a row that failed by the alarm's own fault. */
  readonly failures: number;
  /** Why the last of them failed. */
  readonly cause: string;
  /** Stands for the module file and the row at the last try; a change is a reason to try at once. */
  readonly fingerprint: string;
  readonly quarantine: Quarantine | undefined;
  /** A quarantine that has ended, while the mail about its end is owed. */
  readonly recovery: Recovery | undefined;
}

export interface Quarantine {
  /** Epoch seconds, as are all times here. */
  readonly since: number;
  /** Ticks left out between two tries. */
  readonly pause: number;
  /** Ticks until the next try; 1 is the next tick. */
  readonly wait: number;
  readonly triedAt: number;
  /** The last tick that took part, to notice a clock that went backwards. */
  readonly lookedAt: number;
  /** Whether a mail about it was delivered. */
  readonly notified: boolean;
}

export interface Recovery {
  readonly since: number;
  readonly until: number;
  readonly notified: boolean;
}

const FIRST_PAUSE = 2;
/** Doubling ends here; `MAX_DISTANCE` rules long before, unless ticks come every few seconds. */
const MAX_PAUSE = 2 ** 16;
/** Seconds between two tries at the most. */
const MAX_DISTANCE = 6 * 3600;
const MAX_CAUSE = 500;

export type TryReason =
  | "not quarantined"
  | "its turn"
  | "six hours have passed"
  | "its module or row changed"
  | "named by the operator"
  | "the clock went backwards";

export type TryDecision =
  | { readonly run: true; readonly reason: TryReason }
  /** The memory after this tick. */
  | { readonly run: false; readonly reason: string; readonly memory: AlarmState };

export interface TryFacts {
  readonly state: AlarmState | undefined;
  readonly fingerprint: string;
  /** Whether the operator runs this alarm by name. */
  readonly named: boolean;
  readonly now: number;
  /** Own failures in a row that mean quarantine; 0 is never. */
  readonly after: number;
}

/** Whether an alarm runs in this tick. */
export function decideTry(facts: TryFacts): TryDecision {
  const { state: memory, now } = facts;
  const quarantine = memory?.quarantine;
  if (memory === undefined || quarantine === undefined || facts.after === 0)
    return { run: true, reason: "not quarantined" };
  if (facts.named) return { run: true, reason: "named by the operator" };
  if (memory.fingerprint !== facts.fingerprint)
    return { run: true, reason: "its module or row changed" };
  if (now < quarantine.lookedAt) return { run: true, reason: "the clock went backwards" };
  if (now - quarantine.triedAt >= MAX_DISTANCE)
    return { run: true, reason: "six hours have passed" };
  const wait = quarantine.wait - 1;
  if (wait <= 0) return { run: true, reason: "its turn" };
  const next = { ...quarantine, wait, lookedAt: now };
  return {
    run: false,
    reason: `quarantined since ${utcMinute(next.since)}: ${memory.cause}; ${nextTry(next)}`,
    memory: { ...memory, quarantine: next },
  };
}

/** `next try in 3 ticks (by 2026-11-21 16:05 UTC at the latest)` */
export function nextTry({ wait, triedAt }: Quarantine): string {
  const ticks = wait === 1 ? "1 tick" : `${wait} ticks`;
  return `next try in ${ticks} (by ${utcMinute(triedAt + MAX_DISTANCE)} at the latest)`;
}

/** How a run ended, as far as quarantine is concerned. */
export type RunResult =
  /** `detect` came to its end, whatever it could see. */
  | "ended"
  | "failed by its own fault"
  /** A source was down, or the row is set up wrongly: no reason to run it less often. */
  | "failed by another's fault";

export interface RunFacts {
  readonly state: AlarmState | undefined;
  readonly result: RunResult;
  /** Why it failed. */
  readonly cause: string;
  readonly fingerprint: string;
  /** Why it was tried. */
  readonly reason: TryReason;
  readonly now: number;
  readonly after: number;
}

/** What to remember after a run; undefined where there is nothing to remember. */
export function nextAlarmState(facts: RunFacts): AlarmState | undefined {
  if (facts.after === 0) return undefined;
  switch (facts.result) {
    case "ended":
      return rememberEnd(facts);
    case "failed by its own fault":
      return rememberFailure(facts);
    case "failed by another's fault":
      return rememberNoVerdict(facts);
  }
}

function rememberEnd({ state: memory, fingerprint, now }: RunFacts): AlarmState | undefined {
  const quarantine = memory?.quarantine;
  const recovery =
    quarantine === undefined
      ? memory?.recovery
      : { since: quarantine.since, until: now, notified: quarantine.notified };
  if (memory === undefined || recovery === undefined) return undefined;
  return { failures: 0, cause: memory.cause, fingerprint, quarantine: undefined, recovery };
}

function rememberFailure({ state: memory, fingerprint, reason, now, after, ...facts }: RunFacts) {
  const before = memory?.quarantine;
  // What failed before a change says nothing about the module as it is now.
  const goesOn = before !== undefined || memory?.fingerprint === fingerprint;
  const failures = goesOn ? (memory?.failures ?? 0) + 1 : 1;
  const cause = cut(facts.cause, MAX_CAUSE);
  if (before === undefined && failures < after) {
    return { failures, cause, fingerprint, quarantine: undefined, recovery: memory?.recovery };
  }
  // Only a distance that was waited out grows: whoever mends a module must not wait longer for it.
  const waitedOut = reason === "its turn" || reason === "six hours have passed";
  const pause =
    before === undefined ? FIRST_PAUSE : Math.min(before.pause * (waitedOut ? 2 : 1), MAX_PAUSE);
  const quarantine = {
    since: before?.since ?? now,
    pause,
    wait: pause + 1,
    triedAt: now,
    lookedAt: now,
    // Who was told of the last quarantine and not of its end believes in it still.
    notified: before?.notified ?? memory?.recovery?.notified ?? false,
  };
  return { failures, cause, fingerprint, quarantine, recovery: undefined };
}

function rememberNoVerdict({ state: memory, fingerprint, now }: RunFacts): AlarmState | undefined {
  const quarantine = memory?.quarantine;
  if (memory === undefined || quarantine === undefined) return memory;
  const { pause } = quarantine;
  return {
    ...memory,
    fingerprint,
    quarantine: { ...quarantine, wait: pause + 1, triedAt: now, lookedAt: now },
  };
}

export type QuarantineNotice = "quarantine" | "recovery";

/** The mail that the alarm's owners are owed. */
export function unsentQuarantineNotice(
  memory: AlarmState | undefined,
): QuarantineNotice | undefined {
  if (memory?.quarantine !== undefined)
    return memory.quarantine.notified ? undefined : "quarantine";
  return memory?.recovery === undefined ? undefined : "recovery";
}

/** The memory once the owed mail was delivered, or nobody is left to tell. */
export function afterQuarantineNotice(memory: AlarmState | undefined): AlarmState | undefined {
  if (memory === undefined) return undefined;
  if (memory.quarantine !== undefined)
    return { ...memory, quarantine: { ...memory.quarantine, notified: true } };
  return memory.failures === 0 ? undefined : { ...memory, recovery: undefined };
}
