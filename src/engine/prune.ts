import type { Log } from "../core/log.ts";
import { type Retention, renderRemoved } from "../core/retention.ts";
import type { Database } from "../store/database.ts";
import { pruneSome } from "../store/retention.ts";
import { errorText } from "../text/describe.ts";

/** Removes some old rows. Returns the error, if any; never throws. `now` is the tick's, in epoch seconds. */
export async function pruneOldRows(
  db: Database,
  retention: Retention,
  now: number,
  log: Log,
): Promise<readonly string[]> {
  try {
    const removed = renderRemoved(await db.transaction((tx) => pruneSome(tx, retention, now)));
    if (removed !== "") log.info(`removed rows older than [retention] allows: ${removed}`);
    return [];
  } catch (error) {
    return [errorText(error)];
  }
}
