import { type ClockCheck, checkClock } from "../core/clock.ts";
import type { Mode } from "../core/model.ts";
import type { Source } from "../source/source.ts";
import type { Queryable } from "../store/database.ts";
import { newestRecord } from "../store/engine_runs.ts";
import { lastCertain, type States, saveCertain } from "../store/engine_state.ts";
import { readServerClock } from "../store/server_clock.ts";

/**
 * Judges this host's clock by the newest record of a tick. While it is in doubt, the last certain time is stored,
 * because the records of that time are no measure.
 */
export async function judgeClock(
  db: Queryable,
  states: States,
  now: number,
  save: boolean,
): Promise<ClockCheck> {
  const stored = lastCertain(states);
  const before = stored ?? (await newestRecord(db)) ?? now;
  const check = checkClock(before, [], now);
  // After a clock was set back no time is certain: rows of now will look old once it is right again.
  const kept = now < before ? 0 : before;
  if (save && check.doubt !== undefined) await saveCertain(db, kept, now);
  else if (save && stored !== undefined) await saveCertain(db, undefined, now);
  return check;
}

/** Asks the other clocks that the tick has seen, if its own is in doubt. Returns the doubt that is left. */
export async function confirmClock(
  db: Queryable,
  run: { readonly mode: Mode; readonly now: number; readonly clockCheck: ClockCheck },
  sources: ReadonlyMap<string, Pick<Source, "date">>,
): Promise<readonly string[]> {
  const { mode, now, clockCheck } = run;
  if (clockCheck.doubt === undefined) return [];
  const services = [...sources].flatMap(([name, { date: time }]) =>
    time === undefined ? [] : [{ of: `the service ${name}`, time }],
  );
  const others = [...services, ...(await readServerClock(db))];
  const check = checkClock(clockCheck.certainAt, others, now);
  if (check.doubt !== undefined) return [check.doubt];
  if (mode !== "plan") await saveCertain(db, now, now);
  return [];
}
