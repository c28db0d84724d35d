import type { ActiveEvent, Outcome, SafeDetection } from "./model.ts";

export type OpenReason = "newly detected";
export type TouchReason = "still detected";
export type ClearReason = "no longer detected";
export type KeepReason = "outcome is partial" | "outcome failed" | HeldReason;
/** Made by the clear guard, with its counts. */
export type HeldReason = `held: ${string}`;

/** What a tick will do to an alarm's events, decided before anything is written. */
export interface Plan {
  readonly open: readonly { readonly detection: SafeDetection; readonly reason: OpenReason }[];
  readonly touch: readonly {
    readonly event: ActiveEvent;
    readonly detection: SafeDetection;
    readonly reason: TouchReason;
  }[];
  readonly clear: readonly { readonly event: ActiveEvent; readonly reason: ClearReason }[];
  /** Not detected, and yet not cleared: the outcome does not prove that they are gone. */
  readonly keep: readonly { readonly event: ActiveEvent; readonly reason: KeepReason }[];
}

/**
 * Compares what was detected with what is firing. No news is not good news: only a `complete`
 * outcome clears.
 */
export function reconcile(outcome: Outcome, active: readonly ActiveEvent[]): Plan {
  const byKey = new Map(active.map((event) => [event.dedupeKey, event]));
  const detected = new Set<string>();
  const open: Plan["open"][number][] = [];
  const touch: Plan["touch"][number][] = [];
  for (const detection of outcome.detections) {
    if (detected.has(detection.dedupeKey)) continue;
    detected.add(detection.dedupeKey);
    const event = byKey.get(detection.dedupeKey);
    if (event === undefined) open.push({ detection, reason: "newly detected" });
    else touch.push({ event, detection, reason: "still detected" });
  }
  const unseen = active.filter((event) => !detected.has(event.dedupeKey));
  if (outcome.status === "complete") {
    return {
      open,
      touch,
      clear: unseen.map((event) => ({ event, reason: "no longer detected" })),
      keep: [],
    };
  }
  const reason = outcome.status === "partial" ? "outcome is partial" : "outcome failed";
  return { open, touch, clear: [], keep: unseen.map((event) => ({ event, reason })) };
}
