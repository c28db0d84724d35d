import { showName } from "./describe.ts";

/** What a message about an unknown name adds: the name that was probably meant; empty if none is near. */
export function suggestion(name: string, known: readonly string[]): string {
  const guess = nearest(name, known);
  return guess === undefined || guess === name ? "" : ` (did you mean ${showName(guess)}?)`;
}

/** The same, or else all names that are known. */
export function hint(name: string, known: readonly string[]): string {
  return suggestion(name, known) || ` (known: ${known.map(showName).join(", ") || "none"})`;
}

/** The known name that a mistyped one most likely means, in any case: at most `share` of its letters differ. */
export function nearest(name: string, known: readonly string[], share = 1 / 3): string | undefined {
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    const limit = Math.max(name.length, candidate.length) * share;
    // A name in a row may have any length; comparing it letter by letter would take long.
    if (Math.abs(name.length - candidate.length) > limit) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance <= limit && distance < (best?.distance ?? Number.POSITIVE_INFINITY))
      best = { name: candidate, distance };
  }
  return best?.name;
}

/** Letters that were added, left out, replaced, or swapped with the next one. */
function editDistance(a: string, b: string): number {
  let before: readonly number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const swap = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      const isTurned = a[i] === b[j - 1] && a[i - 1] === b[j];
      const least = isTurned ? Math.min(swap, (before[j - 1] ?? 0) + 1) : swap;
      next.push(Math.min(least, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
