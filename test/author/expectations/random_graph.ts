import fc from "fast-check";
import type { Expectation, Graph, Term } from "../../../src/author/expectations/expectation.ts";
import type { Fact } from "./oracle.ts";

export const START = 1000;
export const STAGES = ["first", "second", "third"];
const NAMES = ["a", "b", "c", "d", "e"];
export const WANTS = ["u", "v", "w", "x", "y", "z"];

const term: fc.Arbitrary<Term<string>> = fc.letrec<{ term: Term<string> }>((tie) => ({
  term: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    { weight: 5, arbitrary: fc.constantFrom(...WANTS) },
    {
      weight: 1,
      arbitrary: fc.record({ all: fc.array(tie("term"), { minLength: 1, maxLength: 3 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ any: fc.array(tie("term"), { minLength: 1, maxLength: 3 }) }),
    },
    { weight: 1, arbitrary: fc.record({ not: tie("term") }) },
  ),
})).term;

/** Sometimes there. */
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 1 });

/** A graph of one to five expectations, each of which may come after any before it. */
export const randomGraph: fc.Arbitrary<Graph<string>> = fc
  .array(
    fc.record({
      want: term,
      within: fc.constantFrom(0, 20, 60, 100, 250),
      parents: fc.nat(31),
      when: maybe(term),
      cancel: maybe(term),
      from: maybe(term),
      stage: maybe(fc.constantFrom(...STAGES)),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((nodes) => ({
    stages: STAGES,
    expectations: nodes.map(
      ({ want, within, parents, when, cancel, from, stage }, index): Expectation<string> => ({
        name: NAMES[index] ?? "",
        want,
        within,
        after: NAMES.slice(0, index).filter((_, bit) => (parents >> bit) % 2 === 1),
        ...(when !== undefined && { when }),
        ...(cancel !== undefined && { cancel }),
        ...(from !== undefined && { from }),
        ...(stage !== undefined && { stage }),
      }),
    ),
  }));

/** Times that often meet each other and a deadline. */
export const randomTime = (first: number): fc.Arbitrary<number> =>
  fc.integer({ min: first / 10, max: 150 }).map((tens) => tens * 10);

export const randomFact = (first: number): fc.Arbitrary<Fact> =>
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

/** From the start until all deadlines are over. */
export const randomNow: fc.Arbitrary<number> = fc
  .integer({ min: 100, max: 280 })
  .map((tens) => tens * 10);
