import { type Level, NO_LEVEL } from "../core/level.ts";
import type { Outcome } from "../core/model.ts";
import type { Plan } from "../core/reconcile.ts";

export interface WhyNotInput {
  readonly key: string;
  /** What `detect` returned now. */
  readonly outcome: Pick<Outcome, "keys" | "clears" | "levels" | "detections">;
  /** What a tick would do. */
  readonly plan: Plan;
}

export interface WhyNotFacts {
  readonly detected: boolean;
  readonly subject: string | undefined;
  readonly level: Level;
  /** What a tick would do with the entity, as in `run --plan`. */
  readonly action: "open" | "wait" | "touch" | "clear" | "keep" | "none";
  readonly reason: string;
}

/** What a tick would do with one entity, and why. */
export function whyNotFacts({ key, outcome, plan }: WhyNotInput): WhyNotFacts {
  const isKey = ({ dedupeKey }: { readonly dedupeKey: string }) => dedupeKey === key;
  const isEvent = ({ event }: { readonly event: { readonly dedupeKey: string } }) => isKey(event);
  const opened = plan.open.find(isKey);
  const touched = plan.touch.find(isEvent);
  const found = {
    detected: outcome.keys.has(key),
    subject: outcome.detections.get(key)?.subject,
    level: opened?.level ?? touched?.event.level ?? outcome.levels.get(key) ?? NO_LEVEL,
  };
  const items = [
    ["open", opened],
    ["wait", plan.wait.find(isKey)],
    ["touch", touched],
    ["clear", plan.clear.find(isEvent)],
    ["keep", plan.keep.find(isEvent)],
  ] as const;
  for (const [action, item] of items)
    if (item !== undefined) return { ...found, action, reason: item.reason };
  const stated = outcome.clears.get(key);
  const reason = stated === undefined ? "it is not detected" : `the module ends it: ${stated}`;
  return { ...found, action: "none", reason: `${reason}, and it is not firing` };
}
