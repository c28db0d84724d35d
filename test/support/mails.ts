import type { Outgoing } from "../../src/channel/channel.ts";

/** A rendered bundle, but for what the test says. */
export function makeMail(more: Partial<Outgoing> = {}): Outgoing {
  return {
    subject: "[alarm_x] 2 detection(s), 1 new, 1 continuing",
    text: "NEW (1):\n\n  [1] 40.0% failed in task 38949\n      site BNL — é漢😀\n",
    html: "<!doctype html>\n<p>40.0% failed in task <b>38949</b> — é漢😀</p>\n",
    id: "0b7c1f9e-5d0a-4a57-9c3e-0d6a4f8f2b11",
    alarm: "alarm_x",
    /** 2026-11-21 03:45:07 UTC */
    time: 1_795_232_707.9,
    recipients: ["a@host.example"],
    bundle: undefined,
    ...more,
  };
}

/** Never says that the time is over. */
export const PATIENTLY = new AbortController().signal;

/** A delivery to all recipients. */
export function delivered<Id>(recipients: readonly string[], messageIds: readonly Id[]) {
  return { confirmed: recipients, refused: [], pending: [], messageIds, error: undefined };
}

/** So many different addresses. */
export function addresses(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `person${index + 1}@host.example`);
}
