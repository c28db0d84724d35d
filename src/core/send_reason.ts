import type { Mode } from "./model.ts";

export type SendReason =
  | "due"
  | "nothing to mail"
  | "mail is off"
  | "dry run"
  | "plan only"
  | "no recipients"
  | "mail is not configured"
  | "the channel cannot be used"
  | "the service asked to wait";

export interface SendFacts {
  readonly items: number;
  readonly enabled: boolean;
  readonly mode: Mode;
  /** Number of addresses that its recipients resolve to; that of a channel without addresses is 1. */
  readonly recipientCount: number;
  readonly channel: "usable" | "not configured" | "unusable";
  /** Whether the channel accepts nothing for a while, as earlier ticks learnt. */
  readonly isClosed?: boolean;
}

/** Whether what the alarm has to say is sent, and why not. */
export function sendReason(facts: SendFacts): SendReason {
  if (facts.items === 0) return "nothing to mail";
  if (!facts.enabled) return "mail is off";
  // A tick would attempt nothing and record why.
  if (facts.mode === "plan") return facts.isClosed ? "the service asked to wait" : "plan only";
  if (facts.mode === "dry-run") return "dry run";
  if (facts.channel === "unusable") return "the channel cannot be used";
  if (facts.recipientCount === 0) return "no recipients";
  if (facts.channel === "not configured") return "mail is not configured";
  return "due";
}
