import type { Config } from "../config/config.ts";
import type { Log } from "../core/log.ts";
import { type Database, DatabaseBusy, type Lock, LockLost } from "../store/database.ts";
import { isNewest } from "../store/generation.ts";
import { recordSkipped } from "../store/skipped_ticks.ts";
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
    // A skipped tick that cannot be recorded is no reason to fail.
    await db
      .transaction((tx) => recordSkipped(tx, clock(), reason))
      .catch((error: unknown) => log.info(`cannot record skipped ticks: ${errorText(error)}`));
    throw new DatabaseBusy(reason, attempt.overdue);
  }
  if (attempt.ended !== undefined) log.error(`the tick's lock was held by ${attempt.ended}`);
  return attempt.lock;
}

export interface FenceFacts {
  readonly db: Database;
  readonly lock: Lock;
  readonly generation: string;
  /** Called once another tick may have begun. */
  readonly onLost: (error: LockLost) => void;
}

/**
 * The database of a tick, on which every transaction fails with LockLost once a later tick has begun. The
 * lock's session can end without this process knowing, so the generation in the database decides.
 */
export function fenced({ db, lock, generation, onLost }: FenceFacts): Database {
  let lost: LockLost | undefined;
  const lose = (why: string): LockLost => {
    lost ??= new LockLost(
      `the tick ended early because ${why}; what was recorded stays, and the next tick continues`,
    );
    onLost(lost);
    return lost;
  };
  const onLockLost = () => lose("the connection that holds its lock was lost");
  lock.lost.addEventListener("abort", onLockLost);
  if (lock.lost.aborted) onLockLost();
  return {
    query: async (sql, params) => {
      if (lost !== undefined) throw lost;
      return await db.query(sql, params);
    },
    transaction: async (work, options) => {
      if (lost !== undefined) throw lost;
      return await db.transaction(async (tx) => {
        if (!(await isNewest(tx, generation))) throw lose("a later tick has begun");
        return await work(tx);
      }, options);
    },
    script: (sql) => db.script(sql),
    tryLock: (name, limit) => db.tryLock(name, limit),
    isLocked: (name) => db.isLocked(name),
    close: () => db.close(),
  };
}
