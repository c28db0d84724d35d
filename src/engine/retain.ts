import type { Config } from "../config/config.ts";
import type { Log } from "../core/log.ts";
import type { Mode } from "../core/model.ts";
import { renderRemoved } from "../core/retention.ts";
import type { Database } from "../store/database.ts";
import { pruneSome } from "../store/retention.ts";
import { errorText } from "../text/describe.ts";

export interface RetainFacts {
  readonly config: Pick<Config, "retention">;
  readonly db: Database;
  readonly mode: Mode;
  readonly only: ReadonlySet<string> | undefined;
  readonly now: number;
  /** Aborted when the tick is out of time. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** Removes some old rows at the end of a tick over all alarms. Returns the error, if any; never throws. */
export async function retain(facts: RetainFacts): Promise<readonly string[]> {
  const { config, db, mode, only, now, signal, log } = facts;
  if (mode !== "tick" || only !== undefined || signal.aborted) return [];
  try {
    const removed = renderRemoved(await pruneSome(db, config.retention, now));
    if (removed !== "") log.info(`removed rows older than [retention] keeps them: ${removed}`);
    return [];
  } catch (error) {
    return [errorText(error)];
  }
}
