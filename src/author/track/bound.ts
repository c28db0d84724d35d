import { type History, type Run, writeHistory } from "./history.ts";

/** Bytes of a history as JSON. The rest of what a module may remember, 256 KiB, is its own. */
export const MAX_BYTES = 200 * 1024;

interface KeyedRun {
  readonly key: string;
  readonly run: Run;
}

/** At most this many of the latest runs of each key. */
export function boundRuns(history: History, max: number): History {
  return new Map([...history].map(([key, runs]) => [key, runs.slice(-max)]));
}

/** At most this many keys: those that were seen last, and of these, those that have not changed for the longest time. */
export function boundKeys(history: History, max: number): History {
  if (history.size <= max) return history;
  const bounded = new Map(history);
  for (const { key } of oldestFirst(history, 1).slice(0, history.size - max)) bounded.delete(key);
  return bounded;
}

/** At most `MAX_BYTES` of JSON. */
export function boundBytes(history: History): History {
  const { keys, ...rest } = writeHistory(history);
  let bytes = bytesOf({ keys, ...rest });
  if (bytes <= MAX_BYTES) return history;
  const bounded = new Map(history);
  for (const { key } of oldestFirst(history)) {
    if (bytes <= MAX_BYTES) break;
    const [, ...left] = bounded.get(key) ?? [];
    const written = keys[key]?.at(-1 - left.length);
    // With the comma. That fewer times are left, at lower places, only makes the rest shorter.
    bytes -= bytesOf(written) + 1;
    if (left.length > 0) bounded.set(key, left);
    else {
      bytes -= bytesOf(key) + ":[]".length;
      bounded.delete(key);
    }
  }
  return bounded;
}

/** Of runs that were seen equally late, the newest is the first: otherwise each look would drop other keys. */
function oldestFirst(history: History, runsPerKey = Number.POSITIVE_INFINITY): readonly KeyedRun[] {
  return [...history]
    .flatMap(([key, runs]) => runs.slice(-runsPerKey).map((run): KeyedRun => ({ key, run })))
    .reverse()
    .sort((a, b) => a.run.last - b.run.last || b.run.first - a.run.first);
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
