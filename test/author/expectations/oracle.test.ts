import fc from "fast-check";
import { expect, test } from "vitest";
import type { Expectation, Term } from "../../../src/author/expectations/expectation.ts";
import { judge } from "../../../src/author/expectations/judge.ts";
import { LOADS, randomLoading } from "./loading.ts";
import { type Fact, type Facts, oracle } from "./oracle.ts";
import {
  GUARDS,
  lastingGraph,
  OVER,
  randomFacts,
  randomGraph,
  randomNow,
  START,
} from "./random_graph.ts";
import { tick } from "./tick.ts";

const growingFacts = fc
  .tuple(randomFacts(), fc.subarray(GUARDS))
  .map(
    ([facts, guards]): Facts =>
      new Map([...facts, ...guards.map((guard): [string, Fact] => [guard, true])]),
  );
const runs = { numRuns: 3000 };

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

const randomFiring = fc.subarray(["a", "b", "c", "d", "e"]);

test("what is loaded on need gives the same states as everything at once", async () => {
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
          // It may be too early to look, or an exact time would only change how late it was.
          if (now < OVER && !firing.includes(name) && (seen === "pending" || seen === "waiting"))
            continue;
          // Whether it was late is left open while nothing rests on it.
          const isThere = seen === "met" || seen === "late";
          if (isThere && !firing.includes(name)) expect(["met", "late"], name).toContain(state);
          else expect(seen, name).toBe(state);
        }
      },
    ),
    runs,
  );
});

test("what is missing by all times is not found later because they are loaded on need", async () => {
  await fc.assert(
    fc.asyncProperty(
      randomGraph,
      randomFacts(),
      randomNow,
      randomLoading,
      async (graph, facts, now, loading) => {
        const exact = await tick(graph, now, facts, {});
        const lazy = await tick(graph, now, facts, { loading });
        for (const name of exact.detected)
          if (exact.states.get(name) === "missing") expect(lazy.detected, name).toContain(name);
      },
    ),
    runs,
  );
});

test("what cannot be looked at makes no detection and ends no event that all facts would not", async () => {
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

/** What an expectation looks for, without its guard. */
function wantsOf({ want, cancel, from }: Expectation<string>): readonly string[] {
  return [want, cancel, from].flatMap((term) => (term === undefined ? [] : leaves(term)));
}

function leaves(term: Term<string>): readonly string[] {
  if (typeof term === "string") return [term];
  if ("not" in term) return leaves(term.not);
  return ("all" in term ? term.all : term.any).flatMap(leaves);
}

test("nothing is loaded before a deadline is over, nor for what is not expected", async () => {
  await fc.assert(
    fc.asyncProperty(
      randomGraph,
      randomFacts(),
      randomNow,
      randomLoading,
      async (graph, facts, now, loading) => {
        const whole = await tick(graph, now, facts, { loading, isLoaded: true });
        const { loaded } = await tick(graph, now, facts, { loading });
        const { expectations } = graph;
        const isBad = [...facts.values()].some((fact) => typeof fact === "object");
        const first = START + Math.min(...expectations.map(({ within }) => within));
        if (now <= first && !isBad) expect(loaded).toEqual([]);
        const deciding = expectations.flatMap((each) => [
          ...(each.when === undefined ? [] : leaves(each.when)),
          ...(whole.states.get(each.name) === "not expected" ? [] : wantsOf(each)),
        ]);
        const needed = deciding.flatMap((want) => [
          loading.presence.get(want),
          loading.times.get(want),
        ]);
        for (const need of loaded) expect(needed).toContain(need);
      },
    ),
    runs,
  );
});

test("an event fires once and ends once while records only grow, whatever cannot be looked at now and then", async () => {
  const outages = fc.array(fc.subarray(LOADS), { minLength: 1, maxLength: 9 });
  await fc.assert(
    fc.asyncProperty(
      lastingGraph,
      growingFacts,
      randomLoading,
      outages,
      fc.constantFrom(10, 60, 300),
      async (graph, facts, loading, outage, every) => {
        const story = new Map<string, string>();
        let firing: readonly string[] = [];
        for (let step = 0, now = START; now <= OVER; step += 1, now += every) {
          const broken = outage[step % outage.length] ?? [];
          const { detected, kept } = await tick(graph, now, facts, { loading, firing, broken });
          const next = new Set([...detected, ...firing.filter((name) => kept.includes(name))]);
          const fires = [...next].filter((name) => !firing.includes(name));
          const ends = firing.filter((name) => !next.has(name));
          for (const name of fires) story.set(name, `${story.get(name) ?? ""} fires`);
          for (const name of ends) story.set(name, `${story.get(name) ?? ""} ends`);
          firing = [...next];
        }
        for (const [name, steps] of story) expect(steps, name).toMatch(/^ fires( ends)?$/);
      },
    ),
    { numRuns: 300 },
  );
});
