import type { ClockCheck } from "../core/clock.ts";
import type { Mode } from "../core/model.ts";
import type { Database } from "../store/database.ts";
import { closeCrashedRuns, openEngineRun } from "../store/engine_runs.ts";
import { nextGeneration } from "../store/generation.ts";
import { endInterrupted, supersedeAhead } from "../store/notifications.ts";
import { judgeClock } from "./clock.ts";

/** One tick. */
export interface Run {
  readonly mode: Mode;
  /** Id of its record; empty in a plan. */
  readonly id: string;
  /** Only the newest generation may write. */
  readonly generation: string;
  /** Epoch seconds of the tick, the same for everything that it writes. */
  readonly now: number;
  /** Epoch seconds at this moment. */
  readonly clock: () => number;
  /** Whether `now` is certain, as far as the earlier ticks tell. */
  readonly clockCheck: ClockCheck;
  /** When the ticks before it started, newest first, those that were skipped too; epoch seconds. */
  readonly starts: readonly number[];
  /** When those started that this tick found to have been killed. */
  readonly crashed: readonly number[];
}

export interface OpenFacts extends Pick<Run, "mode" | "clock"> {
  /** Only these alarms; undefined means all. */
  readonly only: ReadonlySet<string> | undefined;
}

/**
 * Opens the record of the tick, from which on no earlier tick can write, and closes those of ticks that were
 * killed, and of their notifications. A plan has no record.
 */
export async function openRun(db: Database, { mode, only, clock }: OpenFacts): Promise<Run> {
  const now = clock();
  const run = { mode, now, clock };
  if (mode === "plan")
    return {
      ...run,
      id: "",
      generation: "",
      clockCheck: { certainAt: now, doubt: undefined },
      starts: [],
      crashed: [],
    };
  return await db.transaction(async (tx) => {
    const generation = await nextGeneration(tx, now);
    const { check: clockCheck, starts, isBack } = await judgeClock(tx, now);
    const id = await openEngineRun(tx, now, only && [...only]);
    const crashed = await closeCrashedRuns(tx, now, id);
    if (crashed.length > 0) await endInterrupted(tx, now);
    // Before any news of this tick is on record: a kill in between must not leave both.
    if (isBack) await supersedeAhead(tx, now);
    return { ...run, id, generation, clockCheck, starts, crashed };
  });
}
