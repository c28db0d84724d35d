import fc from "fast-check";
import type { Sight } from "../../../src/author/expectations/expectation.ts";
import type { Fact, Facts } from "./oracle.ts";
import { WANTS } from "./random_graph.ts";

/** The facts of a service that must be asked for: what must be loaded to see each, and to see its time. */
export interface Loading {
  readonly presence: ReadonlyMap<string, string>;
  readonly times: ReadonlyMap<string, string>;
}

const NOTHING: Loading = { presence: new Map(), times: new Map() };

const groups = (names: readonly string[]): fc.Arbitrary<ReadonlyMap<string, string>> =>
  fc
    .tuple(...WANTS.map(() => fc.option(fc.constantFrom(...names), { nil: undefined, freq: 2 })))
    .map(
      (each) =>
        new Map(
          each.flatMap((group, index) =>
            group === undefined ? [] : [[WANTS[index] ?? "", group]],
          ),
        ),
    );

export const randomLoading: fc.Arbitrary<Loading> = fc.record({
  presence: groups(["files", "logs"]),
  times: groups(["labels"]),
});

export const LOADS = ["files", "logs", "labels"];

/** How a service looks of which some is loaded and some cannot be: it knows nothing that is later than now. */
export function lookAt(
  facts: Facts,
  now: number,
  { presence, times }: Loading = NOTHING,
  loaded: ReadonlySet<string> = new Set(LOADS),
  broken: ReadonlySet<string> = new Set(),
): (want: string, timed: boolean) => Sight {
  const missing = (group: string | undefined): Sight | undefined => {
    if (group === undefined) return undefined;
    if (broken.has(group) && loaded.has(group)) return { unknown: `${group}: 504` };
    return loaded.has(group) ? undefined : { need: group };
  };
  return (want, timed) => {
    const unseen = missing(presence.get(want));
    if (unseen !== undefined) return unseen;
    const fact: Fact | undefined = facts.get(want);
    if (typeof fact !== "number") return fact ?? false;
    if (fact > now) return false;
    if (!times.has(want)) return fact;
    return timed ? (missing(times.get(want)) ?? fact) : true;
  };
}
