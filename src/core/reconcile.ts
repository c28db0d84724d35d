import { cut } from "../text/describe.ts";
import { effectiveLevel, type Level, NO_LEVEL } from "./level.ts";
import type { ActiveEvent, ActiveEvents, AlarmRow, Outcome } from "./model.ts";
import { prefixFinder } from "./scopes.ts";
import {
  AT_ONCE,
  describeProgress,
  type Pending,
  type SettleRule,
  settle,
  settleProgress,
} from "./settle.ts";
import { type Touch, touchEvent } from "./touch.ts";

/** "held" comes from the clear guard, with its counts. */
type KeepReason =
  | "outcome is partial"
  | "outcome failed"
  | "not looked at in this tick"
  | `not looked at: ${string}`
  | `clears later: ${string}`
  | `held: ${string}`;

/** Characters of why it was not looked at. */
const MAX_REASON = 200;

/** Why an event ends because nothing detects it any more. */
export const RECOVERED = "recovered";

/** What a tick will do to an alarm's events, decided before anything is written. */
export interface Plan {
  readonly open: readonly {
    readonly dedupeKey: string;
    readonly reason: "newly detected" | "settled";
    readonly level: Level;
    /** Epoch seconds. */
    readonly firstSeen: number;
  }[];
  /** Detected, but not for long enough. */
  readonly wait: readonly {
    readonly dedupeKey: string;
    readonly reason: `not settled: ${string}`;
  }[];
  readonly touch: readonly Touch[];
  readonly clear: readonly {
    readonly event: ActiveEvent;
    readonly reason: string;
    /** Whether that is concluded from its absence; otherwise the module or a person says so. */
    readonly isUnseen: boolean;
  }[];
  /** Not detected, but not cleared: the outcome does not prove that they are gone. */
  readonly keep: readonly { readonly event: ActiveEvent; readonly reason: KeepReason }[];
  /** What is to be remembered for the next tick, opened and cleared events included. */
  readonly settling: Settling;
}

/** What an alarm remembers between ticks. */
export interface Settling {
  /** Detected, and no event yet. */
  readonly pending: Pending;
  /** Active events that are no longer detected. */
  readonly clearing: Pending;
}

export const NOTHING_SETTLING: Settling = { pending: new Map(), clearing: new Map() };

/** A complete outcome. */
export const NOTHING_DETECTED: Outcome = {
  status: "complete",
  cause: undefined,
  reasons: [],
  keys: new Set(),
  detections: new Map(),
  levels: new Map(),
  clears: new Map(),
  notes: [],
  scopes: new Map(),
  memory: undefined,
  positions: new Map(),
  requests: { count: 0, seconds: 0, bytes: 0 },
  seconds: 0,
};

export const NO_CHANGES: Plan = {
  open: [],
  wait: [],
  touch: [],
  clear: [],
  keep: [],
  settling: NOTHING_SETTLING,
};

export interface ReconcileFacts {
  readonly outcome: Outcome;
  readonly active: ActiveEvents;
  readonly settling: Settling;
  readonly alarm: Pick<AlarmRow, "severity" | "clearAfter">;
  /** When a detection becomes an event; undefined: at once, whatever its key. */
  readonly settleOf: ((dedupeKey: string) => SettleRule) | undefined;
  /** Of the module. */
  readonly stages: readonly string[];
  readonly now: number;
}

/**
 * Compares what was detected with what is firing. Only a `complete` outcome clears, and only what it looked at; but the
 * module can end an event itself.
 */
export function reconcile(facts: ReconcileFacts): Plan {
  const { outcome, active } = facts;
  const { keys, clears } = outcome;
  const fresh: string[] = [];
  const touch: Touch[] = [];
  for (const dedupeKey of keys) {
    const event = active.get(dedupeKey);
    if (event === undefined) fresh.push(dedupeKey);
    else touch.push(touchEvent(event, facts));
  }
  const unseen = [...active.values()]
    .filter(({ dedupeKey }) => !keys.has(dedupeKey))
    .sort((a, b) => a.fireTime - b.fireTime || (a.dedupeKey < b.dedupeKey ? -1 : 1));
  const stated: Plan["clear"][number][] = [];
  const gone: ActiveEvent[] = [];
  const keep: Plan["keep"][number][] = [];
  const doubtOf = doubts(outcome);
  for (const event of unseen) {
    const reason = clears.get(event.dedupeKey);
    const doubt = doubtOf(event.dedupeKey);
    if (reason !== undefined) stated.push({ event, reason, isUnseen: false });
    else if (doubt === undefined) gone.push(event);
    else keep.push({ event, reason: doubt });
  }
  const opening = openOrWait(fresh, facts);
  const ending = clearOrKeep(gone, facts);
  return {
    open: opening.open,
    wait: opening.wait,
    touch,
    clear: [...stated, ...ending.clear],
    keep: [...keep, ...ending.keep],
    settling: { pending: opening.pending, clearing: ending.clearing },
  };
}

/** Why an outcome proves nothing about a key that it did not detect; undefined if it proves that it is gone. */
function doubts({ status, unknown, scopes }: Outcome): (key: string) => KeepReason | undefined {
  if (status === "partial") return () => "outcome is partial";
  if (status === "failed") return () => "outcome failed";
  const prefixesOf = prefixFinder(scopes);
  return (key) => {
    if (unknown?.(key) === true) return "not looked at in this tick";
    const [prefix] = prefixesOf(key);
    const scope = prefix === undefined ? undefined : scopes.get(prefix);
    return scope && `not looked at: ${cut(scope.reason, MAX_REASON)}`;
  };
}

function openOrWait(fresh: readonly string[], facts: ReconcileFacts) {
  const { outcome, active, settling, alarm, settleOf, now } = facts;
  const levelOf = (key: string): Level =>
    effectiveLevel(outcome.levels.get(key) ?? NO_LEVEL, alarm.severity);
  const open: Plan["open"][number][] = [];
  const wait: Plan["wait"][number][] = [];
  if (settleOf === undefined && settling.pending.size === 0) {
    for (const dedupeKey of fresh)
      open.push({ dedupeKey, reason: "newly detected", level: levelOf(dedupeKey), firstSeen: now });
    return { open, wait, pending: settling.pending };
  }
  const ruleOf = settleOf ?? (() => AT_ONCE);
  const doubtOf = doubts(outcome);
  const { settled, pending } = settle({
    before: settling.pending,
    there: fresh,
    isGone: (key) => active.has(key) || outcome.clears.has(key) || doubtOf(key) === undefined,
    ruleOf,
    now,
  });
  for (const dedupeKey of fresh) {
    const entry = pending.get(dedupeKey);
    if (entry === undefined) continue;
    const { firstSeen } = entry;
    const level = levelOf(dedupeKey);
    if (settled.has(dedupeKey)) {
      const reason = firstSeen < now ? "settled" : "newly detected";
      open.push({ dedupeKey, reason, level, firstSeen });
      continue;
    }
    const progress = settleProgress(entry, ruleOf(dedupeKey), now);
    wait.push({ dedupeKey, reason: `not settled: detected ${describeProgress(progress)}` });
    const subject = outcome.detections.get(dedupeKey)?.subject ?? entry.subject;
    if (subject !== undefined) pending.set(dedupeKey, { ...entry, subject });
  }
  for (const key of outcome.clears.keys()) pending.delete(key);
  return { open, wait, pending };
}

function clearOrKeep(gone: readonly ActiveEvent[], facts: ReconcileFacts) {
  const { outcome, active, settling, alarm, now } = facts;
  const rule = alarm.clearAfter ?? AT_ONCE;
  const clear: Plan["clear"][number][] = [];
  const keep: Plan["keep"][number][] = [];
  if (alarm.clearAfter === undefined) {
    for (const event of gone) clear.push({ event, reason: RECOVERED, isUnseen: true });
    return { clear, keep, clearing: NOTHING_SETTLING.clearing };
  }
  const { settled, pending: clearing } = settle({
    // An event that a person has ended counts no more for the next one of its key.
    before: new Map([...settling.clearing].filter(([key]) => active.has(key))),
    there: gone.map(({ dedupeKey }) => dedupeKey),
    isGone: (key) => outcome.keys.has(key),
    ruleOf: () => rule,
    now,
  });
  for (const event of gone) {
    const entry = clearing.get(event.dedupeKey);
    if (entry === undefined || settled.has(event.dedupeKey)) {
      clear.push({ event, reason: RECOVERED, isUnseen: true });
      continue;
    }
    const progress = describeProgress(settleProgress(entry, rule, now));
    keep.push({ event, reason: `clears later: not detected ${progress}` });
  }
  return { clear, keep, clearing };
}

/** What the alarm remembers once the plan is done. */
export function settlingAfter({ open, clear, settling }: Plan): Settling {
  return {
    pending: without(
      settling.pending,
      open.map(({ dedupeKey }) => dedupeKey),
    ),
    clearing: without(
      settling.clearing,
      clear.map(({ event }) => event.dedupeKey),
    ),
  };
}

function without(pending: Pending, keys: readonly string[]): Pending {
  if (pending.size === 0) return pending;
  const gone = new Set(keys);
  return new Map([...pending].filter(([key]) => !gone.has(key)));
}
