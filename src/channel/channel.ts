import type { Message } from "../message/render.ts";

/** A rendered bundle and whom it is for. */
export interface Mail extends Message {
  /** The alarm's `entry_id`, for names and tags. */
  readonly alarm: string;
  /** Epoch seconds of the tick. */
  readonly time: number;
  readonly recipients: readonly string[];
}

/** How a delivery ended. A failure says whether trying again may help. */
export type Delivery =
  | { readonly ok: true; readonly messageIds: readonly string[] }
  | {
      readonly ok: false;
      readonly error: string;
      readonly retryable: boolean;
      /** Parts that did go out before the failure. */
      readonly messageIds: readonly string[];
    };

/** One way to deliver. `deliver` never throws. */
export interface Channel {
  readonly name: string;
  deliver(mail: Mail): Promise<Delivery>;
}
