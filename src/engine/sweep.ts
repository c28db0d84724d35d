import type { Sweep } from "../core/retention.ts";
import type { Database } from "../store/database.ts";
import { removeClearedEvents, removeNotifications, type Step } from "../store/prune.ts";
import { foldRuns } from "../store/run_days.ts";

/** One step of a sweep: a bounded number of rows, all of it or nothing. */
export async function sweepStep(db: Database, sweep: Sweep, now: number): Promise<Step> {
  switch (sweep.kind) {
    case "engine_runs":
      return await foldRuns(db, sweep, now);
    case "cleared_events":
      return await removeClearedEvents(db, sweep);
    case "notifications":
      return await removeNotifications(db, sweep);
  }
}

/** `288 engine runs, 1 notification`; empty where nothing was removed. */
export function renderRemoved(removed: ReadonlyMap<string, number>): string {
  return [...removed]
    .filter(([, rows]) => rows > 0)
    .map(([what, rows]) => `${rows} ${rows === 1 ? what.replace(/s$/, "") : what}`)
    .join(", ");
}

/** Adds what a step removed. */
export function addRemoved(removed: Map<string, number>, step: Step): void {
  for (const [what, rows] of Object.entries(step.removed))
    removed.set(what, (removed.get(what) ?? 0) + rows);
}
