import type { Outcome } from "../../src/core/model.ts";
import { NOTHING_DETECTED } from "../../src/core/reconcile.ts";

/** A complete outcome that detected nothing, unless `more` says otherwise. */
export function makeOutcome(more: Partial<Outcome> = {}): Outcome {
  return { ...NOTHING_DETECTED, ...more };
}
