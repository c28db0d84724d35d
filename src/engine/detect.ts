import type { Alarm } from "../alarm/load_alarms.ts";
import { judgeReadiness } from "../alarm/readiness.ts";
import type { Config } from "../config/config.ts";
import { decideDetails } from "../core/kept_details.ts";
import type { Log } from "../core/log.ts";
import type { ActiveEvents, AlarmRow, Outcome, Remembered } from "../core/model.ts";
import { NOTHING_DETECTED } from "../core/reconcile.ts";
import type { SharedSource } from "../source/share.ts";
import { readMemory, readPositions } from "../store/alarm_memory.ts";
import type { Queryable } from "../store/database.ts";
import { firingEvents } from "../store/firing_events.ts";
import { attempt } from "../text/attempt.ts";
import type { JsonValue } from "../text/json.ts";
import type { DetectFacts as JobFacts } from "../worker/job.ts";
import type { Workers } from "../worker/worker_pool.ts";

export interface DetectFacts extends Pick<JobFacts, "onStates"> {
  readonly config: Config;
  /** For what a module asks of its own alarm. */
  readonly db: Queryable;
  readonly workers: Pick<Workers, "detect">;
  readonly sources: {
    readonly byName: ReadonlyMap<string, SharedSource>;
    readonly names: ReadonlySet<string>;
  };
  /** Epoch seconds of the tick. */
  readonly now: number;
  readonly log: Log;
  /** Keeps subject, body and data of every detection; otherwise only of those that rows or mails need. */
  readonly keepAll?: true;
}

/** Runs an alarm's `detect`. Never rejects: an alarm that cannot run has a failed outcome. */
export async function detect(
  alarm: Alarm,
  active: ActiveEvents,
  { config, db, workers, sources, now, log, keepAll, onStates }: DetectFacts,
): Promise<Outcome> {
  const { row, module, readiness } = alarm;
  switch (readiness.kind) {
    case "not configured":
      return notDetected(`not configured: ${readiness.missing.join("; ")}`, "row");
    case "faulty":
      return notDetected(readiness.message, readiness.cause);
    case "quarantined":
      return notDetected(readiness.message, "module");
  }
  if (module === undefined) return notDetected("its module is not loaded", "module");
  return await workers.detect({
    file: module,
    params: readiness.params,
    stages: module.stages,
    sources: sources.byName,
    now,
    firing: () => [...active.keys()],
    firingEvents: () => firingEvents(db, active),
    previous: () => remembered(db, row),
    positions: () => readPositions(db, row),
    paramsOf: (loaded) => {
      const judged = judgeReadiness(loaded, row.params, sources.names);
      if (judged.kind === "ready") return judged.params;
      throw new Error("PARAMS and SOURCES are different when the module is loaded alone");
    },
    decideDetails: () =>
      keepAll === true ? () => true : decideDetails(active, row.channels, row, module.stages, now),
    limits: { ...config.engine.limits, ...row.limits },
    onStates,
    log: (message) => log.info(`${row.name}: ${message}`),
  });
}

/** Undefined too if another program left something else in the row. */
async function remembered(
  db: Queryable,
  row: AlarmRow,
): Promise<Remembered<JsonValue> | undefined> {
  const memory = await readMemory(db, row);
  return memory && attempt(() => ({ at: memory.at, value: JSON.parse(memory.text) }), undefined);
}

/** The outcome of an alarm whose `detect` did not run: its events stay as they are. */
export function notDetected(reason: string, cause: Outcome["cause"]): Outcome {
  return { ...NOTHING_DETECTED, status: "failed", cause, reasons: [reason] };
}
