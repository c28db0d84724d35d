/** What a row of a table says: a thing that was measured several times, and what it is judged by. */
export interface Figure {
  /** The work, as `10,000 tasks, repeat tick`. */
  readonly work: string;
  /** What was measured of it, as `wall`. */
  readonly measure: string;
  readonly unit: Unit;
  /** One for each run; none where this machine cannot measure it. */
  readonly values: readonly number[];
  /** At most so much is to be reached. */
  readonly target?: number;
  /** At most so many times the floor is to be reached: holds on a machine of any speed. */
  readonly targetRatio?: number;
  /** The least that the same work takes on this machine, measured in the same run. */
  readonly floor?: Floor;
}

export interface Floor {
  readonly name: string;
  readonly values: readonly number[];
}

/** Seconds, megabytes (of 10⁶ bytes), bytes, a share of something, or a plain number. */
export type Unit = "s" | "MB" | "B" | "×" | "";

/** A part of the document. */
export interface Section {
  readonly title: string;
  readonly figures: readonly Figure[];
  /** Further tables, where the rows are of another shape. */
  readonly tables?: readonly Table[];
  /** How it was measured, in sentences. */
  readonly notes: readonly string[];
}

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Throws where there is nothing to take it of. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [
    sorted[Math.floor((sorted.length - 1) / 2)],
    sorted[Math.ceil((sorted.length - 1) / 2)],
  ];
  if (low === undefined || high === undefined) throw new Error("there is no median of nothing");
  return (low + high) / 2;
}

export type Verdict = "reached" | "missed" | "not measured" | "no target";

export function judge(figure: Figure): Verdict {
  const { values, target, targetRatio } = figure;
  const limit = targetRatio ?? target;
  if (limit === undefined) return "no target";
  const reached =
    targetRatio !== undefined ? ratio(figure) : values.length === 0 ? undefined : median(values);
  if (reached === undefined) return "not measured";
  return reached <= limit ? "reached" : "missed";
}

/** How many times its floor the work takes; undefined where one of them was not measured. */
export function ratio({ values, floor }: Figure): number | undefined {
  if (floor === undefined || values.length === 0 || floor.values.length === 0) return undefined;
  const least = median(floor.values);
  return least > 0 ? median(values) / least : undefined;
}

/** A value with its unit: three digits where there are any to tell apart. */
export function renderValue(value: number, unit: Unit): string {
  const number = renderNumber(value);
  return unit === "" ? number : unit === "×" ? `${number} ×` : `${number} ${unit}`;
}

function renderNumber(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100)
    return Math.round(value).toLocaleString("en-US");
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(Math.abs(value) >= 0.1 ? 2 : 3);
}

/** `0.16…0.21`; of a single run there is none. */
export function renderSpread(values: readonly number[]): string {
  if (values.length < 2) return "one run";
  return `${renderNumber(Math.min(...values))}…${renderNumber(Math.max(...values))}`;
}
