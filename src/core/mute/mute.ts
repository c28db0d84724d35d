import { acknowledgement } from "./acknowledgement.ts";
import type { Muted, MuteFacts } from "./muted.ts";

/**
 * One file for each reason, in this order: the first one that has a reason holds the event back. An alarm whose
 * notifications are off sends nothing at all, so that it comes before these.
 */
const RULES: readonly ((facts: MuteFacts) => Muted | undefined)[] = [acknowledgement];

export function muteOf(facts: MuteFacts): Muted | undefined {
  for (const rule of RULES) {
    const muted = rule(facts);
    if (muted !== undefined) return muted;
  }
  return undefined;
}
