import type { Graph } from "./expectation.ts";
import { inOrder } from "./in_order.ts";

/**
 * Seconds from the start of an entity to its last deadline, if each is met at its deadline. `from` may start a clock
 * later: add what that can take.
 */
export function horizon<W>(graph: Graph<W>): number {
  const ends = new Map<string, number>();
  for (const { name, within, after = [] } of inOrder(graph))
    ends.set(name, within + Math.max(0, ...after.map((parent) => ends.get(parent) ?? 0)));
  return Math.max(0, ...ends.values());
}
