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

/** One way to deliver. `deliver` returns errors, and ends early when the signal aborts. */
export interface Channel {
  readonly name: string;
  deliver(mail: Mail, signal: AbortSignal): Promise<Delivery>;
}
