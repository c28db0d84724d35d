/** Seconds until a number that is still missing counts as lost: another process of the pool may be about to write it. */
const LOST_AFTER = 60;

/** Which events of one pool were seen, by their numbers. */
export interface PoolCount {
  readonly pool: string;
  /** The number after the highest one. */
  next: number;
  /** Missing numbers below it: the first, the last, and when the one after them came, in epoch seconds. */
  gaps: [from: number, to: number, at: number][];
}

/** `isNewest`: no event of the pool's service with a higher serial was seen before. */
export function count(pool: PoolCount, n: number, at: number, isNewest: boolean): void {
  // The service made the pool anew, as supervisorctl update does after a change.
  if (n === 0 && isNewest && pool.next > 0) Object.assign(pool, { next: 0, gaps: [] });
  if (n >= pool.next) {
    if (n > pool.next) pool.gaps.push([pool.next, n - 1, at]);
    pool.next = n + 1;
    return;
  }
  const index = pool.gaps.findIndex(([from, to]) => from <= n && n <= to);
  const [from, to, since] = pool.gaps[index] ?? [0, 0, 0];
  if (index === -1) return;
  const left: PoolCount["gaps"] = [
    [from, n - 1, since],
    [n + 1, to, since],
  ];
  pool.gaps.splice(index, 1, ...left.filter(([first, last]) => first <= last));
}

/** Takes the numbers that are lost by now, and returns how many they are. */
export function takeLost(pool: PoolCount, now: number): number {
  const isLost = ([, , at]: PoolCount["gaps"][number]): boolean => now - at > LOST_AFTER;
  const lost = pool.gaps.filter(isLost);
  pool.gaps = pool.gaps.filter((gap) => !isLost(gap));
  return lost.reduce((sum, [from, to]) => sum + to - from + 1, 0);
}
