import type { Bundle } from "../core/bundle.ts";
import type { Delivery } from "../core/delivery.ts";
import type { Message } from "../message/render.ts";

/** A notification as a channel delivers it; subject, text and HTML are those of a mail. */
export interface Outgoing extends Message {
  /** UUID of its record, the same for each attempt, so that a receiver can recognise a repeat. */
  readonly id: string;
  /** The alarm's `entry_id`. */
  readonly alarm: string;
  /** Epoch seconds of the tick that composed it. */
  readonly time: number;
  /** Addresses, or the one target of a channel that delivers to no addresses. */
  readonly recipients: readonly string[];
  /** What it says, for channels that render it themselves. Undefined where an earlier version recorded only the text. */
  readonly bundle: Bundle | undefined;
}

/** Records what is confirmed and what is pending before the next call for the same notification. */
export type OnProgress = (soFar: Delivery) => Promise<void>;

/**
 * One way to deliver, opened. `deliver` returns errors, and ends early when the signal aborts. It rejects only if
 * `onProgress` does.
 */
export interface Channel {
  deliver(outgoing: Outgoing, signal: AbortSignal, onProgress?: OnProgress): Promise<Delivery>;
}
