import fc from "fast-check";
import { expect, test } from "vitest";
import type { Expectation, Graph, Sight } from "../../../src/author/expectations/expectation.ts";
import { horizon } from "../../../src/author/expectations/horizon.ts";
import { replay } from "../../../src/author/expectations/replay.ts";

const START = 1000;
const NAMES = ["a", "b", "c", "d", "e"];

/** A graph in which each may come after those before it, and the times of everything it looks for. */
const graphs = fc
  .tuple(
    fc.array(
      fc.record({
        within: fc.integer({ min: 0, max: 900 }),
        parents: fc.nat(31),
        kind: fc.constantFrom("plain", "all", "any", "not"),
        when: fc.option(fc.constantFrom("guard", "a")),
        cancel: fc.option(fc.constantFrom("stop", "b")),
        from: fc.option(fc.constantFrom("ready", "a")),
        stage: fc.option(fc.constantFrom("first", "second", "third")),
      }),
      { minLength: 1, maxLength: 5 },
    ),
    fc.array(fc.integer({ min: 500, max: 5000 }), { minLength: 8, maxLength: 8 }),
  )
  .map(([nodes, times]) => {
    const expectations = nodes.map((node, index): Expectation<string> => {
      const name = NAMES[index] ?? "";
      const other = NAMES[(index + 1) % 5] ?? "";
      const wants = {
        plain: name,
        all: { all: [name, other] },
        any: { any: [name, other] },
        not: { not: name },
      };
      return {
        name,
        want: wants[node.kind],
        within: node.within,
        after: NAMES.slice(0, index).filter((_, bit) => (node.parents >> bit) % 2 === 1),
        ...(node.when !== null && { when: node.when }),
        ...(node.cancel !== null && { cancel: node.cancel }),
        ...(node.from !== null && { from: node.from }),
        ...(node.stage !== null && { stage: node.stage }),
      };
    });
    const graph: Graph<string> = { stages: ["first", "second", "third"], expectations };
    const wants = [...NAMES, "guard", "stop", "ready"];
    return { graph, records: new Map(wants.map((want, index) => [want, times[index] ?? 0])) };
  });

const looking =
  (records: ReadonlyMap<string, number>) =>
  (want: string): Sight =>
    records.get(want) ?? false;

const POINTS = Array.from({ length: 60 }, (_, index) => START + index * 97);

test("records that are later than now never change a verdict", () => {
  fc.assert(
    fc.property(graphs, ({ graph, records }) => {
      const whole = replay(graph, START, looking(records), POINTS);
      for (const [index, now] of POINTS.entries()) {
        const known = new Map([...records].filter(([, time]) => time <= now));
        expect(replay(graph, START, looking(known), [now])[0]).toEqual(whole[index]);
      }
    }),
    { numRuns: 300 },
  );
});

test("nothing is pending when the look-back is over, unless a clock started late", () => {
  fc.assert(
    fc.property(graphs, ({ graph, records }) => {
      const expectations = graph.expectations.map(({ from: _, ...rest }) => rest);
      const own: Graph<string> = { ...graph, expectations };
      const early = new Map([...records].map(([want, time]) => [want, Math.min(time, START)]));
      const [verdicts = []] = replay(own, START, looking(early), [START + horizon(own) + 1]);
      expect(verdicts.filter(({ state }) => state === "pending")).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
