import type { Expectation, Graph, Look, Verdict } from "./expectation.ts";
import { inOrder } from "./in_order.ts";
import { judgeOne } from "./judge_one.ts";
import type { Moment, Outcome } from "./outcome.ts";
import { soonest } from "./soonest.ts";
import { see, seenAt } from "./term.ts";

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
  return judgeFiring(graph, start, look, now, new Set());
}

/**
 * The same for an entity of which these expectations are firing. Their exact times are wanted, and it is never too early to
 * look for them and for what they come after: an event must not end because something cannot be looked at.
 */
export function judgeFiring<W>(
  graph: Graph<W>,
  start: number,
  look: Look<W>,
  now: number,
  firing: ReadonlySet<string>,
): readonly Verdict<W>[] {
  const ordered = inOrder(graph);
  const first = soonest(ordered);
  const timed = new Set(firing);
  const pressing = new Set(firing);
  for (const { name, after = [] } of [...ordered].reverse())
    if (pressing.has(name)) for (const parent of after) pressing.add(parent);
  for (;;) {
    const judged = new Map<string, Outcome<W>>();
    const moment: Moment<W> = {
      graph,
      start,
      now,
      timed,
      pressing,
      judged,
      see: (term, isTimed, from) => see(term, (want) => seenAt(look(want, isTimed), now), from),
      isEarly: (name, since) => !pressing.has(name) && now <= since + (first.get(name) ?? 0),
    };
    for (const expectation of ordered) judged.set(expectation.name, judgeOne(moment, expectation));
    const asked = [...judged.values()].flatMap(({ asks = [] }) => asks);
    const more = asked.filter((name) => !timed.has(name));
    if (more.length === 0)
      return graph.expectations.flatMap((expectation) => verdictOf(expectation, judged));
    for (const name of more) timed.add(name);
  }
}

function verdictOf<W>(
  expectation: Expectation<W>,
  judged: ReadonlyMap<string, Outcome<W>>,
): readonly Verdict<W>[] {
  const outcome = judged.get(expectation.name);
  if (outcome === undefined) return [];
  const { met: _met, isMoot: _isMoot, asks: _asks, ...rest } = outcome;
  return [{ expectation, ...rest }];
}
