/** Seconds until a number that is still missing counts as lost: another process of the pool may be about to write it. */
const LOST_AFTER = 60;

/** Which events of one pool were seen, by their numbers. */
export interface PoolCount {
  readonly pool: string;
  /** The highest serial of its events. */
  serial: number;
  /** The number after the highest one. */
  next: number;
  /** Missing numbers below it: the first, the last, and when the one after them came, in epoch seconds. */
  gaps: Gap[];
  /** How many were missing when the pool was made anew. */
  lost: number;
}

type Gap = [from: number, to: number, at: number];

export interface Counted {
  readonly serial: number;
  readonly poolserial: number;
  /** Epoch seconds. */
  readonly at: number;
}

export function count(pool: PoolCount, { serial, poolserial: n, at }: Counted): void {
  const isNewest = serial > pool.serial;
  pool.serial = Math.max(pool.serial, serial);
  const index = pool.gaps.findIndex(([from, to]) => from <= n && n <= to);
  const gap = pool.gaps[index];
  if (gap !== undefined) {
    const [from, to, since] = gap;
    const left: Gap[] = [
      [from, n - 1, since],
      [n + 1, to, since],
    ];
    pool.gaps.splice(index, 1, ...left.filter(([first, last]) => first <= last));
    return;
  }
  // Numbers rise with serials: the service made the pool anew, as supervisorctl update and reload do.
  if (isNewest && n < pool.next) {
    pool.lost += sumOf(pool.gaps);
    pool.gaps = [];
    pool.next = 0;
  }
  if (n > pool.next) pool.gaps.push([pool.next, n - 1, at]);
  pool.next = Math.max(pool.next, n + 1);
}

/** Takes the numbers that are lost by now, and returns how many they are. */
export function takeLost(pool: PoolCount, now: number): number {
  const isLost = ([, , at]: Gap): boolean => now - at > LOST_AFTER;
  const lost = pool.lost + sumOf(pool.gaps.filter(isLost));
  pool.lost = 0;
  pool.gaps = pool.gaps.filter((gap) => !isLost(gap));
  return lost;
}

function sumOf(gaps: readonly Gap[]): number {
  return gaps.reduce((sum, [from, to]) => sum + to - from + 1, 0);
}
