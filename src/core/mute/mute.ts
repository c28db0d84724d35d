import type { ActiveEvent } from "../model.ts";
import { acknowledgement } from "./acknowledgement.ts";

/** Why an active event is not notified now. */
export interface Muted {
  readonly kind: MuteKind;
  /** For people. */
  readonly reason: string;
  /** Epoch seconds; undefined if it has no end of its own. */
  readonly until: number | undefined;
}

export type MuteKind = "acknowledged";

export interface MuteFacts {
  readonly event: Pick<ActiveEvent, "notices">;
  readonly channel: string;
  readonly now: number;
}

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
