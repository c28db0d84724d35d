import type { Config } from "../config/config.ts";
import type { Outcome } from "../core/model.ts";
import type { ModuleHost } from "../modules/runners.ts";
import type { Queryable } from "../store/database.ts";
import { activeEvents } from "../store/events.ts";
import type { Alarm } from "./load_alarms.ts";
import type { Log } from "./log.ts";
import type { Sources } from "./sources.ts";

export interface CollectFacts {
  readonly config: Config;
  readonly db: Queryable;
  readonly host: Pick<ModuleHost, "detect">;
  readonly sources: Sources;
  readonly now: number;
  readonly log: Log;
}

/** Runs an alarm's `detect`. An alarm that cannot run has a failed outcome: its events stay as they are. */
export async function collect(alarm: Alarm, facts: CollectFacts): Promise<Outcome> {
  const { row, module, readiness } = alarm;
  if (readiness.kind !== "ready" || module === undefined) {
    return readiness.kind === "faulty"
      ? failedOutcome(readiness.message, readiness.fault)
      : failedOutcome("the alarm is not configured", "row");
  }
  return await facts.host.detect({
    file: module,
    params: readiness.params,
    sources: facts.sources.byName,
    now: facts.now,
    firing: async () => (await activeEvents(facts.db, row.name)).map(({ dedupeKey }) => dedupeKey),
    limits: { ...facts.config.engine.limits, ...row.limits },
    log: (message) => facts.log.info(`${row.entryId}: ${String(message)}`),
  });
}

/** The outcome of an alarm whose `detect` did not begin. */
export function failedOutcome(reason: string, fault: Outcome["fault"]): Outcome {
  return { status: "failed", fault, reasons: [reason], detections: [], seconds: 0 };
}
