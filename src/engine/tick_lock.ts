import type { Config } from "../config/config.ts";
import type { Log } from "../core/log.ts";
import { type Database, DatabaseBusy, DatabaseError, type Lock } from "../store/database.ts";
import { recordSkipped, skippedTick, takeInSkipped } from "../store/skipped_ticks.ts";
import { errorText } from "../text/describe.ts";

/** The name of the lock that a tick holds while it is at work. */
export const TICK_LOCK = "swf-alarms tick";

export interface LockFacts {
  readonly config: Pick<Config, "db">;
  readonly db: Database;
  readonly clock: () => number;
  readonly log: Log;
}

/** The lock of the ticks: one tick at a time works on a database. */
export class TickLock {
  readonly #db: Database;
  readonly #log: Log;
  #lock: Lock;
  #retaking: Promise<void> | undefined;
  #grip = 0;

  private constructor({ db, log }: LockFacts, lock: Lock) {
    this.#db = db;
    this.#log = log;
    this.#lock = lock;
  }

  /**
   * Takes the lock, from a holder that has had it for more than `staleAfter` seconds too. Throws
   * DatabaseBusy while another tick is at work, after recording that this one is skipped.
   */
  static async take(facts: LockFacts, staleAfter: number): Promise<TickLock> {
    const attempt = await facts.db.tryLock(TICK_LOCK, staleAfter);
    if (!attempt.held) {
      const reason = `another tick is at work on this database (${attempt.holder})`;
      const skipped = skippedTick(facts.clock(), reason);
      await orSay(facts.log, () => recordSkipped(facts.db, [skipped]));
      throw new DatabaseBusy(reason);
    }
    const { db } = facts.config;
    if (attempt.ended !== undefined)
      facts.log.error(`the tick's lock was held by ${attempt.ended}`);
    if (db.kind === "embedded") await orSay(facts.log, () => takeInSkipped(facts.db, db.path));
    return new TickLock(facts, attempt.lock);
  }

  /**
   * Before an alarm writes: a lock whose session was lost is taken again. Throws DatabaseError where
   * another tick has it by now, which is then for that one to write.
   */
  async ensure(): Promise<void> {
    if (this.#lock.isHeld()) return;
    this.#retaking ??= this.#retake().finally(() => {
      this.#retaking = undefined;
    });
    await this.#retaking;
  }

  /** Another number each time that the lock had to be taken again. */
  get grip(): number {
    return this.#grip;
  }

  async #retake(): Promise<void> {
    const attempt = await this.#db.tryLock(TICK_LOCK);
    if (!attempt.held) {
      throw new DatabaseError(
        `the tick's lock was lost and another tick has taken it (${attempt.holder}): nothing was written`,
      );
    }
    this.#log.info("the tick's lock was lost with its connection, and taken again");
    await this.#lock.release();
    this.#lock = attempt.lock;
    this.#grip += 1;
  }

  async release(): Promise<void> {
    await this.#lock.release();
  }
}

/** That a tick was skipped is worth a record, and no reason to fail. */
async function orSay(log: Log, record: () => Promise<void>): Promise<void> {
  try {
    await record();
  } catch (error) {
    log.info(`cannot record skipped ticks: ${errorText(error)}`);
  }
}
