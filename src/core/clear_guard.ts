import type { Plan } from "./reconcile.ts";

/** Fewer clears than this at once are never held. */
const AT_LEAST = 10;

/**
 * Holds a mass clear back for one more complete outcome: a service that answers well-formed nonsense
 * looks as if all were well. `share` is the part of the alarm's active events that may clear at once;
 * with 1 nothing is held. An event that was held before and is again not detected clears.
 */
export function guardClears(plan: Plan, share: number): Plan {
  const active = plan.touch.length + plan.clear.length + plan.keep.length;
  const clearing = plan.clear.length;
  if (clearing < AT_LEAST || clearing <= share * active) return plan;
  const reason =
    `held: ${clearing} of ${active} events would clear at once; they clear if the next complete outcome says the same` as const;
  const held = plan.clear.filter(({ event }) => event.clearHeldAt === undefined);
  return {
    ...plan,
    clear: plan.clear.filter(({ event }) => event.clearHeldAt !== undefined),
    keep: [...plan.keep, ...held.map(({ event }) => ({ event, reason }))],
  };
}

/** Why clears are held in this tick; undefined where none are. */
export function heldReason(plan: Plan): string | undefined {
  return plan.keep.find(({ reason }) => isHeld(reason))?.reason;
}

/** Ids of the events whose clear this tick holds. */
export function heldIds(plan: Plan): readonly string[] {
  return plan.keep.filter(({ reason }) => isHeld(reason)).map(({ event }) => event.id);
}

function isHeld(reason: string): boolean {
  return reason.startsWith("held:");
}
