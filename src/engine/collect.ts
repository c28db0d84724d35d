import type { Config } from "../config/config.ts";
import type { Outcome } from "../core/model.ts";
import { runDetect } from "../modules/detect.ts";
import type { Alarm } from "./load_alarms.ts";
import type { Log } from "./log.ts";
import type { Sources } from "./sources.ts";

export interface CollectFacts {
  readonly config: Config;
  readonly sources: Sources;
  readonly now: number;
  readonly log: Log;
}

/** Runs an alarm's `detect`. An alarm that cannot run has a failed outcome: its events stay as they are. */
export async function collect(alarm: Alarm, facts: CollectFacts): Promise<Outcome> {
  const { row, module, readiness } = alarm;
  if (readiness.kind !== "ready" || module === undefined) {
    const reason = readiness.kind === "faulty" ? readiness.message : "the alarm is not configured";
    return { status: "failed", reasons: [reason], detections: [], seconds: 0 };
  }
  return await runDetect({
    module,
    params: readiness.params,
    sources: facts.sources.byName,
    now: facts.now,
    timeout: facts.config.engine.alarmTimeout,
    log: (message) => facts.log.info(`${row.entryId}: ${String(message)}`),
  });
}
