import { type ClockCheck, checkClock } from "../core/clock.ts";
import type { HttpSource } from "../source/http/http_source.ts";
import type { Database, Transaction } from "../store/database.ts";
import { lastTimes, setAside } from "../store/engine_runs.ts";
import { saveCertain } from "../store/engine_state.ts";
import { readServerClock } from "../store/server_clock.ts";

/**
 * Judges this host's clock by the last tick; as long as it is in doubt, by the last certain time. `isBack`: an earlier
 * tick had this time or a later one.
 */
export async function judgeClock(tx: Transaction, now: number) {
  const { certain, newest, starts } = await lastTimes(tx);
  const before = certain ?? newest ?? now;
  const check = checkClock(before, new Map(), now);
  if (check.doubt !== undefined) {
    // 0 is never certain: rows that are made while the clock is behind look old once it is right again.
    await saveCertain(tx, now < before ? 0 : before, now);
  } else if (certain !== undefined) {
    await setAside(tx, Math.max(certain, now), now);
    await saveCertain(tx, undefined, now);
  }
  return { check, starts, isBack: newest !== undefined && newest >= now };
}

/** Asks the other clocks that were seen, if this host's is in doubt. Returns the doubt that is left. */
export async function confirmClock(
  db: Database,
  { certainAt, doubt }: ClockCheck,
  sources: ReadonlyMap<string, Pick<HttpSource, "date">>,
  now: number,
): Promise<readonly string[]> {
  if (doubt === undefined) return [];
  const others = new Map([["the database server", await readServerClock(db)]]);
  for (const [name, { date }] of sources) others.set(`the service ${name}`, date);
  const check = checkClock(certainAt, others, now);
  if (check.doubt !== undefined) return [check.doubt];
  await db.transaction((tx) => saveCertain(tx, now, now));
  return [];
}
