import type { Expectation } from "./expectation.ts";

/**
 * Seconds from the start of a clock to the first deadline of each expectation or of what comes after it: before that, it
 * decides nothing. `ordered`: each behind those that it comes after.
 */
export function soonest<W>(ordered: readonly Expectation<W>[]): ReadonlyMap<string, number> {
  const seconds = new Map<string, number>();
  for (const { name, within, after = [] } of [...ordered].reverse()) {
    const first = Math.min(within, seconds.get(name) ?? within);
    for (const each of [name, ...after])
      seconds.set(each, Math.min(first, seconds.get(each) ?? first));
  }
  return seconds;
}
