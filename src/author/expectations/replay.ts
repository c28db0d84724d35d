import type { Graph, Look, Verdict } from "./expectation.ts";
import { judge } from "./judge.ts";

/** What `judge` would have said at each of these times, in epoch seconds, from records that have all that came later too. */
export function replay<W>(
  graph: Graph<W>,
  start: number,
  look: Look<W>,
  times: readonly number[],
): readonly (readonly Verdict<W>[])[] {
  return times.map((now) => judge(graph, start, look, now));
}
