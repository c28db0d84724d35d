import type { Severity } from "../../core/level.ts";

/** Something that should appear within a time after something else. `W` is what a module can look for, as it likes to write it. */
export interface Expectation<W> {
  /** Unique in its graph; part of the dedupe key. */
  readonly name: string;
  readonly want: Term<W>;
  /** Seconds from the start of its clock to its deadline. */
  readonly within: number;
  /** Names of others that must be met first; its clock starts at the latest of their times. */
  readonly after?: readonly string[];
  /** Its clock does not start before this has appeared. */
  readonly from?: Term<W>;
  /** It is expected only while this is there, whatever the time of that. */
  readonly when?: Term<W>;
  /** It is not expected any more if this appeared before its deadline. */
  readonly cancel?: Term<W>;
  readonly owner?: string;
  readonly severity?: Severity;
  /** One of the graph's `stages`. */
  readonly stage?: string;
  /** What it is called in messages; else its name. */
  readonly words?: string;
}

/** Expectations, which are data: nothing in them is called. */
export interface Graph<W> {
  /** The stages in their order, such as the module's `STAGES`. */
  readonly stages?: readonly string[];
  readonly expectations: readonly Expectation<W>[];
}

export type Term<W> =
  | W
  | { readonly all: readonly Term<W>[] }
  | { readonly any: readonly Term<W>[] }
  | { readonly not: Term<W> };

/** What is known of one `W` of one entity. */
export type Sight =
  /** There since that time: epoch seconds, by the data. */
  | number
  /** There, but its time is not known. */
  | true
  /** Looked for, and not there. */
  | false
  /** There, but unusable. */
  | { readonly bad: string; readonly at?: number }
  /** Not loaded yet: load this fact, then look again. */
  | { readonly need: string }
  /** Cannot be looked at now. */
  | { readonly unknown: string };

/** `timed`: the exact time matters; else `true` will do where the time is costs a request. */
export type Look<W> = (want: W, timed: boolean) => Sight;

export const STATES = [
  /** There, by its deadline as far as is known. */
  "met",
  /** There, after its deadline. */
  "late",
  /** Not there, and its deadline is over. */
  "missing",
  /** There, but unusable. */
  "bad",
  /** Not there, and its deadline is to come. */
  "pending",
  /** Its clock has not started. */
  "waiting",
  "cancelled",
  "not expected",
  /** It depends on what could not be looked at, or is not loaded. */
  "unknown",
] as const;

export type State = (typeof STATES)[number];

/** What became of the expectations of one entity, by their names. */
export interface States {
  readonly [name: string]: State;
}

/** What became of an expectation. Times are epoch seconds. */
export interface Verdict<W> {
  readonly expectation: Expectation<W>;
  readonly state: State;
  /** Why it is bad, cancelled or unknown. */
  readonly reason?: string;
  /** When its clock started. */
  readonly since?: number;
  /** Its deadline. */
  readonly due?: number;
  /** When it appeared. */
  readonly at?: number;
  /** The fact to load before it can be judged. */
  readonly need?: string;
}
