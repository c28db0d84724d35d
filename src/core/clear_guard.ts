import type { Plan } from "./reconcile.ts";

/** Fewer clears than this are never held. */
const MIN_CLEARS = 10;

/**
 * Holds a mass clear back for one more complete outcome: a service that returns well-formed nonsense looks as
 * if everything had cleared. `share` is the part of the alarm's active events that may clear at once; 1 holds
 * nothing. What the module or a person ends is not held. An event that was held before and is again not detected clears.
 */
export function guardClears(plan: Plan, share: number): Plan {
  const active = plan.touch.length + plan.clear.length + plan.keep.length;
  const unseen = plan.clear.filter(({ isUnseen }) => isUnseen);
  const clearing = unseen.length;
  if (clearing < MIN_CLEARS || clearing <= share * active) return plan;
  const reason =
    `held: ${clearing} of ${active} events would clear at once; they will clear if the next complete outcome does not detect them either` as const;
  const held = unseen.filter(({ event }) => event.clearHeldAt === undefined);
  return {
    ...plan,
    clear: plan.clear.filter(({ event, isUnseen }) => !isUnseen || event.clearHeldAt !== undefined),
    keep: [...plan.keep, ...held.map(({ event }) => ({ event, reason }))],
  };
}

/** The kept events whose clear this tick holds. */
export function heldClears({ keep }: Plan): Plan["keep"] {
  return keep.filter(({ reason }) => reason.startsWith("held:"));
}
