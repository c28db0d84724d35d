import { type ClockCheck, checkClock } from "../core/clock.ts";
import type { Source } from "../source/source.ts";
import type { Queryable } from "../store/database.ts";
import { newestRecord, setAside } from "../store/engine_runs.ts";
import { lastCertain, type States, saveState } from "../store/engine_state.ts";
import { readServerClock } from "../store/server_clock.ts";

/** Stores the last certain time, but only while it is needed; 0 means that no time is certain. */
export async function saveCertain(db: Queryable, at: number | undefined, now: number) {
  await saveState(db, "clock", "engine", at === undefined ? undefined : { certain_at: at }, now);
}

/** Judges this host's clock by the last tick; as long as it was in doubt, by the stored time. */
export async function judgeClock(db: Queryable, states: States, now: number): Promise<ClockCheck> {
  const stored = lastCertain(states);
  const before = stored ?? (await newestRecord(db)) ?? now;
  const check = checkClock(before, new Map(), now);
  if (check.doubt !== undefined) {
    // Rows that are made while the clock is behind look old once it is right again.
    await saveCertain(db, now < before ? 0 : before, now);
  } else if (stored !== undefined) {
    await setAside(db, now);
    await saveCertain(db, undefined, now);
  }
  return check;
}

/** Asks the other clocks that were seen, if this host's is in doubt. Returns the doubt that is left. */
export async function confirmClock(
  db: Queryable,
  { certainAt, doubt }: ClockCheck,
  sources: ReadonlyMap<string, Pick<Source, "date">>,
  now: number,
): Promise<readonly string[]> {
  if (doubt === undefined) return [];
  const others = new Map([["the database server", await readServerClock(db)]]);
  for (const [name, { date }] of sources) others.set(`the service ${name}`, date);
  const check = checkClock(certainAt, others, now);
  if (check.doubt !== undefined) return [check.doubt];
  await saveCertain(db, now, now);
  return [];
}
