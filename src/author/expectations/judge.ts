import { quote } from "../../text/describe.ts";
import type { Expectation, Graph, Look, Verdict } from "./expectation.ts";
import { inOrder } from "./in_order.ts";
import { type Seen, see, seenAt } from "./term.ts";

/**
 * What has become of each expectation for one entity, in the order of the graph. `start` is when the entity began, in epoch
 * seconds; the clocks of what comes after nothing start there. Pure: the same for the same sights. Throws for a graph that
 * `checkGraph` finds wrong.
 */
export function judge<W>(
  graph: Graph<W>,
  start: number,
  look: Look<W>,
  now: number,
): readonly Verdict<W>[] {
  return judgeTimed(graph, start, look, now, new Set());
}

/** The same, with the exact times of these expectations, where the data has them. */
export function judgeTimed<W>(
  graph: Graph<W>,
  start: number,
  look: Look<W>,
  now: number,
  exact: ReadonlySet<string>,
): readonly Verdict<W>[] {
  const timed = new Set(exact);
  for (;;) {
    const judging = new Judging(graph, start, look, now, timed);
    const more = judging.doubtful().filter((name) => !timed.has(name));
    if (more.length === 0) return judging.verdicts();
    for (const name of more) timed.add(name);
  }
}

/** An expectation that was judged, and what its children build on. */
interface Judged<W> {
  readonly verdict: Verdict<W>;
  /** When it was met, at the latest. */
  readonly time?: number;
  /** Whether an exact time may be found. */
  readonly isAssumed?: boolean;
  /** Why its exact time cannot be known now. */
  readonly doubt?: string;
  /** A later stage was reached without it, so that its children do not wait for it. */
  readonly isMoot?: boolean;
}

type Outcome<W> = Omit<Judged<W>, "verdict"> & Omit<Verdict<W>, "expectation">;

class Judging<W> {
  readonly #graph: Graph<W>;
  readonly #start: number;
  readonly #look: Look<W>;
  readonly #now: number;
  readonly #timed: ReadonlySet<string>;
  readonly #judged = new Map<string, Judged<W>>();
  /** Seconds until the first deadline of an expectation or of what comes after it. */
  readonly #soonest = new Map<string, number>();
  readonly #reached: number;
  /** Parents whose assumed time has decided a verdict. */
  readonly #doubtful = new Set<string>();

  constructor(
    graph: Graph<W>,
    start: number,
    look: Look<W>,
    now: number,
    timed: ReadonlySet<string>,
  ) {
    this.#graph = graph;
    this.#start = start;
    this.#look = look;
    this.#now = now;
    this.#timed = timed;
    const ordered = inOrder(graph);
    for (const { name, within, after = [] } of [...ordered].reverse()) {
      const soonest = Math.min(within, this.#soonest.get(name) ?? within);
      for (const each of [name, ...after])
        this.#soonest.set(each, Math.min(soonest, this.#soonest.get(each) ?? soonest));
    }
    this.#reached = Math.max(-1, ...ordered.map((each) => this.#reachedBy(each)));
    for (const expectation of ordered) {
      const { time, isAssumed, doubt, isMoot, ...rest } = this.#judge(expectation);
      this.#judged.set(expectation.name, {
        verdict: { expectation, ...rest },
        ...(time !== undefined && { time }),
        ...(isAssumed !== undefined && { isAssumed }),
        ...(doubt !== undefined && { doubt }),
        ...(isMoot !== undefined && { isMoot }),
      });
    }
  }

  verdicts(): readonly Verdict<W>[] {
    return this.#graph.expectations.flatMap(({ name }) => this.#judged.get(name)?.verdict ?? []);
  }

  doubtful(): readonly string[] {
    return [...this.#doubtful];
  }

  #see(term: Expectation<W>["want"], timed: boolean, from?: number): Seen {
    return see(term, (want) => seenAt(this.#look(want, timed), this.#now), from);
  }

  #stageOf({ stage }: Expectation<W>): number {
    return stage === undefined ? -1 : (this.#graph.stages ?? []).indexOf(stage);
  }

  #reachedBy(expectation: Expectation<W>): number {
    const stage = this.#stageOf(expectation);
    return stage > 0 && this.#see(expectation.want, false).kind === "there" ? stage : -1;
  }

  #judge(expectation: Expectation<W>): Outcome<W> {
    const { name, when, after = [] } = expectation;
    const guard: Seen = when === undefined ? { kind: "there" } : this.#see(when, false);
    if (guard.kind === "absent") return { state: "not expected" };
    if (guard.kind !== "there") return this.#undecided(guard, this.#start, name, "waiting");
    const parents = after.flatMap((parent) => this.#judged.get(parent) ?? []);
    const expected = parents.filter(({ verdict }) => verdict.state !== "not expected");
    if (after.length > 0 && expected.length === 0) return { state: "not expected" };
    const live = expected.filter(({ isMoot }) => isMoot !== true);
    if (expected.length > 0 && live.length === 0) return this.#judgeMoot(expectation);
    const cancelled = live.find(({ verdict }) => verdict.state === "cancelled");
    if (cancelled !== undefined)
      return {
        state: "cancelled",
        reason: `${quote(cancelled.verdict.expectation.name)} is cancelled`,
      };
    if (live.some(({ time }) => time === undefined)) return this.#orMoot(expectation, "waiting");
    return this.#judgeFrom(expectation, live);
  }

  /** Its parents are met, or it has none. */
  #judgeFrom(expectation: Expectation<W>, parents: readonly Judged<W>[]): Outcome<W> {
    const { from, name } = expectation;
    const times = parents.flatMap(({ time }) => time ?? []);
    if (from !== undefined) {
      const begun = this.#timeOf(from);
      const earliest = Math.max(...times, this.#start);
      if (begun.kind === "absent") return this.#orMoot(expectation, "waiting");
      if (begun.kind !== "there") return this.#undecided(begun, earliest, name, "waiting");
      if (begun.time === undefined)
        return { state: "unknown", reason: "the time that its clock starts from is not known" };
      times.push(begun.time);
    }
    const since = times.length === 0 ? this.#start : Math.max(...times);
    const outcome = this.#judgeDue(expectation, since);
    const isDecided = outcome.state === "missing" || outcome.state === "late";
    const assumed = parents.filter(({ isAssumed }) => isAssumed === true);
    if (isDecided) for (const { verdict } of assumed) this.#doubtful.add(verdict.expectation.name);
    const doubt = parents.find((parent) => parent.doubt !== undefined)?.doubt;
    if (!isDecided || doubt === undefined) return outcome;
    return { state: "unknown", reason: doubt };
  }

  #judgeDue(expectation: Expectation<W>, since: number): Outcome<W> {
    const { name, want, within } = expectation;
    const due = since + within;
    const clock = { since, due };
    const seen = this.#see(want, false, since);
    switch (seen.kind) {
      case "need":
      case "unknown":
        return { ...this.#undecided(seen, since, name, "pending"), ...clock };
      case "there":
        return {
          ...this.#judgeThere(expectation, due, seen.time ?? this.#exactTime(expectation, since)),
          ...clock,
        };
      case "bad":
        return {
          ...(this.#cancelled(expectation, due) ?? { state: "bad", reason: seen.reason }),
          ...clock,
        };
      case "absent": {
        const state = this.#now > due ? "missing" : "pending";
        return {
          ...(this.#cancelled(expectation, due) ?? this.#orMoot(expectation, state)),
          ...clock,
        };
      }
    }
  }

  /** It is there; its time, if that is known, or why it is not. */
  #judgeThere(expectation: Expectation<W>, due: number, at: number | Seen): Outcome<W> {
    if (typeof at === "number") {
      if (at <= due) return { state: "met", at, time: at };
      return this.#cancelled(expectation, due) ?? { state: "late", at, time: at };
    }
    // At its deadline, until the exact time would change a verdict.
    const met = { state: "met", time: due } as const;
    if (at.kind === "need")
      return {
        ...met,
        need: at.need,
        doubt: `the time of ${quote(expectation.name)} is not loaded`,
      };
    if (at.kind === "unknown")
      return { ...met, doubt: `the time of ${quote(expectation.name)} is not known: ${at.reason}` };
    return this.#timed.has(expectation.name) ? met : { ...met, isAssumed: true };
  }

  #exactTime({ name, want }: Expectation<W>, since: number): number | Seen {
    if (!this.#timed.has(name)) return { kind: "there" };
    const seen = this.#see(want, true, since);
    return seen.kind === "there" && seen.time !== undefined ? seen.time : seen;
  }

  /** How a term is seen, with its time where that can be had. */
  #timeOf(term: Expectation<W>["want"]): Seen {
    const seen = this.#see(term, false);
    return seen.kind === "there" && seen.time === undefined ? this.#see(term, true) : seen;
  }

  /** Undefined unless it is cancelled, or may be. */
  #cancelled({ cancel }: Expectation<W>, due: number): Outcome<W> | undefined {
    if (cancel === undefined) return undefined;
    const untimed = this.#see(cancel, false);
    const seen = this.#now > due && untimed.kind === "there" ? this.#timeOf(cancel) : untimed;
    if (seen.kind === "need") return { state: "unknown", need: seen.need };
    if (seen.kind === "unknown") return { state: "unknown", reason: seen.reason };
    if (seen.kind !== "there") return undefined;
    const isBefore = seen.time === undefined ? this.#now <= due : seen.time <= due;
    return isBefore ? { state: "cancelled" } : undefined;
  }

  /** Once a later stage is reached, what did not come of an earlier one does not matter any more. */
  #orMoot(expectation: Expectation<W>, state: "missing" | "pending" | "waiting"): Outcome<W> {
    const stage = this.#stageOf(expectation);
    if (stage < 0 || stage >= this.#reached) return { state };
    return this.#moot();
  }

  #moot(): Outcome<W> {
    const reached = this.#graph.stages?.[this.#reached] ?? "";
    return { state: "cancelled", reason: `the stage ${quote(reached)} is reached`, isMoot: true };
  }

  /** All that it comes after is moot: its clock never starts. */
  #judgeMoot({ want }: Expectation<W>): Outcome<W> {
    const seen = this.#see(want, false);
    if (seen.kind !== "there") return this.#moot();
    const { time } = seen;
    return time === undefined
      ? { state: "met", time: this.#now }
      : { state: "met", at: time, time };
  }

  /** What is not loaded is needed only if it would decide something, and so is what cannot be looked at. */
  #undecided(seen: Seen, since: number, name: string, before: "pending" | "waiting"): Outcome<W> {
    if (this.#now <= since + (this.#soonest.get(name) ?? 0)) return { state: before };
    if (seen.kind === "need") return { state: "unknown", need: seen.need };
    const reason = seen.kind === "unknown" || seen.kind === "bad" ? seen.reason : "";
    return { state: "unknown", reason };
  }
}
