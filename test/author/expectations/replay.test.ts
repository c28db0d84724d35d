import fc from "fast-check";
import { expect, test } from "vitest";
import type { Graph } from "../../../src/author/expectations/expectation.ts";
import { horizon } from "../../../src/author/expectations/horizon.ts";
import { judge } from "../../../src/author/expectations/judge.ts";
import { replay } from "../../../src/author/expectations/replay.ts";
import { lookAt } from "./loading.ts";
import type { Fact } from "./oracle.ts";
import { randomFacts, randomGraph, START } from "./random_graph.ts";

/** Whether a record is there at that time, or is dated later. */
function isKnown(fact: Fact, now: number): boolean {
  if (fact === true) return true;
  return (typeof fact === "number" ? fact : (fact.at ?? now)) <= now;
}

test.each([1, 5, 15])(
  "records that are later than now never change a verdict, every %i minutes",
  (minutes) => {
    const times = Array.from(
      { length: 1800 / (60 * minutes) },
      (_, index) => START + index * 60 * minutes,
    );
    fc.assert(
      fc.property(randomGraph, randomFacts(900), (graph, facts) => {
        const look = (want: string) => facts.get(want) ?? false;
        const whole = replay(graph, START, look, times);
        for (const [index, now] of times.entries()) {
          const known = new Map([...facts].filter(([, fact]) => isKnown(fact, now)));
          const then = judge(graph, START, (want) => known.get(want) ?? false, now);
          expect(whole[index]).toEqual(then);
        }
      }),
      { numRuns: 200 },
    );
  },
);

test("nothing is pending when the look-back is over, unless a clock started late", () => {
  fc.assert(
    fc.property(randomGraph, randomFacts(900), ({ stages = [], expectations }, facts) => {
      const own: Graph<string> = {
        stages,
        expectations: expectations.map(({ from: _, ...rest }) => rest),
      };
      const early = new Map([...facts].filter(([, fact]) => isKnown(fact, START)));
      const [verdicts = []] = replay(own, START, lookAt(early, START), [START + horizon(own) + 1]);
      expect(verdicts.filter(({ state }) => state === "pending")).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
