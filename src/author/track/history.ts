import { isJsonObject, type JsonValue } from "../../text/json.ts";

/** What can be tracked: a value that JSON keeps as it is. */
export type Scalar = string | number | boolean | null;

/** Looks in a row that saw the same value. */
export interface Run {
  readonly value: Scalar;
  /** Epoch seconds of the first and of the latest of these looks. */
  readonly first: number;
  readonly last: number;
}

/** The runs of each key, oldest first; no key is without runs. */
export type History = ReadonlyMap<string, readonly Run[]>;

/** A history as JSON. Most keys are looked at at the same times, so each time is written once and runs refer to it. */
export interface TrackMemory {
  readonly times: readonly number[];
  readonly keys: { readonly [key: string]: readonly WrittenRun[] };
}

/** Its value, and where in `times` its first and its latest look are. */
export type WrittenRun = readonly [value: Scalar, first: number, last: number];

export function isScalar(value: unknown): value is Scalar {
  if (typeof value === "number") return Number.isFinite(value);
  return value === null || typeof value === "string" || typeof value === "boolean";
}

export function writeHistory(history: History): TrackMemory {
  const used = new Set([...history.values()].flat().flatMap(({ first, last }) => [first, last]));
  const times = [...used].sort((a, b) => a - b);
  const places = new Map(times.map((time, place) => [time, place]));
  const place = (time: number): number => places.get(time) ?? 0;
  const keys = [...history].map(([key, runs]) => {
    const written = runs.map(
      ({ value, first, last }): WrittenRun => [value, place(first), place(last)],
    );
    return [key, written] as const;
  });
  return { times, keys: Object.fromEntries(keys) };
}

/** Undefined for what `writeHistory` did not write. */
export function readHistory(memory: unknown): History | undefined {
  if (!isJsonObject(memory) || !Array.isArray(memory.times) || !isJsonObject(memory.keys))
    return undefined;
  const history = new Map<string, readonly Run[]>();
  for (const [key, written] of Object.entries(memory.keys)) {
    const runs = readRuns(written, memory.times);
    if (runs === undefined) return undefined;
    history.set(key, runs);
  }
  return history;
}

function readRuns(written: unknown, times: readonly JsonValue[]): readonly Run[] | undefined {
  if (!Array.isArray(written) || written.length === 0) return undefined;
  const runs: Run[] = [];
  for (const row of written) {
    const run = readRun(row, times);
    if (run === undefined || run.first < (runs.at(-1)?.last ?? run.first)) return undefined;
    runs.push(run);
  }
  return runs;
}

function readRun(row: unknown, times: readonly JsonValue[]): Run | undefined {
  if (!Array.isArray(row)) return undefined;
  const [value, from, to]: readonly unknown[] = row;
  const [first, last] = [timeAt(times, from), timeAt(times, to)];
  if (!isScalar(value) || first === undefined || last === undefined) return undefined;
  return first <= last ? { value, first, last } : undefined;
}

function timeAt(times: readonly JsonValue[], place: unknown): number | undefined {
  const time = typeof place === "number" ? times[place] : undefined;
  return typeof time === "number" ? time : undefined;
}
