import type { Outcome } from "../../src/core/model.ts";

/** A complete outcome that detected nothing, unless `more` says otherwise. */
export function makeOutcome(more: Partial<Outcome> = {}): Outcome {
  return {
    status: "complete",
    cause: undefined,
    reasons: [],
    keys: new Set(),
    detections: new Map(),
    levels: new Map(),
    clears: new Map(),
    notes: [],
    seconds: 0,
    ...more,
  };
}
