import type { Alarm } from "../alarm/load_alarms.ts";
import type { Config } from "../config/config.ts";
import type { Log } from "../core/log.ts";
import type { ActiveEvents, Outcome } from "../core/model.ts";
import type { Redact } from "../text/redact.ts";
import type { Workers } from "../worker/worker_pool.ts";
import type { Sources } from "./sources.ts";

export interface CollectFacts {
  readonly config: Config;
  readonly host: Pick<Workers, "detect">;
  readonly sources: Sources;
  readonly now: number;
  readonly log: Log;
  readonly redact: Redact;
  /** Gives anew what says, of each key in turn, whether more of a detection will be needed. */
  readonly decideDetails: () => (dedupeKey: string) => boolean;
}

/** Runs an alarm's `detect`. An alarm that cannot run has a failed outcome: its events stay as they are. */
export async function collect(
  alarm: Alarm,
  active: ActiveEvents,
  facts: CollectFacts,
): Promise<Outcome> {
  const outcome = await runModule(alarm, active, facts);
  return { ...outcome, reasons: outcome.reasons.map(facts.redact) };
}

async function runModule(
  alarm: Alarm,
  active: ActiveEvents,
  facts: CollectFacts,
): Promise<Outcome> {
  const { row, module, readiness } = alarm;
  if (readiness.kind !== "ready" || module === undefined) {
    return readiness.kind === "faulty"
      ? failedOutcome(readiness.message, readiness.cause)
      : failedOutcome("the alarm is not configured", "row");
  }
  return await facts.host.detect({
    file: module,
    params: readiness.params,
    sources: facts.sources.byName,
    now: facts.now,
    firing: () => [...active.keys()],
    decideDetails: facts.decideDetails,
    redact: facts.redact,
    limits: { ...facts.config.engine.limits, ...row.limits },
    log: (message) => facts.log.info(`${row.entryId}: ${String(message)}`),
  });
}

/** The outcome of an alarm whose turn has not come. */
export const NOT_BEGUN: Outcome = {
  status: "failed",
  cause: undefined,
  reasons: [],
  detections: new Map(),
  seconds: 0,
};

/**
 * The outcome where the tick's lock was lost while `detect` ran, with the events as they are now. It is not
 * complete where another tick has ended events of which only the keys were kept here.
 */
export function afterLostLock(outcome: Outcome, active: ActiveEvents): Outcome {
  const { detections } = outcome;
  const isKnown = (key: string): boolean => active.has(key) || detections.get(key) !== undefined;
  if ([...detections.keys()].every(isKnown)) return outcome;
  const reason =
    "the tick's lock was lost while it ran, and another tick has ended some of its events: the next tick opens them again";
  return {
    ...outcome,
    status: outcome.status === "complete" ? "partial" : outcome.status,
    reasons: [...outcome.reasons, reason],
  };
}

/** The outcome of an alarm whose `detect` did not begin. */
export function failedOutcome(reason: string, fault: Outcome["cause"]): Outcome {
  return { status: "failed", cause: fault, reasons: [reason], detections: new Map(), seconds: 0 };
}
