import type { Expectation, Graph, Term } from "./expectation.ts";
import type { Seen } from "./term.ts";

/** Whether a later stage than that of an expectation was reached, and the last one that was. */
export function laterStage<W>(
  { stages = [], expectations }: Graph<W>,
  { stage }: Expectation<W>,
  see: (term: Term<W>) => Seen,
): { readonly seen: Seen; readonly reached?: string } {
  const later = stage === undefined ? [] : stages.slice(stages.indexOf(stage) + 1).reverse();
  const looks = later.map((each) => ({
    reached: each,
    seen: see({ any: expectations.filter((other) => other.stage === each).map(reaching) }),
  }));
  return (
    looks.find(({ seen }) => seen.kind === "there") ??
    looks.find(({ seen }) => seen.kind === "need") ??
    looks.find(({ seen }) => seen.kind === "unknown") ?? { seen: { kind: "absent" } }
  );
}

/** What is not expected is not loaded. */
function reaching<W>({ when, want }: Expectation<W>): Term<W> {
  return when === undefined ? want : { all: [when, want] };
}
