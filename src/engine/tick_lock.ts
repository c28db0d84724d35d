import type { Config } from "../config/config.ts";
import type { Log } from "../core/log.ts";
import { type Database, DatabaseBusy, DatabaseError, type Lock } from "../store/database.ts";
import { recordSkipped, skippedTick } from "../store/skipped_ticks.ts";
import { errorText } from "../text/describe.ts";
import { staleAfter } from "./deadline.ts";

/** The name of the lock that a tick holds. */
export const TICK_LOCK = "swf-alarms tick";

export interface LockFacts {
  readonly config: Pick<Config, "engine">;
  readonly db: Database;
  readonly clock: () => number;
  readonly log: Log;
}

/**
 * Takes the lock: one tick at a time works on a database. Throws DatabaseBusy while another tick runs, after
 * recording that this one is skipped.
 */
export async function lockTicks({ config, db, clock, log }: LockFacts): Promise<Lock> {
  const attempt = await db.tryLock(TICK_LOCK, staleAfter(config.engine.tickTimeout));
  if (!attempt.held) {
    const reason = `another tick is running on this database (${attempt.holder})`;
    const skipped = skippedTick(clock(), reason);
    // A skipped tick that cannot be recorded is no reason to fail.
    await recordSkipped(db, [skipped]).catch((error: unknown) =>
      log.info(`cannot record skipped ticks: ${errorText(error)}`),
    );
    throw new DatabaseBusy(reason, attempt.overdue);
  }
  if (attempt.ended !== undefined) log.error(`the tick's lock was held by ${attempt.ended}`);
  return attempt.lock;
}

/** Throws DatabaseError if the lock was lost: another tick may have it by now. */
export function requireLock(lock: Lock | undefined): void {
  if (lock === undefined || lock.isHeld()) return;
  throw new DatabaseError(
    "the tick ended early because the connection that holds its lock was lost; what was recorded stays, and the next tick continues",
  );
}
