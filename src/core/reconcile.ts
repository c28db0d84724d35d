import type { ActiveEvent, ActiveEvents, Outcome } from "./model.ts";

/** "held" comes from the clear guard, with its counts. */
type KeepReason =
  | "outcome is partial"
  | "outcome failed"
  | "not looked at in this tick"
  | `held: ${string}`;

/** What a tick will do to an alarm's events, decided before anything is written. */
export interface Plan {
  readonly open: readonly { readonly dedupeKey: string; readonly reason: "newly detected" }[];
  readonly touch: readonly { readonly event: ActiveEvent; readonly reason: "still detected" }[];
  readonly clear: readonly { readonly event: ActiveEvent; readonly reason: "no longer detected" }[];
  /** Not detected, but not cleared: the outcome does not prove that they are gone. */
  readonly keep: readonly { readonly event: ActiveEvent; readonly reason: KeepReason }[];
}

export const NO_CHANGES: Plan = { open: [], touch: [], clear: [], keep: [] };

/** Compares what was detected with what is firing. Only a `complete` outcome clears, and only what it looked at. */
export function reconcile({ status, keys, unknown }: Outcome, active: ActiveEvents): Plan {
  const open: Plan["open"][number][] = [];
  const touch: Plan["touch"][number][] = [];
  for (const dedupeKey of keys) {
    const event = active.get(dedupeKey);
    if (event === undefined) open.push({ dedupeKey, reason: "newly detected" });
    else touch.push({ event, reason: "still detected" });
  }
  const unseen = [...active.values()]
    .filter(({ dedupeKey }) => !keys.has(dedupeKey))
    .sort((a, b) => a.fireTime - b.fireTime);
  const clear: Plan["clear"][number][] = [];
  const keep: Plan["keep"][number][] = [];
  for (const event of unseen) {
    if (status === "partial") keep.push({ event, reason: "outcome is partial" });
    else if (status === "failed") keep.push({ event, reason: "outcome failed" });
    else if (unknown?.(event.dedupeKey) === true)
      keep.push({ event, reason: "not looked at in this tick" });
    else clear.push({ event, reason: "no longer detected" });
  }
  return { open, touch, clear, keep };
}
