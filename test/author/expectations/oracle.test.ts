import fc from "fast-check";
import { expect, test } from "vitest";
import type { Graph, State, Verdict } from "../../../src/author/expectations/expectation.ts";
import { follow } from "../../../src/author/expectations/follow.ts";
import { judge } from "../../../src/author/expectations/judge.ts";
import { LOADS, type Loading, lookAt, randomLoading } from "./loading.ts";
import { type Facts, oracle } from "./oracle.ts";
import { randomFacts, randomGraph, randomNow, START } from "./random_graph.ts";

/** All that can be due is over. */
const END = 5000;
const runs = { numRuns: Number(process.env.RUNS ?? 3000) };

test("judge says what a second reading of the rules says", () => {
  fc.assert(
    fc.property(randomGraph, randomFacts(900), randomNow, (graph, facts, now) => {
      const told = oracle(graph, START, facts, now);
      const judged = judge(graph, START, (want) => facts.get(want) ?? false, now).map(
        ({ expectation: { name }, state }) => [
          name,
          told.get(name) === "no opinion" ? "no opinion" : state,
        ],
      );
      expect(judged).toEqual([...told]);
    }),
    runs,
  );
});

interface Followed {
  readonly states: ReadonlyMap<string, State>;
  readonly detected: readonly string[];
  readonly ended: readonly string[];
  readonly kept: readonly string[];
  readonly loaded: readonly string[];
}

/** One tick of one entity, in which `firing` are the active events. */
async function tick(
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

const randomFiring = fc.subarray(["a", "b", "c", "d", "e"]);

test("loading on need", async () => {
  await fc.assert(
    fc.asyncProperty(
      randomGraph,
      randomFacts(),
      randomNow,
      randomLoading,
      randomFiring,
      async (graph, facts, now, loading, firing) => {
        const whole = await tick(graph, now, facts, { loading, firing, isLoaded: true });
        const lazy = await tick(graph, now, facts, { loading, firing });
        for (const [name, state] of whole.states) {
          const seen = lazy.states.get(name) ?? "unknown";
          if (now < END && !firing.includes(name) && (seen === "pending" || seen === "waiting"))
            continue;
          if (seen === "met" && !firing.includes(name))
            expect(["met", "late"], name).toContain(state);
          else expect(seen, name).toBe(state);
        }
      },
    ),
    runs,
  );
});

test("what cannot be looked at", async () => {
  await fc.assert(
    fc.asyncProperty(
      randomGraph,
      randomFacts(),
      randomNow,
      randomLoading,
      fc.subarray(LOADS),
      randomFiring,
      async (graph, facts, now, loading, broken, firing) => {
        const whole = await tick(graph, now, facts, { loading, firing, isLoaded: true });
        const partial = await tick(graph, now, facts, { loading, firing, broken });
        for (const name of partial.detected) expect(whole.detected, name).toContain(name);
        for (const name of whole.detected)
          if (firing.includes(name))
            expect([...partial.detected, ...partial.kept], name).toContain(name);
      },
    ),
    runs,
  );
});
