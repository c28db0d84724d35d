import type { ActiveEvent } from "../model.ts";

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
