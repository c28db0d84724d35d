import { type OutcomeFacts, OutcomeSoFar } from "../../src/worker/outcome.ts";

/** An outcome that keeps the details of every detection and redacts nothing, of a module without stages, unless `changes` say otherwise. */
export function newOutcome(changes: Partial<OutcomeFacts> = {}): OutcomeSoFar {
  return new OutcomeSoFar({
    needsDetails: () => true,
    redact: (text) => text,
    stages: [],
    ...changes,
  });
}
