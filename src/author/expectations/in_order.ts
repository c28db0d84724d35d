import { checkGraph } from "./check_graph.ts";
import type { Expectation, Graph } from "./expectation.ts";

/** The expectations, each behind those that it comes after. Throws if `checkGraph` finds a fault. */
export function inOrder<W>(graph: Graph<W>): readonly Expectation<W>[] {
  const faults = checkGraph(graph);
  if (faults.length > 0) throw new Error(`the graph is wrong: ${faults.join("; ")}`);
  const byName = new Map(graph.expectations.map((each) => [each.name, each]));
  const done = new Map<string, Expectation<W>>();
  const add = (expectation: Expectation<W>): void => {
    for (const name of expectation.after ?? []) {
      const parent = byName.get(name);
      if (parent !== undefined && !done.has(name)) add(parent);
    }
    done.set(expectation.name, expectation);
  };
  for (const expectation of graph.expectations) if (!done.has(expectation.name)) add(expectation);
  return [...done.values()];
}
