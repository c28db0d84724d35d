/** Somebody has taken note of an event: updates and reminders are held. Times are epoch seconds. */
export interface Ack {
  readonly by: string;
  readonly reason: string;
  readonly at: number;
  /** Undefined: until the event clears. */
  readonly until: number | undefined;
  /** Whether it stays on a rise in severity or stage. */
  readonly sticky: boolean;
  /** When and why it ended before the event did; undefined while it holds. */
  readonly ended: { readonly at: number; readonly reason: AckEnd } | undefined;
}

export type AckEnd = "its time is over" | "severity rose" | "stage advanced" | "by operator";

/** The acknowledgement with its end, if its time is over. */
export function ackAt(ack: Ack | undefined, now: number): Ack | undefined {
  if (ack === undefined || ack.ended !== undefined) return ack;
  if (ack.until === undefined || ack.until > now) return ack;
  return { ...ack, ended: { at: ack.until, reason: "its time is over" } };
}

/** The acknowledgement that holds now. */
export function ackInForce(ack: Ack | undefined, now: number): Ack | undefined {
  const found = ackAt(ack, now);
  return found?.ended === undefined ? found : undefined;
}
