import fc from "fast-check";
import type { Expectation, Graph, Term } from "../../../src/author/expectations/expectation.ts";
import type { Fact } from "./oracle.ts";

export const START = 1000;
const STAGES = ["first", "second", "third"];
const NAMES = ["a", "b", "c", "d", "e"];
export const WANTS = ["u", "v", "w", "x", "y", "z"];

interface Allowed {
  readonly any: number;
  readonly not: number;
}
const EVERYTHING: Allowed = { any: 2, not: 1 };

const terms = (wants: readonly string[], allowed: Allowed): fc.Arbitrary<Term<string>> =>
  fc.letrec<{ term: Term<string> }>((tie) => {
    const list = fc.array(tie("term"), { minLength: 1, maxLength: 3 });
    return {
      term: fc.oneof(
        { maxDepth: 2, withCrossShrink: true },
        { weight: 5, arbitrary: fc.constantFrom(...wants) },
        { weight: 1, arbitrary: fc.record({ all: list }) },
        { weight: allowed.any, arbitrary: fc.record({ any: list }) },
        { weight: allowed.not, arbitrary: fc.record({ not: tie("term") }) },
      ),
    };
  }).term;

/** Sometimes there. */
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 1 });

/** A graph of one to five expectations, each of which may come after any before it. */
function graphs(
  want: fc.Arbitrary<Term<string>>,
  start: fc.Arbitrary<Term<string>>,
  guard: fc.Arbitrary<Term<string>>,
): fc.Arbitrary<Graph<string>> {
  const node = fc.record({
    want,
    within: fc.constantFrom(0, 20, 60, 100, 250),
    parents: fc.nat(31),
    when: maybe(guard),
    cancel: maybe(start),
    from: maybe(start),
    stage: maybe(fc.constantFrom(...STAGES)),
  });
  return fc.array(node, { minLength: 1, maxLength: 5 }).map((nodes) => ({
    stages: STAGES,
    expectations: nodes.map(
      ({ want, within, parents, ...rest }, index): Expectation<string> => ({
        name: NAMES[index] ?? "",
        want,
        within,
        after: NAMES.slice(0, index).filter((_, bit) => (parents >> bit) % 2 === 1),
        ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)),
      }),
    ),
  }));
}

const anything = terms(WANTS, EVERYTHING);
export const randomGraph = graphs(anything, anything, anything);

export const GUARDS = ["g", "h"];
/**
 * A graph in which nothing that is there can go away: its guards are facts of their own, and it wants no alternatives, where
 * one from before the clock counts only until another one comes.
 */
export const lastingGraph = graphs(
  terms(WANTS, { any: 0, not: 0 }),
  terms(WANTS, { any: 2, not: 0 }),
  terms(GUARDS, EVERYTHING),
);

/** Times that often meet each other and a deadline. */
const randomTime = (first: number): fc.Arbitrary<number> =>
  fc.integer({ min: first / 10, max: 150 }).map((tens) => tens * 10);

const randomFact = (first: number): fc.Arbitrary<Fact> =>
  fc.oneof(
    { weight: 6, arbitrary: randomTime(first) },
    { weight: 1, arbitrary: fc.constant(true as const) },
    { weight: 1, arbitrary: fc.constant({ bad: "empty" }) },
    { weight: 1, arbitrary: randomTime(first).map((at) => ({ bad: "empty", at })) },
  );

/** One fact, or none, for each of `WANTS`. */
export const randomFacts = (first = START): fc.Arbitrary<ReadonlyMap<string, Fact>> =>
  fc
    .tuple(...WANTS.map(() => fc.option(randomFact(first), { nil: undefined, freq: 2 })))
    .map(
      (facts) =>
        new Map(
          facts.flatMap((fact, index) => (fact === undefined ? [] : [[WANTS[index] ?? "", fact]])),
        ),
    );

/** All that can be due is over. */
export const OVER = 3000;

export const randomNow: fc.Arbitrary<number> = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: START / 10, max: 180 }).map((tens) => tens * 10) },
  { weight: 1, arbitrary: fc.constant(OVER) },
);
