import type { Graph, Term, Verdict } from "./expectation.ts";
import type { Seen } from "./term.ts";

/** What an expectation is judged by. */
export interface Moment<W> {
  readonly graph: Graph<W>;
  readonly start: number;
  readonly now: number;
  /** The expectations whose exact times matter. */
  readonly timed: ReadonlySet<string>;
  /** What is firing, and what that comes after: it is never too early to look. */
  readonly pressing: ReadonlySet<string>;
  /** What became of those that it comes after. */
  readonly judged: ReadonlyMap<string, Outcome<W>>;
  readonly see: (term: Term<W>, timed: boolean, from?: number) => Seen;
  /** Whether it is too early for an expectation, or for what comes after it, to decide anything. */
  readonly isEarly: (name: string, since: number) => boolean;
}

/** A verdict, and what the children of the expectation build on. */
export interface Outcome<W> extends Omit<Verdict<W>, "expectation"> {
  /** Set once it is there. */
  readonly met?: Met;
  /** A later stage was reached without it, so that its children do not wait for it. */
  readonly isMoot?: boolean;
  /** The expectations whose exact times would change the verdict. */
  readonly asks?: readonly string[];
}

export interface Met {
  /** At the latest; missing if there is no deadline to assume. */
  readonly time?: number;
  /** The expectations whose exact times would change `time`. */
  readonly assumed: readonly string[];
  /** Why `time` cannot be known now. */
  readonly doubt?: string;
}
