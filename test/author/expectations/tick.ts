import type { Graph, State, Verdict } from "../../../src/author/expectations/expectation.ts";
import { follow } from "../../../src/author/expectations/follow.ts";
import { LOADS, type Loading, lookAt } from "./loading.ts";
import type { Facts } from "./oracle.ts";
import { START } from "./random_graph.ts";

export interface Followed {
  readonly states: ReadonlyMap<string, State>;
  readonly detected: readonly string[];
  readonly ended: readonly string[];
  readonly kept: readonly string[];
  readonly loaded: readonly string[];
}

/** One tick of one entity, in which `firing` are the active events. */
export async function tick(
  graph: Graph<string>,
  now: number,
  facts: Facts,
  {
    loading,
    broken = [],
    firing = [],
    isLoaded = false,
  }: {
    readonly loading?: Loading;
    readonly broken?: readonly string[];
    readonly firing?: readonly string[];
    readonly isLoaded?: boolean;
  },
): Promise<Followed> {
  const loaded = new Set(isLoaded ? LOADS : []);
  const states = new Map<string, State>();
  const result = {
    states,
    detected: [] as string[],
    ended: [] as string[],
    kept: [] as string[],
    loaded: [] as string[],
  };
  const items = follow(
    {
      graph,
      now,
      id: () => "S",
      start: () => START,
      look: (_, want, timed) => lookAt(facts, now, loading, loaded, new Set(broken))(want, timed),
      load: async (_, need) => {
        result.loaded.push(need);
        loaded.add(need);
      },
      firing: new Set(firing.map((name) => `S:${name}`)),
      unknown: (_, key) => void result.kept.push(key.slice(2)),
      seen: (_: string, verdicts: readonly Verdict<string>[]) => {
        for (const { expectation, state } of verdicts) states.set(expectation.name, state);
      },
    },
    "S",
  );
  for await (const item of items)
    ("clear" in item ? result.ended : result.detected).push(item.dedupeKey.slice(2));
  return result;
}
