import type { Delivery } from "../core/delivery.ts";
import type { Message } from "../message/render.ts";

/** A rendered bundle and whom it is for. */
export interface Mail extends Message {
  /** The alarm's `entry_id`, for names and tags. */
  readonly alarm: string;
  /** Epoch seconds of the tick. */
  readonly time: number;
  readonly recipients: readonly string[];
}

/** One way to deliver. `deliver` never throws; when the signal says so, it ends with what it has. */
export interface Channel {
  readonly name: string;
  deliver(mail: Mail, signal: AbortSignal): Promise<Delivery>;
}
