import type { Log } from "../core/log.ts";
import { type Retention, renderRemoved } from "../core/retention.ts";
import type { Database } from "../store/database.ts";
import { pruneSome } from "../store/retention.ts";
import { errorText } from "../text/describe.ts";

export interface PruneFacts {
  readonly db: Database;
  readonly retention: Retention;
  /** Epoch seconds of the tick. */
  readonly now: number;
  readonly log: Log;
}

/** Removes some old rows. Returns the error, if any; never throws. */
export async function pruneOldRows(facts: PruneFacts): Promise<readonly string[]> {
  const { db, retention, now, log } = facts;
  try {
    const removed = renderRemoved(await pruneSome(db, retention, now));
    if (removed !== "") log.info(`removed rows older than [retention] keeps them: ${removed}`);
    return [];
  } catch (error) {
    return [errorText(error)];
  }
}
