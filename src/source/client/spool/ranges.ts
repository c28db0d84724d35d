/** Whole numbers as runs of neighbours, in order: `[1, 3, 7, 7]` are 1, 2, 3 and 7. */
export type Ranges = number[];

export function isWithin(ranges: Ranges, n: number): boolean {
  const at = firstRunFrom(ranges, n);
  const start = ranges[at];
  return start !== undefined && start <= n;
}

/** Adds a number; at most `maxRuns` runs stay, those with the highest numbers. */
export function include(ranges: Ranges, n: number, maxRuns: number): void {
  if (isWithin(ranges, n)) return;
  const at = firstRunFrom(ranges, n);
  const joinsLower = ranges[at - 1] === n - 1;
  const joinsUpper = ranges[at] === n + 1;
  if (joinsLower && joinsUpper) ranges.splice(at - 1, 2);
  else if (joinsLower) ranges[at - 1] = n;
  else if (joinsUpper) ranges[at] = n;
  else ranges.splice(at, 0, n, n);
  if (ranges.length > maxRuns * 2) ranges.splice(0, ranges.length - maxRuns * 2);
}

/** Where the first run begins that does not end below `n`. New numbers are mostly the highest. */
function firstRunFrom(ranges: Ranges, n: number): number {
  let [low, high] = [0, ranges.length / 2];
  while (low < high) {
    const middle = high === ranges.length / 2 ? high - 1 : Math.floor((low + high) / 2);
    if ((ranges[middle * 2 + 1] ?? n) < n) low = middle + 1;
    else high = middle;
  }
  return low * 2;
}
