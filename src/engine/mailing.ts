import { setMaxListeners } from "node:events";
import type { Channel, Mail, OnProgress } from "../channel/channel.ts";
import { type Delivery, type DeliveryError, undelivered } from "../core/delivery.ts";

/**
 * The mails of one tick. After an error of the whole channel the others are not tried: each would wait
 * for its own timeouts.
 */
export class Mailing {
  /** The configured channel, loaded at the first mail; undefined if there is none. */
  readonly channel: () => Promise<Channel | undefined>;
  readonly #signal: AbortSignal;
  /** The end of the last mail that was begun. */
  #last: Promise<unknown> = Promise.resolve();
  #channelError: DeliveryError | undefined;

  /** The signal aborts when the tick's time is over. */
  constructor(channel: () => Promise<Channel | undefined>, signal: AbortSignal) {
    // Each call listens; Node would warn of a leak on stderr.
    setMaxListeners(0, signal);
    this.channel = channel;
    this.#signal = signal;
  }

  /**
   * Runs the work for one mail, from the record of its attempt to its stamp, before the work for the
   * next one: a crash then repeats one mail at most.
   */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return await done;
  }

  async deliver(channel: Channel, mail: Mail, onProgress?: OnProgress): Promise<Delivery> {
    if (this.#channelError !== undefined) {
      const message = `not tried: ${this.#channelError.message}`;
      const error = { ...this.#channelError, message, mayBeDelivered: false };
      return undelivered(mail.recipients, error);
    }
    const delivery = await channel.deliver(mail, this.#signal, onProgress);
    if (delivery.error?.scope === "channel") this.#channelError = delivery.error;
    return delivery;
  }
}
