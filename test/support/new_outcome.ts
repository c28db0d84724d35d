import { Details } from "../../src/worker/details.ts";
import { type OutcomeFacts, OutcomeSoFar } from "../../src/worker/outcome.ts";

/** An outcome that keeps all of every detection, and hides nothing, unless said otherwise. */
export function newOutcome(changes: Partial<OutcomeFacts> = {}): OutcomeSoFar {
  return new OutcomeSoFar({
    details: new Details(),
    needsDetails: () => true,
    redact: (text) => text,
    ...changes,
  });
}
