import type { ActiveEvent, ActiveEvents, Outcome } from "./model.ts";

export type OpenReason = "newly detected";
export type TouchReason = "still detected";
export type ClearReason = "no longer detected";
export type KeepReason = "outcome is partial" | "outcome failed" | HeldReason;
/** Made by the clear guard, with its counts. */
export type HeldReason = `held: ${string}`;

/** What a tick will do to an alarm's events, decided before anything is written. */
export interface Plan {
  readonly open: readonly { readonly dedupeKey: string; readonly reason: OpenReason }[];
  readonly touch: readonly { readonly event: ActiveEvent; readonly reason: TouchReason }[];
  readonly clear: readonly { readonly event: ActiveEvent; readonly reason: ClearReason }[];
  /** Not detected, and yet not cleared: the outcome does not prove that they are gone. */
  readonly keep: readonly { readonly event: ActiveEvent; readonly reason: KeepReason }[];
}

/** The plan without the events that are no longer active: somebody else has ended them meanwhile. */
export function withoutEnded(plan: Plan, active: ActiveEvents): Plan {
  const ids = new Set([...active.values()].map(({ id }) => id));
  return {
    ...plan,
    touch: plan.touch.filter(({ event }) => ids.has(event.id)),
    keep: plan.keep.filter(({ event }) => ids.has(event.id)),
  };
}

/**
 * Compares what was detected with what is firing. No news is not good news: only a `complete`
 * outcome clears.
 */
export function reconcile({ status, detections }: Outcome, active: ActiveEvents): Plan {
  const open: Plan["open"][number][] = [];
  const touch: Plan["touch"][number][] = [];
  for (const dedupeKey of detections.keys()) {
    const event = active.get(dedupeKey);
    if (event === undefined) open.push({ dedupeKey, reason: "newly detected" });
    else touch.push({ event, reason: "still detected" });
  }
  const unseen = [...active.values()]
    .filter(({ dedupeKey }) => !detections.has(dedupeKey))
    .sort((a, b) => a.fireTime - b.fireTime);
  if (status === "complete") {
    const clear = unseen.map((event) => ({ event, reason: "no longer detected" as const }));
    return { open, touch, clear, keep: [] };
  }
  const reason = status === "partial" ? "outcome is partial" : "outcome failed";
  return { open, touch, clear: [], keep: unseen.map((event) => ({ event, reason })) };
}
