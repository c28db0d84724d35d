import type { Delivery } from "../core/delivery.ts";
import type { Message } from "../message/render.ts";

/** A rendered bundle and its recipients. */
export interface Mail extends Message {
  /** The alarm's `entry_id`, for file names. */
  readonly alarm: string;
  /** Epoch seconds of the tick. */
  readonly time: number;
  readonly recipients: readonly string[];
}

/** Records what is confirmed and what is pending before the next call of the same mail. */
export type OnProgress = (soFar: Delivery) => Promise<void>;

/**
 * One way to deliver. `deliver` returns errors, and ends early when the signal aborts. It rejects only if
 * `onProgress` does.
 */
export interface Channel {
  readonly name: string;
  deliver(mail: Mail, signal: AbortSignal, onProgress?: OnProgress): Promise<Delivery>;
}
