import { setMaxListeners } from "node:events";
import type { Channel, Mail } from "../channel/channel.ts";
import { type Delivery, type DeliveryError, undelivered } from "../core/delivery.ts";

/**
 * The mails of one tick. Once the channel fails as a whole, the others are not tried: with many alarms
 * and a service that is down, each would wait for its own timeouts.
 */
export class Mailing {
  readonly #open: () => Promise<Channel | undefined>;
  readonly #signal: AbortSignal;
  /** The end of the last mail that was begun. */
  #turn: Promise<unknown> = Promise.resolve();
  #broken: DeliveryError | undefined;

  /** The signal ends what is under way when the tick's time is over. */
  constructor(open: () => Promise<Channel | undefined>, signal: AbortSignal) {
    // As many listeners as there are requests; Node would warn of a leak on stderr.
    setMaxListeners(0, signal);
    this.#open = open;
    this.#signal = signal;
  }

  /** The configured channel, loaded at the first mail; undefined where none is. */
  async channel(): Promise<Channel | undefined> {
    return await this.#open();
  }

  /**
   * Does all that belongs to one mail, from its attempt on record to its stamp, before the next one
   * begins: a crash then repeats one mail at most.
   */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return await done;
  }

  async deliver(channel: Channel, mail: Mail): Promise<Delivery> {
    if (this.#broken !== undefined) {
      const error = `not tried: ${this.#broken.message}`;
      return undelivered(mail.recipients, {
        ...this.#broken,
        message: error,
        mayBeDelivered: false,
      });
    }
    const delivery = await channel.deliver(mail, this.#signal);
    if (delivery.error?.scope === "channel") this.#broken = delivery.error;
    return delivery;
  }
}
