import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Channel, OnProgress, Outgoing } from "../channel/channel.ts";
import type { Opener } from "../channel/channel_type.ts";
import type { ConfiguredChannel } from "../channel/registry.ts";
import { type Delivery, type DeliveryError, undelivered } from "../core/delivery.ts";
import { MAX_DELAY } from "../core/notification.ts";
import type { Unsent } from "../store/unsent.ts";
import { errorText } from "../text/describe.ts";
import type { Deadline } from "./deadline.ts";

/** What a tick learnt about a channel. */
export interface ChannelReport {
  readonly attempted: boolean;
  /** Why the whole channel does not deliver. */
  readonly error: string | undefined;
}

/** How often a notification waits in a tick: a service may ask for a second again and again. */
const MAX_WAITS = 5;

const ASKED_TO_WAIT: DeliveryError = {
  message: "the service asked to wait",
  retryable: true,
  scope: "channel",
  mayBeDelivered: false,
};

export interface QueueFacts {
  readonly type: string;
  readonly opener: Opener;
  readonly open: (opener: Opener) => Promise<Channel>;
  /** Aborts when the tick's time is over. */
  readonly signal: AbortSignal;
  /** Epoch seconds. */
  readonly clock: () => number;
  /** Epoch seconds after which a tick waits for no service. */
  readonly patientUntil: number;
  /** Epoch seconds until which the service accepts nothing, as earlier ticks learnt. */
  readonly closedUntil: number;
}

/**
 * The notifications of one tick on one channel, one after the other. After an error of the whole channel the others
 * are not tried: each would wait for its own timeouts.
 */
export class ChannelQueue {
  readonly #facts: QueueFacts;
  #channel: Promise<Channel> | undefined;
  /** The end of the last work that was begun. */
  #last: Promise<unknown> = Promise.resolve();
  #error: DeliveryError | undefined;
  #closedUntil: number;
  #attempted = false;
  #lastError: string | undefined;
  /** Those that it has delivered to. */
  readonly reached = new Set<string>();

  constructor(facts: QueueFacts) {
    // Each call listens; Node would warn of a leak on stderr.
    setMaxListeners(0, facts.signal);
    this.#facts = facts;
    this.#closedUntil = facts.closedUntil;
  }

  get type(): string {
    return this.#facts.type;
  }

  /** Where it delivers; undefined if to the recipients of the alarms. */
  get target(): string | undefined {
    return this.#facts.opener.target;
  }

  get report(): ChannelReport {
    const error = this.#error?.message ?? (this.reached.size === 0 ? this.#lastError : undefined);
    return { attempted: this.#attempted, error };
  }

  /**
   * Runs the work for one notification, from its record to its stamp, before the work for the next one: a crash then
   * repeats one at most.
   */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return await done;
  }

  /** Why nothing is attempted now, and until when if the service said so; undefined if it can be. */
  get closed():
    | { readonly error: DeliveryError; readonly notBefore: number | undefined }
    | undefined {
    const notBefore = this.#closedUntil > this.#facts.clock() ? this.#closedUntil : undefined;
    if (this.#error === undefined && notBefore === undefined) return undefined;
    const { message, retryable } = this.#error ?? ASKED_TO_WAIT;
    const error = { ...ASKED_TO_WAIT, message: `not tried: ${message}`, retryable };
    return { error, notBefore };
  }

  async deliver(outgoing: Outgoing, onProgress: OnProgress): Promise<Delivery> {
    const { signal } = this.#facts;
    let channel: Channel;
    try {
      this.#channel ??= this.#facts.open(this.#facts.opener);
      channel = await this.#channel;
    } catch (thrown) {
      const message = `cannot open the channel: ${errorText(thrown)}`;
      const facts = { message, retryable: false, scope: "channel", mayBeDelivered: false } as const;
      this.#error = facts;
      return undelivered(outgoing.recipients, facts);
    }
    for (let waits = 0; ; waits++) {
      this.#attempted = true;
      const delivery = await channel.deliver(outgoing, signal, onProgress);
      const { error, confirmed, pending } = delivery;
      for (const address of confirmed) this.reached.add(address);
      this.#lastError = error?.message;
      if (error?.retryAfter === undefined) {
        if (error?.scope === "channel") this.#error = error;
        return delivery;
      }
      const until = this.#facts.clock() + error.retryAfter;
      // What has reached some of its recipients is recorded first.
      const isWhole = pending.length === outgoing.recipients.length;
      const isPatient = isWhole && waits < MAX_WAITS && until <= this.#facts.patientUntil;
      if (!isPatient || !(await this.#wait(error.retryAfter))) {
        this.#closedUntil = until;
        this.#error = error;
        return delivery;
      }
    }
  }

  /** Whether it waited to the end. */
  async #wait(seconds: number): Promise<boolean> {
    try {
      await sleep(seconds * 1000, undefined, { signal: this.#facts.signal });
      return true;
    } catch {
      return false;
    }
  }
}

interface OpenFacts {
  readonly channels: ReadonlyMap<string, ConfiguredChannel>;
  readonly openChannel: QueueFacts["open"];
  readonly clock: () => number;
}

/** The queues of a tick by channel; undefined for a channel whose settings are wrong. */
export function openQueues(
  { channels, openChannel: open, clock }: OpenFacts,
  { signal, patientUntil }: Pick<Deadline, "signal" | "patientUntil">,
  unsent: Pick<Unsent, "queuedUntil">,
): ReadonlyMap<string, ChannelQueue | undefined> {
  const until = clock() + (patientUntil - performance.now()) / 1000;
  const queue = ({ name, type, opener }: ConfiguredChannel): ChannelQueue | undefined => {
    // A time far ahead was written while the clock was wrong.
    const queuedUntil = unsent.queuedUntil(name);
    const closedUntil = queuedUntil > clock() + MAX_DELAY ? 0 : queuedUntil;
    return (
      opener &&
      new ChannelQueue({ type, opener, open, signal, clock, patientUntil: until, closedUntil })
    );
  };
  return new Map([...channels].map(([name, channel]) => [name, queue(channel)]));
}
