import { type History, writeHistory } from "./history.ts";

/** Bytes of a history as JSON. `client.remember` keeps 256 KiB, so a module has room for more than its Track. */
export const MAX_BYTES = 200 * 1024;

interface KeyedRun {
  readonly key: string;
  readonly last: number;
}

/** At most this many of the latest runs of each key. */
export function boundRuns(history: History, max: number): History {
  return new Map([...history].map(([key, runs]) => [key, runs.slice(-max)]));
}

/** At most this many keys: those that were seen last. */
export function boundKeys(history: History, max: number): History {
  if (history.size <= max) return history;
  const bounded = new Map(history);
  for (const { key } of oldestFirst(history, 1).slice(0, history.size - max)) bounded.delete(key);
  return bounded;
}

/** At most `MAX_BYTES` of JSON. */
export function boundBytes(history: History): History {
  const written = writeHistory(history);
  let bytes = bytesOf(written);
  if (bytes <= MAX_BYTES) return history;
  const bounded = new Map(history);
  for (const { key } of oldestFirst(history)) {
    if (bytes <= MAX_BYTES) break;
    const [, ...left] = bounded.get(key) ?? [];
    const oldest = written.keys[key]?.at(-1 - left.length);
    // With the comma. That fewer times are left, at lower places, only makes the rest shorter.
    bytes -= bytesOf(oldest) + 1;
    if (left.length > 0) bounded.set(key, left);
    else {
      bytes -= bytesOf(key) + ":[]".length;
      bounded.delete(key);
    }
  }
  return bounded;
}

/** Of keys that were last seen at the same time, new ones come first, so that the same ones stay at each look. */
function oldestFirst(history: History, runsPerKey = Number.POSITIVE_INFINITY): readonly KeyedRun[] {
  return [...history]
    .flatMap(([key, runs]) => runs.slice(-runsPerKey).map(({ last }): KeyedRun => ({ key, last })))
    .reverse()
    .sort((a, b) => a.last - b.last);
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
